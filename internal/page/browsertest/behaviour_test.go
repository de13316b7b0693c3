package browsertest

// What the page does: it follows the newest decision, decides anew, can be used
// by the keyboard alone, and its tables say what its charts show.

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"thalas/internal/signal"
)

func TestNewDecision(t *testing.T) {
	t.Parallel()
	s := newServer(t, state{})
	// Timers of one to 17 seconds are counted: the page polls by one.
	b := open(t, s, desk, "#/now", ".now tbody tr", `(() => { const set = window.setTimeout, clear = window.clearTimeout; window.timers = new Set();
		window.setTimeout = (f, ms, ...more) => { const id = set(() => { timers.delete(id); f(...more); }, ms); if (ms >= 1000 && ms < 17000) timers.add(id); return id; };
		window.clearTimeout = (id) => { timers.delete(id); clear(id); }; })()`)
	before := eval[string](b, "document.title")
	hide := func(hidden bool) {
		eval[bool](b, fmt.Sprintf("(Object.defineProperty(document, 'hidden', {value: %v, configurable: true}), document.dispatchEvent(new Event('visibilitychange')))", hidden))
	}
	b.until("timers.size === 1")
	hide(true)
	b.until("timers.size === 0")
	s.decideAnew(t, s.world.all[0])
	b.mu.Lock()
	same := b.same
	b.mu.Unlock()
	hide(false)
	b.until("document.querySelector('[aria-live]').innerText !== ''")
	if got := b.text("[aria-live]"); !strings.HasPrefix(got, "BTC/USDT, 1h: ") || !strings.Contains(got, "confidence 0.") {
		t.Errorf("the sentence for screen readers is %q", got)
	}
	if got := eval[string](b, "document.title"); got == before || !strings.Contains(got, "BTC/USDT 1h") {
		t.Errorf("the title was %q and is %q, want the newest decision", before, got)
	}
	b.mu.Lock()
	defer func() { b.checkQuiet(0) }()
	defer b.mu.Unlock()
	if b.same == same {
		t.Error("nothing was asked with the ETag of before")
	}
}

func TestConnectionIsLost(t *testing.T) {
	t.Parallel()
	s := newServer(t, state{})
	b := open(t, s, desk, "#/now", ".now tbody tr")
	s.Server.CloseClientConnections()
	s.Server.Listener.Close()
	eval[bool](b, "document.dispatchEvent(new Event('visibilitychange'))")
	b.wait("main .note.bad")
	if got := b.text("main .note.bad"); !strings.Contains(got, "does not answer") || !strings.Contains(got, "What you see below is from") {
		t.Errorf("the page says %q, want that what is shown is old", got)
	}
	b.wait(".now tbody tr")
	b.shoot("now-lost-desk")
	b.checkAxe()
}

func TestWhatIf(t *testing.T) {
	t.Parallel()
	s := newServer(t, state{})
	id := s.world.named["held"]
	b := open(t, s, desk, "#/decision/"+id, ".chart canvas")
	if got := b.text(".facts"); !strings.Contains(got, "Held. Confidence") {
		t.Errorf("the facts are %q, want that a gate held it", got)
	}
	b.set("#min_confidence", "0.1")
	b.until("document.querySelector('.then .say') !== null")
	if got := b.text(".then"); !strings.HasPrefix(got, "It becomes ▲ BUY") {
		t.Errorf("without the gate: %q, want a BUY", got)
	}
	b.shoot("decision-whatif-desk")
	b.checkAxe()
	for _, v := range models {
		b.set("#w-"+v.provider, "0")
	}
	b.until("document.querySelector('.then').innerText.includes('HOLD (no vote has any weight)')")
	b.click("[aria-labelledby=whatif] > button")
	b.until("document.querySelector('.then').innerText.includes('Move a slider')")
	b.checkQuiet(0)
}

