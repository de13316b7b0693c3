package simulator

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestDeterministic: the same questions get the same bytes, in whatever order the providers
// are asked.
func TestDeterministic(t *testing.T) {
	run := func(providers []string) map[string]string {
		s := New(Options{Seed: 7})
		bodies := make(map[string]string)
		for range 2 {
			for _, provider := range providers {
				w := ask(t, s, provider, overbought)
				bodies[provider] += w.Body.String() + fmt.Sprint(w.Header())
			}
		}
		return bodies
	}
	first := run(Providers)
	if diff := cmp.Diff(first, run([]string{Grok, Gemini, OpenAI, Anthropic})); diff != "" {
		t.Errorf("two servers differ:\n%s", diff)
	}
}

// TestDisagreement: the rules disagree about ordinary data.
func TestDisagreement(t *testing.T) {
	s := New(Options{})
	decisions := make(map[string]bool)
	for _, provider := range Providers {
		decisions[string(voteOf(t, provider, ask(t, s, provider, overbought).Body.Bytes()).Decision)] = true
	}
	if len(decisions) < 2 {
		t.Errorf("all say %v", decisions)
	}
}

// TestConcurrent asks all providers at once. The counts and ids of every provider are right.
func TestConcurrent(t *testing.T) {
	const each = 20
	s, client := start(t, Options{Keep: 4 * each})
	var wg sync.WaitGroup
	for _, provider := range Providers {
		for range each {
			r := newQuestion(t, provider, s.BaseURL(provider), overbought)
			wg.Go(func() {
				if status, body, err := fetch(client, r); status != 200 || err != nil {
					t.Errorf("%s: %d %s %v", provider, status, body, err)
				}
			})
		}
	}
	wg.Wait()
	want := map[string]int{Anthropic: each, OpenAI: each, Gemini: each, Grok: each}
	if diff := cmp.Diff(want, s.Requests()); diff != "" {
		t.Errorf("Requests (-want +got):\n%s", diff)
	}
	numbers := make(map[string]bool)
	for _, r := range s.Recorded() {
		numbers[fmt.Sprint(r.Provider, r.Number)] = true
	}
	if len(numbers) != 4*each {
		t.Errorf("%d distinct requests recorded, want %d", len(numbers), 4*each)
	}
}

// TestRecorded: the last requests are recorded, without a key.
func TestRecorded(t *testing.T) {
	s := New(Options{Keep: 2, Faults: map[string][]Fault{Gemini: {OK, OK, "overloaded"}}})
	for range 3 {
		ask(t, s, Gemini, overbought)
	}
	got := s.Recorded()
	if len(got) != 2 || got[0].Number != 2 || got[1].Number != 3 {
		t.Fatalf("recorded %+v, want requests 2 and 3", got)
	}
	last := got[1]
	if !strings.Contains(string(last.Body), "responseJsonSchema") {
		t.Errorf("the body is not kept: %s", last.Body)
	}
	if strings.Contains(fmt.Sprintf("%+v %s", got, last.Body), testKey) {
		t.Error("a key is kept")
	}
	last.Body = nil
	want := Request{Gemini, 3, "POST", "/gemini/v1beta/models/gemini-3.8-flash:generateContent", []string{"Content-Type", "X-Goog-Api-Key"}, nil, "overloaded"}
	if diff := cmp.Diff(want, last); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestLatency: the latency depends on the seed, the provider and the request.
func TestLatency(t *testing.T) {
	const base = 400 * time.Millisecond
	measure := func(seed uint64) (took [4]time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			s := New(Options{Seed: seed, Latency: base})
			for i, provider := range Providers {
				begin := time.Now()
				ask(t, s, provider, overbought)
				took[i] = time.Since(begin)
			}
		})
		return took
	}
	first := measure(1)
	for i, d := range first {
		if d < base*3/8 || d > base*15/8 {
			t.Errorf("%s took %v, want 0.37 to 1.88 times %v", Providers[i], d, base)
		}
	}
	if again := measure(1); again != first {
		t.Errorf("the same seed took %v and then %v", first, again)
	}
	if other := measure(2); other == first {
		t.Errorf("another seed took the same: %v", other)
	}
}

