package dynamo_test

// Tests of the items in the tables, written by this version and by others.

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"thalas/internal/store"
	"thalas/internal/store/dynamo"
	"thalas/internal/store/dynamo/dynamotest"
	"thalas/internal/store/storetest"
)

type attributes = map[string]types.AttributeValue

func s(value string) types.AttributeValue { return &types.AttributeValueMemberS{Value: value} }
func n(value string) types.AttributeValue { return &types.AttributeValueMemberN{Value: value} }

// resultAt makes a result that was made when its candle opened.
func resultAt(at time.Time) *store.Result {
	r := storetest.Sample(series, at, at)
	r.Decision, r.Status = "SELL", "degraded"
	return r
}

func put(t *testing.T, client *dynamodb.Client, table string, item attributes) {
	t.Helper()
	if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: item}); err != nil {
		t.Fatal(err)
	}
}

// wantItem wants an item to have exactly these attributes.
func wantItem(t *testing.T, client *dynamodb.Client, table string, key, want attributes) {
	t.Helper()
	answer, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &table, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	delete(answer.Item, "call") // differs in each call
	if d := cmp.Diff(want, answer.Item, cmpopts.IgnoreUnexported(types.AttributeValueMemberS{}, types.AttributeValueMemberN{}, types.AttributeValueMemberBOOL{})); d != "" {
		t.Errorf("item (-want +got):\n%s", d)
	}
}

func TestItems(t *testing.T) {
	onEach(t, func(t *testing.T, server *dynamotest.Server) {
		st, tables := open(t, server)
		client := server.Client()
		r := resultAt(time.Date(2026, 3, 2, 5, 0, 1, 250e6, time.UTC))
		r.ExpiresAt = time.Date(2036, 3, 2, 5, 0, 0, 1, time.UTC)
		if err := st.Record(t.Context(), r, store.Count{
			At: opening, Add: map[string]int64{"requests": 1, "anthropic.latency_le_1000": 1}, Set: map[string]string{"anthropic.model": "m"},
			ExpiresAt: time.Date(2036, 3, 2, 0, 0, 0, 0, time.UTC),
		}); err != nil {
			t.Fatal(err)
		}
		wantItem(t, client, tables.Results, attributes{"id": s(r.ID)}, attributes{
			"id": s(r.ID), "result": s(string(r.Body)), "schema": n("1"), "series": s("BTC/USDT#5m"), "position": s("2026-03-02T05:00:01Z#" + r.ID),
			"day": s("2026-03-02"), "decision": s("SELL"), "status": s("degraded"), "created_at": s("2026-03-02T05:00:01.250Z"), "expires_at": n("2088046801"),
		})
		wantItem(t, client, tables.Metrics, attributes{"day": s("2026-03-02"), "hour": s("05")}, attributes{
			"day": s("2026-03-02"), "hour": s("05"), "requests": n("1"), "anthropic.latency_le_1000": n("1"), "anthropic.model": s("m"), "expires_at": n("2088028800"),
		})

		key := attributes{"key": s("idem#a")}
		claim := store.Claim{Owner: "first", Payload: "hash", Until: time.Date(2036, 3, 2, 5, 0, 0, 7e6, time.UTC), ExpiresAt: time.Date(2036, 3, 2, 5, 0, 0, 0, time.UTC)}
		if _, err := st.Claim(t.Context(), "idem#a", claim); err != nil {
			t.Fatal(err)
		}
		want := attributes{
			"key": s("idem#a"), "status": s("INPROGRESS"), "owner": s("first"), "payload_hash": s("hash"),
			"in_progress_until": n("2088046800007"), "expires_at": n("2088046800"),
		}
		wantItem(t, client, tables.Coordination, key, want)
		if err := st.Complete(t.Context(), "idem#a", "first", "an id"); err != nil {
			t.Fatal(err)
		}
		want["status"], want["result"] = s("COMPLETED"), s("an id")
		wantItem(t, client, tables.Coordination, key, want)
		if err := st.Release(t.Context(), "idem#a", "first"); err != nil {
			t.Fatal(err)
		}
		want["status"], want["in_progress_until"] = s("INPROGRESS"), n("0")
		delete(want, "owner")
		delete(want, "result")
		wantItem(t, client, tables.Coordination, key, want)

		lease := store.Lease{Key: "budget#a", Amount: 12, Until: claim.ExpiresAt.Add(999 * time.Millisecond), ExpiresAt: claim.ExpiresAt}
		if _, err := st.Reserve(t.Context(), lease, 20); err != nil {
			t.Fatal(err)
		}
		key = attributes{"key": s("budget#a")}
		want = attributes{"key": s("budget#a"), "sum": n("12"), "r_2088046800": n("12"), "expires_at": n("2088046800")}
		wantItem(t, client, tables.Coordination, key, want)
		if err := st.Settle(t.Context(), lease, 5); err != nil {
			t.Fatal(err)
		}
		want["sum"], want["r_2088046800"] = n("5"), n("0")
		wantItem(t, client, tables.Coordination, key, want)
	})
}

