package api_test

// Generated bad requests. Each is refused in a documented way that names the place, and
// afterwards the server works as before.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// badRequest is a request with the status and the place that its refusal must have.
type badRequest struct {
	name, method, path, contentType string
	body                            []byte
	status                          int
	place                           string // a location that is named; empty: none has to be
}

// documentedStatuses are the client errors of the contract.
var documentedStatuses = []int{400, 404, 405, 413, 415, 422}

// badRequests makes requests that depend only on the seed.
func badRequests(seed uint64) []badRequest {
	random := rand.New(rand.NewPCG(seed, 0))
	var all []badRequest
	post := func(name, body string, status int, place string) {
		all = append(all, badRequest{name, http.MethodPost, "/v1/consensus", "application/json", []byte(body), status, place})
	}
	number := func() string {
		return []string{"-1", "-0.5", "1e400", "-1e308", "1e-400", fmt.Sprint(-random.IntN(1e9) - 1), fmt.Sprintf("-%d.%de%d", random.IntN(100)+1, random.IntN(100), random.IntN(300))}[random.IntN(7)]
	}
	wrongType := map[string][]string{
		"pair": {"1", "true", "[]", "{}", `"?"`, `"` + strings.Repeat("A", 70) + `"`, `"\u0000"`}, "timeframe": {"5", "[]", `"5 m"`, `"1M"`, `"eternity"`, "false"},
		"current_price": {`"1"`, "true", "[1]", "{}", "0", "null", "-0"}, "market_data": {"1", `"rsi"`, "[]", "null", "{}", "true"},
		"provider_weights": {"1", "[]", `"all"`, `{"openai":true}`, `{"openai":[]}`}, "min_providers": {"0", `"1"`, "1.5", "99", "[]", "1e99"},
		"min_confidence": {`"0.5"`, "1.5", "[]", "true"}, "min_agreement": {`"0.5"`, "2", "{}", "true"},
		"timeout_seconds": {`"1s"`, "0", "31", "[]", "1e300"}, "wait": {"1", `"any"`, "[]", "false", `""`},
	}
	fields := []string{"pair", "timeframe", "current_price", "market_data", "provider_weights", "min_providers", "min_confidence", "min_agreement", "timeout_seconds", "wait"}
	for _, field := range fields {
		for _, value := range wrongType[field] {
			place := "body." + field
			if strings.Contains(value, "openai") {
				place += ".openai"
			}
			post("wrong type", edited(field, value), 422, place)
		}
	}
	for _, field := range []string{"current_price", "min_providers", "min_confidence", "min_agreement", "timeout_seconds"} {
		for range 6 {
			post("number", edited(field, number()), 422, "body."+field)
		}
	}
	for i := range 20 {
		name := string(rune('a'+random.IntN(26))) + fields[random.IntN(len(fields))][1:] + fmt.Sprint(i)
		post("unknown name", edited(name, "1"), 422, "body."+name)
		post("unknown provider", edited("provider_weights", fmt.Sprintf(`{"%s":1}`, name)), 422, "body.provider_weights."+name)
		post("unknown place", edited("market_data", fmt.Sprintf(`{"%s":{"deep":1}}`, name)), 422, "body.market_data."+name)
	}
	for _, word := range []string{"NaN", "Infinity", "-Infinity", "nan", "-inf", "INF"} {
		for _, field := range []string{"current_price", "min_confidence"} {
			post("NaN", rawEdit(field, word), 400, "body."+field)
		}
		post("NaN", rawEdit("market_data", `{"note":"NaN \" is text","rsi":`+word+`}`), 400, "body.market_data.rsi")
		post("NaN", rawEdit("market_data", `{"closes":[1,2,`+word+`]}`), 400, "body.market_data.closes[2]")
		post("NaN", rawEdit("market_data", `{"recent_candles":[{"open":1},{"open":1,"close":`+word+`}]}`), 400, "body.market_data.recent_candles[1].close")
	}
	for range 40 { // good JSON with one byte gone, or one too many
		at := random.IntN(len(goodBody))
		broken := goodBody[:at] + goodBody[at+1:]
		if random.IntN(2) == 0 {
			broken = goodBody[:at] + string("{}[]\",:x\x00\x7f"[random.IntN(10)]) + goodBody[at:]
		}
		if !json.Valid([]byte(broken)) {
			post("broken", broken, 400, "body")
		}
	}
	for _, depth := range []int{40, 1000, 10_000, 100_000} {
		post("nested lists", edited("market_data", `{"x":1}`)[:1]+`"market_data":{"x":`+strings.Repeat("[", depth)+strings.Repeat("]", depth)+`}}`, 400, "body")
		if depth <= 10_000 {
			post("nested objects", strings.Repeat(`{"market_data":`, depth)+"1"+strings.Repeat("}", depth), 400, "body")
		}
	}
	for _, body := range []string{"", " \n", "null", "1", `"text"`, "[]", "[" + goodBody + "]", "true", goodBody + goodBody, goodBody + "x", "{", "\ufeff", "\ufeff\ufeff" + goodBody, goodBody + "\ufeff", "pair=BTC/USDT"} {
		status := 400
		if json.Valid([]byte(body)) {
			status = 422
		}
		post("no object", body, status, "body")
	}
	for _, bytes := range []string{"\xff", "\xc3\x28", "\xed\xa0\x80", "\xf8\x88\x80\x80\x80"} {
		post("invalid UTF-8", edited("pair", `"BTC`+"\\u0041"+`"`)[:20]+bytes+goodBody, 400, "body")
		post("invalid UTF-8", strings.Replace(goodBody, "BTC", bytes, 1), 400, "body")
	}
	for _, size := range []int{256<<10 + 1, 1 << 20, 5 << 20} {
		post("too large", edited("pair", `"`+strings.Repeat("A", size)+`"`), 413, "")
	}
	for _, contentType := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml", "application/json; charset=latin1", "json", "application/cbor", ";"} {
		all = append(all, badRequest{"content type", http.MethodPost, "/v1/consensus", contentType, []byte(goodBody), 415, ""})
	}
	for _, method := range []string{"PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"} {
		for _, path := range []string{"/v1/consensus", "/v1/consensus/latest", "/v1/health", "/v1/metrics", "/openapi.json"} {
			all = append(all, badRequest{"method", method, path, "", nil, 405, ""})
		}
	}
	for _, path := range []string{"/", "/v1", "/v2/consensus", "/v1/consensus/" + strings.Repeat("a", 200), "/v1/consensus/..%2f..%2fetc", "/v1/consensus/00000000-0000-0000-0000-000000000000", "/v1//consensus", "/v1/./health", "/docs/x", "/%00"} {
		all = append(all, badRequest{"path", http.MethodGet, path, "", nil, 404, ""})
	}
	return all
}

