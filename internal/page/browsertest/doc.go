// Package browsertest looks at the page in a real browser: headless Chromium,
// driven by chromedp, against a server that answers the API by its contract with
// results that the product's own arithmetic has made. It is a module of its own,
// so that the product needs none of it. make test-page runs it.
package browsertest