func TestItemsOfOutcomes(t *testing.T) {
	onEach(t, func(t *testing.T, server *dynamotest.Server) {
		st, tables := open(t, server)
		client := server.Client()
		r := resultAt(opening)
		settled := settlementOf(r)
		u := settled.Unsettled
		r.Unsettled, r.Imported, r.ExpiresAt = &u, true, time.Date(2036, 3, 2, 5, 0, 0, 0, time.UTC)
		u.Reason, u.Outcome = "gap", []byte(`{"reason":"gap"}`)
		if _, err := st.Add(t.Context(), []*store.Result{r}); err != nil {
			t.Fatal(err)
		}
		result := attributes{
			"id": s(r.ID), "result": s(string(r.Body)), "schema": n("1"), "series": s(series), "position": s(r.Position), "day": s("2026-03-02"),
			"decision": s("SELL"), "status": s("degraded"), "created_at": s("2026-03-02T05:00:00.000Z"), "expires_at": n("2088046800"),
			"imported": &types.AttributeValueMemberBOOL{Value: true}, "unsettled": s(`{"reason":"gap"}`),
		}
		listed := attributes{
			"day": s("pending#5m"), "hour": s(r.Position), "pair": s("BTC/USDT"), "scores": s("scores#5m#v1"), "reason": s("gap"), "expires_at": n("2088046800"),
		}
		wantItem(t, client, tables.Results, attributes{"id": s(r.ID)}, result)
		wantItem(t, client, tables.Metrics, attributes{"day": s("pending#5m"), "hour": s(r.Position)}, listed)

		settled.ExpiresAt = time.Date(2036, 3, 2, 0, 0, 0, 0, time.UTC)
		if added, err := st.AddOutcomes(t.Context(), []store.Settlement{settled}); added != 1 || err != nil {
			t.Fatalf("added %d, %v", added, err)
		}
		delete(result, "unsettled")
		result["outcome"] = s(string(settled.Outcome))
		wantItem(t, client, tables.Results, attributes{"id": s(r.ID)}, result)
		wantItem(t, client, tables.Metrics, attributes{"day": s("pending#5m"), "hour": s(r.Position)}, nil)
		for hour, counters := range map[string]attributes{
			"BTC/USDT#consensus": {"n": n("1"), "moves": n("0.5")}, "BTC/USDT#xai#grok-4": {"n": n("1")},
		} {
			key := attributes{"day": s("scores#5m#v1#2026-03-02"), "hour": s(hour)}
			counters["day"], counters["hour"], counters["expires_at"] = key["day"], key["hour"], n("2088028800")
			wantItem(t, client, tables.Metrics, key, counters)
		}

		// A settlement may add to 128 counters of a voter: their update fits into an expression.
		r = resultAt(opening)
		if _, err := st.Add(t.Context(), []*store.Result{r}); err != nil {
			t.Fatal(err)
		}
		wide := settlementOf(r)
		for i := range 126 {
			wide.Sums["consensus"][fmt.Sprintf("a counter with a long name %d", i)] = 1
		}
		if added, err := st.AddOutcomes(t.Context(), []store.Settlement{wide}); added != 1 || err != nil {
			t.Errorf("a wide one: added %d, %v", added, err)
		}
	})
}

