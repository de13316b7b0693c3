package browsertest

// The browser: one Chromium for all tests, a tab for each, and what a tab did.

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

var (
	browser context.Context
	folder  string // of the filled stores
)

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if folder, err = os.MkdirTemp("", "browsertest"); err != nil {
			println("browsertest:", err.Error())
			return 1
		}
		defer os.RemoveAll(folder)
		path, err := exec.LookPath("chromium")
		if err != nil {
			println("browsertest: chromium is missing: install it (Debian: apt-get install chromium)")
			return 1
		}
		options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.Flag("force-color-profile", "srgb"),
			chromedp.Flag("lang", "en-GB"), chromedp.Env("TZ=Europe/Athens"))
		allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
		defer stop()
		var end context.CancelFunc
		browser, end = chromedp.NewContext(allocator)
		defer end()
		if err := chromedp.Do(browser); err != nil {
			println("browsertest: chromium does not start:", err.Error())
			return 1
		}
		return m.Run()
	}())
}

// axe is the source of axe-core, which run.sh fetches.
var axe = sync.OnceValues(func() (string, error) {
	text, err := os.ReadFile("../../../.tools/axe/axe.min.js")
	return string(text), err
})

// look is how a page is looked at.
type look struct {
	name          string
	width, height int64
	features      map[string]string
}

var (
	light = map[string]string{"prefers-color-scheme": "light"}
	dark  = map[string]string{"prefers-color-scheme": "dark", "prefers-reduced-motion": "reduce"}
	desk  = look{"desk", 1280, 800, light}
	phone = look{"phone", 320, 700, light}
)

// tab is one open page.
type tab struct {
	*testing.T
	ctx    context.Context
	server *server

	mu       sync.Mutex
	faults   []string // what the console said
	requests []string // method and address of each
	keys     []string // the Idempotency-Key of each question
	same     int      // answers 304 of the API
}

// open opens a view and waits until it has what it waits for: a selector. The
// scripts run before those of the page.
func open(t *testing.T, s *server, l look, hash, ready string, scripts ...string) *tab {
	t.Helper()
	b := &tab{T: t, server: s}
	var stop context.CancelFunc
	b.ctx, stop = chromedp.NewContext(browser)
	t.Cleanup(stop)
	if err := chromedp.Listen(b.ctx, b.hear); err != nil {
		t.Fatalf("the browser: %v", err)
	}
	b.look(l)
	call(b, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	for _, script := range scripts {
		call(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
	}
	path := "/"
	if s.state.stage {
		path = stagePath + "/"
	}
	b.do(chromedp.Navigate(s.URL + path + hash))
	b.wait(ready)
	return b
}

// look gives the window its size and the reader's preferences.
func (b *tab) look(l look) {
	b.Helper()
	b.prefer(l.features)
	call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: l.width, Height: l.height, DeviceScaleFactor: 1, Mobile: l.width < 500})
}

// prefer sets what the reader prefers, such as a theme.
func (b *tab) prefer(preferences map[string]string) {
	b.Helper()
	var features []*emulation.MediaFeature
	for name, value := range preferences {
		features = append(features, &emulation.MediaFeature{Name: name, Value: value})
	}
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features})
}

// hear notes what the tab says and asks for.
func (b *tab) hear(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			text := ""
			for _, arg := range e.Args {
				text += string(arg.Value) + arg.Description + " "
			}
			b.faults = append(b.faults, text)
		}
	case *runtime.EventExceptionThrown:
		b.faults = append(b.faults, e.ExceptionDetails.Text+" "+e.ExceptionDetails.URL)
		if e.ExceptionDetails.Exception != nil {
			b.faults = append(b.faults, e.ExceptionDetails.Exception.Description)
		}
	case *log.EventEntryAdded:
		// That a request was answered with an error is what some states are about.
		if e.Entry.Level == log.EntryLevelError && e.Entry.Source != log.EntrySourceNetwork {
			b.faults = append(b.faults, e.Entry.Text)
		}
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.Method+" "+e.Request.URL)
		for name, value := range e.Request.Headers {
			if strings.EqualFold(name, "Idempotency-Key") {
				b.keys = append(b.keys, fmt.Sprint(value))
			}
		}
	case *network.EventResponseReceived:
		path := strings.TrimPrefix(e.Response.URL, b.server.URL)
		switch {
		case e.Response.Status == http.StatusNotModified && strings.Contains(path, "/v1/"):
			b.same++
		case e.Response.Status == http.StatusNotFound && !strings.Contains(path, "/v1/consensus/"), e.Response.Status == http.StatusMethodNotAllowed:
			b.faults = append(b.faults, "there is no route "+path)
		}
	}
}

// within bounds one step.
func (b *tab) within() (context.Context, context.CancelFunc) {
	return context.WithTimeout(b.ctx, time.Minute)
}

func call[P, R any](b *tab, command cdp.Command[P, R], params P) R {
	b.Helper()
	ctx, cancel := b.within()
	defer cancel()
	result, err := chromedp.Call(ctx, command, params)
	if err != nil {
		b.Fatalf("the browser: %s: %v", command.Method, err)
	}
	return result
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	ctx, cancel := b.within()
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.Fatalf("the browser: %v", err)
	}
}

// eval gives the value of an expression, or of the promise that it gives.
func eval[T any](b *tab, expression string) T {
	b.Helper()
	ctx, cancel := b.within()
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.Fatalf("the browser: %.300s: %v", expression, err)
	}
	return value
}

// text gives the text of an element as a reader sees it.
func (b *tab) text(selector string) string {
	b.Helper()
	return eval[string](b, "document.querySelector("+quote(selector)+").innerText.replace(/\\s+/g, ' ').trim()")
}

