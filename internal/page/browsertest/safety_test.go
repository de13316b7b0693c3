package browsertest

// What must never happen: text that runs, a key that leaks, a question that
// nobody asked.

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

func TestHostileTextStaysText(t *testing.T) {
	t.Parallel()
	s := newServer(t, state{})
	for hash, ready := range map[string]string{
		"#/decision/" + s.world.named["hostile"]: ".vote",
		"#/now":                                  ".now tbody tr",
		"#/history?pair=" + strings.ReplaceAll(hostile, " ", "%20") + "&timeframe=1d": "main h1",
	} {
		b := open(t, s, desk, hash, ready)
		if got := eval[bool](b, "window.planted === undefined && document.querySelectorAll('main img, main script').length === 0"); !got {
			t.Errorf("%s: hostile text became markup or ran", hash)
		}
		b.checkQuiet(0)
	}
	b := open(t, s, desk, "#/decision/"+s.world.named["hostile"], ".vote")
	if got := b.text(".votes"); !strings.Contains(got, hostile) {
		t.Errorf("the reasoning is not shown as it was written: %.200s", got)
	}
	// All 4,000 characters can be read.
	b.click(".reasoning button")
	if got := eval[int](b, "[...document.querySelector('.reasoning .prose').textContent].length"); got != 4000 {
		t.Errorf("%d characters of the reasoning are shown, want 4000", got)
	}
}

func TestPolicyBlocksPlantedScripts(t *testing.T) {
	t.Parallel()
	b := open(t, newServer(t, state{}), desk, "#/now", ".now tbody tr")
	blocked := eval[int](b, `new Promise((done) => {
		let blocked = 0;
		document.addEventListener('securitypolicyviolation', () => { blocked++; if (blocked === 3) done(blocked); });
		const add = (name, more) => document.body.append(Object.assign(document.createElement(name), more));
		add('script', {textContent: 'window.planted = 1'});
		add('style', {textContent: 'body { display: none }'});
		add('img', {src: location.origin.replace('127.0.0.1', 'localhost') + '/x.png'});
	})`)
	if blocked != 3 || !eval[bool](b, "window.planted === undefined && getComputedStyle(document.body).display !== 'none'") {
		t.Errorf("%d of 3 planted things were blocked", blocked)
	}
}

func TestKey(t *testing.T) {
	t.Parallel()
	s := newServer(t, state{key: true})
	b := open(t, s, desk, "#/now", ".key")
	b.set("#key", "wrong-test-key")
	b.click(".key button")
	b.until("document.querySelector('.key .note.bad') !== null")
	b.set("#key", testKey)
	b.click(".key button")
	b.wait(".now tbody tr")
	b.until("document.querySelector('.budget') !== null")
	eval[string](b, "location.hash = "+quote("#/decision/"+s.world.named["held"]))
	b.wait(".curl")
	b.wait(".chart canvas")
	eval[bool](b, "(document.querySelectorAll('details').forEach((d) => { d.open = true; }), true)")
	if got := eval[string](b, "document.documentElement.outerHTML + location.href + JSON.stringify(localStorage) + document.cookie"); strings.Contains(got, testKey) {
		t.Error("the key is in the page, the address, the local storage or a cookie")
	}
	if got := b.text(".curl"); !strings.Contains(got, "$THALAS_API_KEY") {
		t.Errorf("the curl line does not say where the key goes: %s", got)
	}
	if got := eval[string](b, "sessionStorage.getItem('thalas-key')"); got != testKey {
		t.Error("the key is not kept for this tab")
	}
	b.checkQuiet(0)
}

const candlesCSV = "time,open,high,low,close,volume\n2026-11-23T03:00:00Z,100,102,99,101,5\n2026-11-23T04:00:00Z,101,103,100,102.5,\n"

// fill writes a question into the form.
func fill(b *tab) {
	b.Helper()
	file := filepath.Join(b.TempDir(), "candles.csv")
	if err := os.WriteFile(file, []byte(candlesCSV), 0o600); err != nil {
		b.Fatal(err)
	}
	b.set("#a-pair", "BTC/USDT")
	b.do(chromedp.SetUploadFiles(chromedp.CSS("#a-file"), []string{file}))
	b.until("document.querySelector('#a-price').value === '102.5'") // the newest close
}

func TestAsk(t *testing.T) {
	t.Parallel()
	s := newServer(t, state{})
	b := open(t, s, desk, "#/ask", ".ask button:not(:disabled)")
	if got := b.text(".ask .primary"); !strings.HasPrefix(got, "Ask 4 models (paid, about $0.0") {
		t.Errorf("the button does not say what it costs: %q", got)
	}
	fill(b)
	b.do(chromedp.Focus(chromedp.CSS("#a-price")), chromedp.KeyEvent(kb.Enter)) // Enter in a field asks nobody
	b.checkQuiet(0)
	b.click(".ask .primary")
	b.wait("#answer")
	b.shoot("ask-answer-desk")
	b.checkAxe()
	b.checkQuiet(1)
}

func TestAskWithoutAnswer(t *testing.T) {
	t.Parallel()
	s := newServer(t, state{refuse: true})
	b := open(t, s, desk, "#/ask", ".ask button:not(:disabled)")
	fill(b)
	for range 2 { // the same question again is paid for once
		b.click(".ask .primary")
		b.until("document.querySelector('main > .note.bad') !== null && !document.querySelector('.ask .primary').disabled")
	}
	if got := b.text("main > .note.bad"); !strings.Contains(got, hostile) || !strings.Contains(got, "grok (timeout)") {
		t.Errorf("the failures are not told: %s", got)
	}
	b.shoot("ask-failed-desk")
	b.checkAxe()
	b.set("#a-price", "103")
	b.click(".ask .primary")
	b.until("document.querySelector('main > .note.bad') !== null && !document.querySelector('.ask .primary').disabled")
	b.checkQuiet(3)
	b.mu.Lock()
	defer b.mu.Unlock()
	if k := b.keys; len(k) != 3 || k[0] != k[1] || k[1] == k[2] {
		t.Errorf("got the idempotency keys %q, want the first two alike and the third another", k)
	}
}