// Every control is reached by Tab, in the order of the page, and shows it.
func TestKeyboard(t *testing.T) {
	t.Parallel()
	ids := usual(t).named
	tests := []struct{ hash, ready string }{
		{"#/now", ".now tbody tr"}, {"#/decision/" + ids["settled"], ".chart canvas"}, {"#/history", ".history tbody tr"},
		{"#/scores", ".board"}, {"#/cost", ".cost tbody tr"}, {"#/ask", ".ask button:not(:disabled)"},
	}
	for _, tt := range tests {
		t.Run(tt.hash[:5], func(t *testing.T) {
			b := open(t, newServer(t, state{}), desk, tt.hash, tt.ready)
			want := eval[[]string](b, `[...document.querySelectorAll('a[href], button:not(:disabled), input, select, textarea, summary, [tabindex="0"]')]
				.filter((e) => e.checkVisibility() && (e.type !== 'radio' || e.checked)).map((e, i) => (e.dataset.stop = String(i)))`)
			var got []string
			for range len(want) * 4 { // a date has several stops
				b.do(chromedp.KeyEvent(kb.Tab))
				at := eval[string](b, `(() => { const e = document.activeElement; if (!e || e === document.body) return 'out';
					const s = getComputedStyle(e), r = e.getBoundingClientRect();
					return ((e.type !== 'date' && s.outlineStyle === 'none') || r.width === 0 || r.bottom < 0 ? 'unseen ' + e.outerHTML.slice(0, 80) : e.dataset.stop) ?? 'unknown ' + e.outerHTML.slice(0, 80); })()`)
				if at == "out" {
					break
				}
				if len(got) == 0 || got[len(got)-1] != at {
					got = append(got, at)
				}
				if len(got) == len(want) {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("Tab reaches %v, want %v", got, want)
			}
		})
	}
	b := open(t, newServer(t, state{}), desk, "#/now", ".now tbody tr")
	b.do(chromedp.KeyEvent(kb.Tab))
	if got := b.text(":focus"); got != "Skip to the content" {
		t.Errorf("the first stop is %q", got)
	}
	b.do(chromedp.KeyEvent(kb.Enter))
	if got := eval[string](b, "document.activeElement.tagName"); got != "H1" {
		t.Errorf("skipping leads to %s, want the heading", got)
	}
}

// rows reads the table of a chart.
func rows(b *tab, caption string) [][]string {
	b.Helper()
	return eval[[][]string](b, `[...document.querySelectorAll('.values table')].find((t) => t.caption.textContent === `+quote(caption)+`)
		.tBodies[0].rows.length && [...[...document.querySelectorAll('.values table')].find((t) => t.caption.textContent === `+quote(caption)+`).tBodies[0].rows].map((r) => [...r.cells].map((c) => c.textContent))`)
}

func TestTablesEqualCharts(t *testing.T) {
	t.Parallel()
	s := newServer(t, state{})
	var twelve struct {
		signal.Consensus
		MarketData signal.MarketData `json:"market_data"`
	}
	s.read(t, "/v1/consensus/"+s.world.named["twelve"]+"?include=market_data", &twelve)
	b := open(t, s, desk, "#/decision/"+twelve.ID, ".chart canvas")
	// The bars of the votes are as long as their shares.
	bars := eval[[]float64](b, "[...document.querySelectorAll('.vote .worth > div:first-child .bar i')].map((i) => 100 * i.getBoundingClientRect().width / i.parentNode.getBoundingClientRect().width)")
	table := rows(b, "Votes")
	if len(table) != 12 || len(bars) != 12 {
		t.Fatalf("got %d rows and %d bars, want 12", len(table), len(bars))
	}
	for i, row := range table {
		var share float64
		if _, err := fmt.Sscanf(row[5], "%f", &share); err != nil || math.Abs(share-bars[i]) > .7 {
			t.Errorf("%s: the bar shows %.1f %% and the table %s", row[0], bars[i], row[5])
		}
		at := slices.IndexFunc(twelve.Explanation.Contributions, func(c signal.Contribution) bool { return c.Provider == row[0] })
		if want := 100 * twelve.Explanation.Contributions[at].Share; math.Abs(share-want) > .051 {
			t.Errorf("%s: the table has %s, the result %.3f %%", row[0], row[5], want)
		}
	}
	// The candles of the table are those that the models saw.
	candles := rows(b, "Candles")
	if len(candles) != len(twelve.MarketData.Candles) {
		t.Fatalf("the table has %d candles, want %d", len(candles), len(twelve.MarketData.Candles))
	}
	for i, row := range candles {
		c := twelve.MarketData.Candles[len(candles)-1-i]
		if want := []string{c.Time.Format("02 Jan 15:04") + " UTC", c.Open.String(), c.High.String(), c.Low.String(), c.Close.String()}; !slices.Equal(row[:5], want) {
			t.Fatalf("row %d is %v, want %v", i, row[:5], want)
		}
	}

	b = open(t, s, desk, "#/scores", ".board")
	marks := eval[[][]float64](b, "[...document.querySelectorAll('.board:first-of-type .diagrams circle')].map((c) => [(c.cx.baseVal.value - 22) / 1.5, 100 - (c.cy.baseVal.value - 6) / 1.5])")
	told := rows(b, "Reliability of 1h")
	if len(marks) == 0 || len(marks) > len(told) {
		t.Fatalf("got %d marks and %d rows", len(marks), len(told))
	}
	number := func(text string) (f float64) {
		_, _ = fmt.Sscanf(text, "%f", &f)
		return f
	}
	for _, mark := range marks {
		if !slices.ContainsFunc(told, func(row []string) bool {
			return math.Abs(number(row[2])-mark[0]) < .06 && math.Abs(number(row[3])-mark[1]) < .06
		}) {
			t.Errorf("the mark at %.2f, %.2f has no row", mark[0], mark[1])
		}
	}

	b = open(t, s, desk, "#/cost", ".cost tbody tr")
	sums := map[string]float64{}
	for _, row := range rows(b, "Days and providers") {
		sums[row[1]] += number(strings.TrimPrefix(row[6], "$"))
	}
	for _, row := range eval[[][]string](b, "[...document.querySelectorAll('.cost tbody tr:not(.first)')].map((r) => [r.cells[0].innerText, r.cells[1].innerText])") {
		if want := number(strings.TrimPrefix(row[1], "$")); math.Abs(sums[row[0]]-want) > .02*want+.005 {
			t.Errorf("%s: the days add up to %f, the row says %s", row[0], sums[row[0]], row[1])
		}
	}
	days := eval[[]float64](b, "[...document.querySelectorAll('.cost tr.first rect')].map((r) => r.height.baseVal.value)")
	if len(days) == 0 || math.Abs(slices.Max(days)-27) > .01 {
		t.Errorf("the days' bars are %v, want the highest as high as the chart", days)
	}
}

// At twice the size (a window of 1280 pixels has 640 then), with text of twice the size,
// and with the system's own colours, nothing is cut off.
func TestZoomAndForcedColors(t *testing.T) {
	t.Parallel()
	ids := usual(t).named
	forced := look{"forced", 640, 400, map[string]string{"forced-colors": "active", "prefers-color-scheme": "dark"}}
	for hash, ready := range map[string]string{"#/now": ".now tbody tr", "#/decision/" + ids["twelve"]: ".chart canvas", "#/history": ".history tbody tr", "#/scores": ".board", "#/cost": ".cost tbody tr", "#/ask": ".ask button"} {
		b := open(t, newServer(t, state{}), forced, hash, ready)
		b.shoot("forced-" + strings.Split(hash, "/")[1])
		b.checkFits()
		call(b, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: desk.width, Height: desk.height, DeviceScaleFactor: 1})
		call(b, page.SetFontSizes, page.SetFontSizesParams{FontSizes: &page.FontSizes{Standard: 32, Fixed: 26}})
		b.until("getComputedStyle(document.documentElement).fontSize === '32px'")
		b.checkFits()
		b.checkQuiet(0)
	}
}

func TestUnderAPath(t *testing.T) {
	t.Parallel()
	s := newServer(t, state{stage: true})
	for hash, ready := range map[string]string{"#/now": ".now tbody tr", "#/decision/" + s.world.named["settled"]: ".chart canvas", "#/history": ".history tbody tr", "#/scores": ".board", "#/cost": ".cost tbody tr", "#/ask": ".ask button:not(:disabled)"} {
		b := open(t, s, desk, hash, ready)
		if strings.HasPrefix(hash, "#/decision") {
			if got := b.text(".curl"); !strings.Contains(got, s.URL+stagePath+"/v1/consensus/") {
				t.Errorf("the curl line leaves the path out: %s", got)
			}
		}
		b.checkQuiet(0)
	}
}

func TestZone(t *testing.T) {
	t.Parallel()
	s := newServer(t, state{})
	b := open(t, s, desk, "#/decision/"+s.world.named["settled"], ".chart canvas")
	before := b.text(".head")
	b.click(".top button")
	b.until("document.querySelector('.top button').innerText.includes('local')")
	if after := b.text(".head"); after == before || strings.Contains(after, "UTC") {
		t.Errorf("the times are still in UTC: %s", after)
	}
	b.checkQuiet(0)
}