func (b *tab) click(selector string) {
	b.Helper()
	eval[bool](b, "document.querySelector("+quote(selector)+").click() ?? true")
}

// set types into a field, as a person would.
func (b *tab) set(selector, value string) {
	b.Helper()
	eval[bool](b, `(() => { const e = document.querySelector(`+quote(selector)+`); e.value = `+quote(value)+`;
		e.dispatchEvent(new Event('input', {bubbles: true})); return e.dispatchEvent(new Event('change', {bubbles: true})); })()`)
}

// wait waits for an element.
func (b *tab) wait(selector string) {
	b.Helper()
	b.until("document.querySelector(" + quote(selector) + ") !== null")
}

// until waits until an expression is true.
func (b *tab) until(expression string) {
	b.Helper()
	ctx, cancel := b.within()
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](expression, chromedp.WithPollingTimeout(30*time.Second), chromedp.WithPollingInterval(50*time.Millisecond))); err != nil {
		text := eval[string](b, "document.body.innerText")
		b.mu.Lock()
		defer b.mu.Unlock()
		b.Fatalf("%s: %v\nthe page says:\n%.800s\nthe console says:\n%s", expression, err, text, strings.Join(b.faults, "\n"))
	}
}

func quote(text string) string {
	raw, _ := json.Marshal(text)
	return string(raw)
}

// checkLook looks at the page, and takes its pictures in both themes. The colours of the
// other theme are checked once for each state: they do not depend on the size.
func (b *tab) checkLook(name string, colours bool) {
	b.Helper()
	b.Logf("%s: first paint after %.0f ms", name, eval[float64](b, "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1"))
	b.checkFits()
	b.shoot(name)
	b.checkAxe()
	b.prefer(dark)
	b.shoot(name + "-dark")
	if colours {
		b.checkAxe("color-contrast", "link-in-text-block") // what a theme can break
	}
}

// checkAxe fails where axe-core finds something of WCAG 2.2 A or AA, or breaks one of the
// rules.
func (b *tab) checkAxe(rules ...string) {
	b.Helper()
	source, err := axe()
	if err != nil {
		b.Fatalf("axe-core is missing (%v): run make test-page, which fetches it", err)
	}
	only := `['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']`
	if len(rules) > 0 {
		only = `['` + strings.Join(rules, "', '") + `']`
	}
	if !eval[bool](b, "'axe' in window") {
		b.do(chromedp.Evaluate[chromedp.Void](source + ";true"))
	}
	found := eval[[]string](b, `axe.run(document, {runOnly: `+only+`, resultTypes: ['violations']})
		.then((r) => r.violations.map((v) => v.id + ': ' + v.help + '\n  ' + v.nodes.slice(0, 4).map((n) => n.html.slice(0, 200) + ' ' + n.failureSummary.replaceAll('\n', ' ')).join('\n  ')))`)
	for _, violation := range found {
		b.Errorf("axe-core: %s", violation)
	}
}

// checkQuiet fails where the console said something, another host was asked, or
// another number of questions than that was asked.
func (b *tab) checkQuiet(questions int) {
	b.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	paid := 0
	for _, fault := range b.faults {
		b.Errorf("the console says: %s", fault)
	}
	for _, request := range b.requests {
		method, address, _ := strings.Cut(request, " ")
		parsed, err := url.Parse(address)
		if err != nil || (parsed.Scheme != "data" && parsed.Scheme != "blob" && "http://"+parsed.Host != b.server.URL) {
			b.Errorf("another host was asked: %s", request)
		} else if strings.Contains(address, testKey) {
			b.Errorf("the key is in an address: %s", request)
		} else if method != http.MethodGet && !strings.HasSuffix(parsed.Path, "/v1/replay") {
			paid++
		}
	}
	if paid != questions {
		b.Errorf("%d requests that may cost were sent, want %d: %q", paid, questions, b.requests)
	}
	if got := b.server.asked.Load(); (got > 0) != (questions > 0) {
		b.Errorf("the providers were asked %d times for %d questions", got, questions)
	}
}

// checkFits fails where the page has to be scrolled sideways, or a text is cut
// off by its box.
func (b *tab) checkFits() {
	b.Helper()
	if wide := eval[[]string](b, `(() => { const w = document.documentElement.clientWidth; if (document.documentElement.scrollWidth <= w) return [];
		return [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > w + 1 && !e.closest('.scroll, .hidden, pre')).slice(0, 5).map((e) => e.outerHTML.slice(0, 150)); })()`); len(wide) > 0 {
		b.Errorf("wider than the window:\n%s", strings.Join(wide, "\n"))
	}
	if over := eval[[]string](b, `[...document.querySelectorAll('body *')].filter((e) => e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 1 && !e.closest('.scroll, .hidden, pre, .canvas') && !e.matches('input, select, textarea') && getComputedStyle(e.closest('thead') ?? e).position !== 'absolute')
		.slice(0, 5).map((e) => e.outerHTML.slice(0, 150))`); len(over) > 0 {
		b.Errorf("wider than the box around it:\n%s", strings.Join(over, "\n"))
	}
}

// shoot writes a picture of the whole page into the folder that
// PAGE_SCREENSHOTS names.
func (b *tab) shoot(name string) {
	b.Helper()
	folder := os.Getenv("PAGE_SCREENSHOTS")
	if folder == "" {
		return
	}
	yes := true
	size := call(b, page.GetLayoutMetrics, cdp.Empty{}).CSSContentSize
	picture := call(b, page.CaptureScreenshot, page.CaptureScreenshotParams{CaptureBeyondViewport: &yes,
		Clip: &page.Viewport{Width: size.Width, Height: min(size.Height, 6000), Scale: 1}}).Data
	if err := os.MkdirAll(folder, 0o755); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o644); err != nil {
		b.Fatal(err)
	}
}