func TestItemsOfOtherVersions(t *testing.T) {
	onEach(t, func(t *testing.T, server *dynamotest.Server) {
		st, tables := open(t, server)
		client := server.Client()
		older, newer := resultAt(opening), resultAt(opening.Add(time.Minute))
		older.Schema, older.Decision, older.Status = 0, "", ""
		newer.Schema = 7
		put(t, client, tables.Results, attributes{
			"id": s(older.ID), "result": s(string(older.Body)), "series": s(older.Series), "position": s(older.Position), "day": s(older.Day),
		})
		put(t, client, tables.Results, attributes{
			"id": s(newer.ID), "result": s(string(newer.Body)), "schema": n("7"), "series": s(newer.Series), "position": s(newer.Position), "day": s(newer.Day),
			"decision": s("SELL"), "status": s("degraded"), "created_at": s("2026-03-02T05:01:00Z"), "confidence": n("0.75"),
			"tags": &types.AttributeValueMemberL{Value: []types.AttributeValue{s("a")}},
		})
		// Older versions wrote a second item for a late answer. It is not a result.
		mark := "stray#" + newer.ID
		put(t, client, tables.Results, attributes{"id": s(mark), "series": s("stray#" + strings.Repeat("ab", 32)), "position": s(newer.Position)})
		if _, err := st.Result(t.Context(), mark); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a mark is read as a result: %v", err)
		}
		for _, want := range []*store.Result{older, newer} {
			got, err := st.Result(t.Context(), want.ID)
			if d := cmp.Diff(*want, got); d != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, d)
			}
		}
		for name, list := range map[string]func(store.Range) (store.Page, error){
			"series": func(r store.Range) (store.Page, error) { return st.Series(t.Context(), series, r) },
			"day":    func(r store.Range) (store.Page, error) { return st.Day(t.Context(), "2026-03-02", r) },
		} {
			got, err := list(store.Range{From: opening, Limit: 10})
			if d := cmp.Diff(store.Page{Results: []store.Result{*newer, *older}}, got); d != "" || err != nil {
				t.Errorf("%s: %v (-want +got):\n%s", name, err, d)
			}
		}

		// In a sum of a version without leases, what was reserved counts as spent.
		put(t, client, tables.Coordination, attributes{"key": s("budget#a"), "sum": n("60"), "expires_at": n("2088046800"), "call": s("x"), "r_note": s("y")})
		lease := store.Lease{Key: "budget#a", Amount: 30, Until: time.Now().Add(time.Hour), ExpiresAt: time.Unix(2088046800, 0)}
		if got, err := st.Reserve(t.Context(), lease, 100); got != (store.Sum{Spent: 60, Reserved: 30}) || err != nil {
			t.Errorf("reserved on an older sum: %+v, %v", got, err)
		}
		if err := st.Settle(t.Context(), lease, 1); err != nil {
			t.Error(err)
		}
		if got, err := st.Spending(t.Context(), lease.Key); got != (store.Sum{Spent: 61}) || err != nil {
			t.Errorf("an older sum: %+v, %v", got, err)
		}

		put(t, client, tables.Metrics, attributes{
			"day": s("2026-03-02"), "hour": s("05"), "requests": n("3"), "note": s("x"), "sketch": &types.AttributeValueMemberB{Value: []byte{1}},
		})
		hours, err := st.Hours(t.Context(), "2026-03-02", "2026-03-02")
		want := []store.Hour{{Day: "2026-03-02", Hour: "05", Counts: map[string]int64{"requests": 3}, Texts: map[string]string{"note": "x"}}}
		if d := cmp.Diff(want, hours); d != "" || err != nil {
			t.Errorf("hours: %v (-want +got):\n%s", err, d)
		}
	})
}

func TestItemsThatAreSomethingElse(t *testing.T) {
	onEach(t, func(t *testing.T, server *dynamotest.Server) {
		st, tables := open(t, server)
		client := server.Client()
		for name, spoil := range map[string]func(attributes){
			"no result":             func(a attributes) { delete(a, "result") },
			"a result that is none": func(a attributes) { a["result"] = &types.AttributeValueMemberL{} },
			"a time that is none":   func(a attributes) { a["created_at"] = s("yesterday") },
		} {
			r := resultAt(opening)
			item := attributes{"id": s(r.ID), "result": s("SECRET BODY"), "series": s(name), "position": s(r.Position), "day": s(r.Day)}
			spoil(item)
			put(t, client, tables.Results, item)
			_, err := st.Result(t.Context(), r.ID)
			wantTable(t, name, err, tables.Results)
			_, err = st.Series(t.Context(), name, store.Range{Limit: 1})
			wantTable(t, name+", listed", err, tables.Results)
		}

		put(t, client, tables.Metrics, attributes{"day": s("2026-03-02"), "hour": s("05"), "requests": n("1.5")})
		_, err := st.Hours(t.Context(), "2026-03-02", "2026-03-02")
		wantTable(t, "half a request", err, tables.Metrics)

		put(t, client, tables.Coordination, attributes{"key": s("mixed"), "sum": n("1")})
		_, err = st.Claim(t.Context(), "mixed", store.Claim{Owner: "first"})
		wantTable(t, "a claim on a sum", err, tables.Coordination)
		put(t, client, tables.Coordination, attributes{"key": s("claimed"), "owner": s("first"), "status": s("COMPLETED")})
		for name, booked := range map[string]func(store.Lease) error{
			"reserved": func(l store.Lease) error { _, err := st.Reserve(t.Context(), l, 10); return err },
			"settled":  func(l store.Lease) error { return st.Settle(t.Context(), l, 1) },
			"read":     func(l store.Lease) error { _, err := st.Spending(t.Context(), l.Key); return err },
		} {
			wantTable(t, name+" on a claim", booked(store.Lease{Key: "claimed", Amount: 1}), tables.Coordination)
		}
	})
}