// rawEdit sets a field to a text that may not be JSON.
func rawEdit(field, value string) string {
	return edited(field, "")[:1] + `"` + field + `":` + value + "," + edited(field, "")[1:]
}

func TestBadRequests(t *testing.T) {
	f := newServer(t, setup{})
	before := scrubbed(t, f.post(t, "/v1/consensus", goodBody).want(t, 200).body)
	asked := f.simulator.Requests()["openai"]
	requests := badRequests(7)
	if len(requests) < 200 {
		t.Fatalf("%d requests, want at least 200", len(requests))
	}
	for i, bad := range requests {
		t.Run(fmt.Sprintf("%03d %s", i, bad.name), func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), bad.method, f.URL+bad.path, bytes.NewReader(bad.body))
			if err != nil {
				t.Fatal(err)
			}
			if bad.contentType != "" {
				request.Header.Set("Content-Type", bad.contentType)
			}
			r := f.do(t, request)
			shown := bad.body[:min(len(bad.body), 300)]
			if r.status != bad.status || !slices.Contains(documentedStatuses, r.status) {
				t.Fatalf("%s %s %s: status %d, want %d\n%s", bad.method, bad.path, shown, r.status, bad.status, r.body)
			}
			var p problem
			r.into(t, &p)
			if p.Status != r.status || p.Detail == "" || p.RequestID == "" || r.header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s: not a whole problem: %s", shown, r.body)
			}
			if bad.place != "" && !slices.Contains(p.locations(), bad.place) {
				t.Errorf("%s: places %v, want %s", shown, p.locations(), bad.place)
			}
			if bad.name == "NaN" && !strings.Contains(p.Detail, "JSON has no NaN: send null or leave the key out") {
				t.Errorf("detail %q does not say what to do about NaN", p.Detail)
			}
			if bad.status == 405 && r.header.Get("Allow") == "" {
				t.Error("405 without Allow")
			}
			if len(r.body) > 8<<10 {
				t.Errorf("the refusal has %d bytes", len(r.body))
			}
		})
	}
	if got := f.simulator.Requests()["openai"]; got != asked {
		t.Errorf("%d requests reached a provider", got-asked)
	}
	if after := scrubbed(t, f.post(t, "/v1/consensus", goodBody).want(t, 200).body); string(after) != string(before) {
		t.Errorf("a good request is answered otherwise than before:\n%s\nbefore:\n%s", after, before)
	}
	if got := f.get(t, "/v1/health").want(t, 200).object(t)["status"]; got != "healthy" {
		t.Errorf("health is %v", got)
	}
}

// TestBadRequestsOnCompat sends the bodies to the compatibility route, whose
// refusals have other statuses and the original's shape.
func TestBadRequestsOnCompat(t *testing.T) {
	f := newServer(t, setup{})
	for i, bad := range badRequests(7) {
		if bad.method != http.MethodPost {
			continue
		}
		switch bad.name { // are ignored there, or may be a question
		case "unknown name", "unknown provider", "wrong type", "number":
			continue
		}
		t.Run(fmt.Sprintf("%03d %s", i, bad.name), func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), bad.method, f.URL+compatPath, bytes.NewReader(bad.body))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", bad.contentType)
			r := f.do(t, request)
			want := bad.status
			if want == 422 {
				want = 400
			}
			r.want(t, want)
			var e struct {
				Error, Detail string
				Details       map[string][]string
			}
			r.into(t, &e)
			if e.Error == "" || (e.Detail == "") == (e.Details == nil) || (want == 400) != (e.Error == "Invalid request data" && len(e.Details) > 0) {
				t.Errorf("shape: %s", r.body)
			}
		})
	}
	f.post(t, compatPath, goodBody).want(t, 200)
}
