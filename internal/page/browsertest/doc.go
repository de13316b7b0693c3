// Package browsertest looks at the page in a real browser: headless Chromium,
// driven by chromedp, against the program of thalas serve over stores that the
// service has filled. It is a module of its own, so that the product needs none of
// it. make test-page runs it.
package browsertest