// wantTable wants an error that names the table, and nothing of what is stored in it.
func wantTable(t *testing.T, what string, err error, table string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), table) || strings.Contains(err.Error(), "SECRET") {
		t.Errorf("%s: %v, want an error that names the table %s", what, err, table)
	}
}

// An index may still list a result where it was before it was recorded again.
func TestIndexThatLags(t *testing.T) {
	r := resultAt(opening)
	old := store.PositionKey(opening.Add(-time.Hour), r.ID)
	client := endpoint(t, func(_ int64, w http.ResponseWriter, request *http.Request) {
		if strings.HasSuffix(request.Header.Get("X-Amz-Target"), ".Query") {
			fmt.Fprintf(w, `{"Items":[{"id":{"S":%[1]q},"position":{"S":%[2]q}},{"id":{"S":%[1]q},"position":{"S":%[3]q}}]}`, r.ID, r.Position, old)
			return
		}
		fmt.Fprintf(w, `{"Responses":{"the-results":[{"id":{"S":%q},"series":{"S":%q},"position":{"S":%q},"result":{"S":"{}"}}]}}`, r.ID, series, r.Position)
	})
	for list, want := range map[string]int{series: 1, "ETH/USDT#5m": 0} {
		page, err := dynamo.New(client, named).Series(t.Context(), list, store.Range{Limit: 1})
		if err != nil || len(page.Results) != want || page.Next != "" {
			t.Errorf("%s: got %d results and the cursor %q, %v; want %d and none", list, len(page.Results), page.Next, err, want)
		}
	}
}

// A page may be larger than one answer, which has at most 16 MB. The unprocessed keys are
// requested again.
func TestAnswersLargerThanABatch(t *testing.T) {
	onEach(t, func(t *testing.T, server *dynamotest.Server) {
		st, tables, watching := openSpied(t, server)
		var results []*store.Result
		var want []string
		for i := range 46 {
			r := resultAt(opening.Add(time.Duration(i) * time.Second))
			r.Body = []byte(strings.Repeat("0123456789", 38_000)) // 46 of them are 17 MB
			results, want = append(results, r), append([]string{r.ID}, want...)
		}
		fill(t, server.Client(), tables, results)
		page, err := st.Series(t.Context(), series, store.Range{Limit: 45})
		if err != nil {
			t.Fatal(err)
		}
		if requests := watching.takeRequests(); len(requests) < 3 {
			t.Errorf("requests %q: nothing was left over", requests)
		}
		var got []string
		for _, r := range page.Results {
			got = append(got, r.ID)
		}
		if d := cmp.Diff(want[:45], got); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		if next := page.Results[44].Position; page.Next != next {
			t.Errorf("next = %q, want %q", page.Next, next)
		}
	})
}

// Expired items are not removed at once. A list skips them in few requests.
func TestPastWhatExpired(t *testing.T) {
	onEach(t, func(t *testing.T, server *dynamotest.Server) {
		st, tables, watching := openSpied(t, server)
		first := resultAt(opening)
		results := []*store.Result{first}
		for i := range 300 {
			r := resultAt(opening.Add(time.Duration(i+1) * time.Second))
			r.ExpiresAt = time.Now().Add(-time.Minute)
			results = append(results, r)
		}
		fill(t, server.Client(), tables, results)
		got, err := st.Latest(t.Context(), series)
		if d := cmp.Diff(*first, got); d != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, d)
		}
		if requests := watching.takeRequests(); len(requests) > 25 {
			t.Errorf("%d requests to walk past 300 results: %s", len(requests), fmt.Sprint(requests))
		}
	})
}