// TestCloseEndsHanging: Close does not wait for a client to give up, and leaves
// no goroutine (TestMain looks).
func TestCloseEndsHanging(t *testing.T) {
	s, err := Start(Options{Latency: time.Hour, Faults: map[string][]Fault{Grok: {"hang"}}})
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	var wg sync.WaitGroup
	for _, provider := range []string{Grok, OpenAI} { // one hangs, the other one thinks for long
		r := newQuestion(t, provider, s.BaseURL(provider), overbought)
		wg.Go(func() {
			if status, _, err := fetch(&http.Client{Transport: transport}, r); err == nil {
				t.Errorf("%s answered %d", provider, status)
			}
		})
	}
	for s.Requests()[Grok] == 0 || s.Requests()[OpenAI] == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
}

func TestStart(t *testing.T) {
	s, client := start(t, Options{})
	if _, err := Start(Options{Addr: s.Addr()}); err == nil || !strings.Contains(err.Error(), s.Addr()) {
		t.Errorf("a taken address: %v, want an error that names it", err)
	}
	if _, err := Start(Options{Faults: map[string][]Fault{Grok: {"explode"}}}); err == nil || !strings.Contains(err.Error(), "explode") {
		t.Errorf("an unknown fault: %v, want an error that names it", err)
	}
	for _, line := range s.Env() {
		name, value, _ := strings.Cut(line, "=")
		if base, ok := strings.CutSuffix(name, "_BASE_URL"); ok {
			provider := strings.ToLower(base)
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, value+formats[provider].models, nil)
			if err != nil {
				t.Fatal(err)
			}
			authorize(r, provider)
			if status, body, err := fetch(client, r); status != 200 || err != nil {
				t.Errorf("%s: %d %s %v", line, status, body, err)
			}
		}
	}
	everywhere, err := Start(Options{Addr: ":0"})
	if err != nil {
		t.Fatal(err)
	}
	defer everywhere.Close()
	if base := everywhere.BaseURL(Grok); !strings.HasPrefix(base, "http://127.0.0.1:") {
		t.Errorf("a server at every address is at %s, where no key may go", base)
	}
	if got := len(s.Env()); got != 12 {
		t.Errorf("Env has %d lines, want URL, key and switch of four providers", got)
	}
}

func TestNewPanicsOnUnknownFault(t *testing.T) {
	defer func() {
		if got := fmt.Sprint(recover()); !strings.Contains(got, "explode") {
			t.Errorf("panic %q, want one that names the fault", got)
		}
	}()
	New(Options{Faults: map[string][]Fault{Grok: {"explode"}}})
}

func BenchmarkInstantAnswer(b *testing.B) {
	s, err := Start(Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	path, body := questionTo(b, OpenAI, overbought)
	data := string(encode(body))
	for b.Loop() {
		r, _ := http.NewRequest(http.MethodPost, s.BaseURL(OpenAI)+path, strings.NewReader(data))
		authorize(r, OpenAI)
		answer, err := client.Do(r)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
	}
}

// TestEach: the fault of a request is chosen when it arrives, and what was sent is reported.
func TestEach(t *testing.T) {
	type sent struct {
		status int
		body   string
		whole  bool
	}
	for name, tt := range map[string]struct {
		fault  Fault
		status int
		whole  bool
		begun  bool // there is something of a body
	}{
		"answered": {OK, 200, true, true},
		"refused":  {"server_error", 500, true, true},
		"empty":    {"empty_body", 200, true, false},
		"cut":      {"cut_body", 200, false, true},
		"reset":    {"reset", 0, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			told := make(chan sent, 1)
			s, client := start(t, Options{Each: func(provider string, body []byte) (Fault, func(int, []byte, bool)) {
				if provider != Grok || !strings.Contains(string(body), "BTC/USDT") {
					t.Errorf("it is asked about %s: %s", provider, body)
				}
				return tt.fault, func(status int, body []byte, whole bool) { told <- sent{status, string(body), whole} }
			}})
			_, body, err := fetch(client, newQuestion(t, Grok, s.BaseURL(Grok), overbought))
			got := <-told
			if got.status != tt.status || got.whole != tt.whole || (got.body != "") != tt.begun || (err == nil) != tt.whole {
				t.Errorf("it is told %+v, and the client has %v", got, err)
			}
			if tt.whole && got.body != string(body) {
				t.Errorf("it is told %q, and the client has %q", got.body, body)
			}
			if fault := s.Recorded()[0].Fault; fault != string(tt.fault) {
				t.Errorf("the fault %s is recorded, want %s", fault, tt.fault)
			}
		})
	}
}
