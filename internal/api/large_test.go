package api_test

// The memory that a large question needs, from the socket of the request to the sockets of
// the providers.

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// largeBody is the size of the questions here, in bytes.
const largeBody = 120 << 10

// largeQuestions are valid questions of that size: one of a bot that sends all its data, and
// one of many short numbers, which needs the most memory.
func largeQuestions() map[string]string {
	numbers := func(number string, count int) string {
		return "[" + strings.TrimSuffix(strings.Repeat(number+",", count), ",") + "]"
	}
	candles := make([]string, 500)
	first := time.Now().UTC().Truncate(5 * time.Minute).Add(-500 * 5 * time.Minute)
	for i := range candles {
		candles[i] = fmt.Sprintf(`{"time":%q,"open":50000.12,"high":50010.5,"low":49990.25,"close":50001.75,"volume":1234.5678}`, first.Add(time.Duration(i)*5*time.Minute).Format(time.RFC3339))
	}
	usual := []string{`"recent_candles":[` + strings.Join(candles, ",") + `]`}
	for size := len(usual[0]); size < largeBody-5000; {
		usual = append(usual, fmt.Sprintf(`"closes_%d":%s`, len(usual), numbers("50000.12", 500)))
		size += len(usual[len(usual)-1])
	}
	var short []string
	for i := range 63 {
		short = append(short, fmt.Sprintf(`"closes_%d":%s`, i, numbers("123", 480)))
	}
	questions := map[string]string{"candles and lists": strings.Join(usual, ","), "short numbers": strings.Join(short, ",")}
	for name, data := range questions {
		body := `{"pair":"BTC/USDT","timeframe":"5m","current_price":50000,"market_data":{` + data + `}}`
		questions[name] = body + strings.Repeat(" ", max(0, largeBody-len(body)))
	}
	return questions
}

// models give the same answer to every question, and store nothing.
type models struct {
	*httptest.Server
	asked chan struct{} // gets one of each question, where it is not nil
	gate  chan struct{} // where it is not nil, answers wait until it is closed
}

func newModels(t testing.TB) *models {
	m := &models{}
	answers := map[string][]byte{}
	for name, folder := range map[string]string{"anthropic": "anthropic", "openai": "openai", "gemini": "gemini", "grok": "openai"} {
		answer, err := os.ReadFile(filepath.Join("..", "provider", folder, "testdata", "answer.json"))
		if err != nil {
			t.Fatal(err)
		}
		answers[name] = answer
	}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if m.gate != nil {
			m.asked <- struct{}{}
			<-m.gate
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answers[name])
	}))
	t.Cleanup(m.Close)
	return m
}

func (m *models) baseURL(name string) string { return m.URL + "/" + name }

// live is the memory in use on the heap.
func live() int64 {
	runtime.GC()
	runtime.GC() // what pools held is gone by the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// heldByARun gives the memory that a run uses while its models are thinking. It includes that
// of the test's own client and models, which is less than 100 KB.
func heldByARun(t testing.TB, body string) int64 {
	const runs = 32
	m := newModels(t)
	m.asked, m.gate = make(chan struct{}, runs*4), make(chan struct{})
	f := newServer(t, setup{baseURL: m.baseURL})
	before := live()
	answers := make(chan string, runs) // what is wrong with each; empty: nothing
	for range runs {
		go func() {
			response, err := f.Client().Post(f.URL+"/v1/consensus", "application/json", strings.NewReader(body))
			if err != nil {
				answers <- err.Error()
				return
			}
			defer func() { _ = response.Body.Close() }()
			answer, _ := io.ReadAll(response.Body)
			if response.StatusCode == http.StatusOK {
				answer = nil
			}
			answers <- string(answer)
		}()
	}
	for range runs * 4 {
		select {
		case <-m.asked:
		case answer := <-answers:
			close(m.gate)
			t.Fatalf("answered before the models were: %s", answer)
		}
	}
	held := (live() - before) / runs
	close(m.gate)
	for range runs {
		if wrong := <-answers; wrong != "" {
			t.Error(wrong)
		}
	}
	return held
}

// The memory of a run limits how many there may be at once.
func TestLargeQuestionsHoldLittleMemory(t *testing.T) {
	const most = 2_000_000
	for name, body := range largeQuestions() {
		t.Run(name, func(t *testing.T) {
			if held := heldByARun(t, body); held > most {
				t.Errorf("a run of a question of %d bytes holds %d bytes, want at most %d", len(body), held, most)
			} else {
				t.Logf("a run of a question of %d bytes holds %d bytes", len(body), held)
			}
		})
	}
}

// BenchmarkLargeQuestion asks four models over real HTTP. B/op is all memory that is allocated
// for a run, and live-B the memory in use while its models are thinking. Both include about
// 50 KB of the benchmark's own client and models.
func BenchmarkLargeQuestion(b *testing.B) {
	for name, body := range largeQuestions() {
		b.Run(strings.ReplaceAll(name, " ", "_"), func(b *testing.B) {
			f := newServer(b, setup{baseURL: newModels(b).baseURL})
			b.ReportAllocs()
			for b.Loop() {
				f.post(b, "/v1/consensus", body).want(b, 200)
			}
			b.ReportMetric(float64(heldByARun(b, body)), "live-B")
		})
	}
}
