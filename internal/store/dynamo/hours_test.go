package dynamo_test

// Tests of an hour whose counters are in several items.

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"thalas/internal/store"
	"thalas/internal/store/dynamo"
	"thalas/internal/store/dynamo/dynamotest"
)

// Writers with different settings write at the same time, as during a deployment. Every
// reader sees the same sums.
func TestHourInSeveralItems(t *testing.T) {
	onEach(t, func(t *testing.T, server *dynamotest.Server) {
		one, tables := open(t, server)
		client := server.Client()
		tables.MetricsShards = 4
		four := dynamo.New(client, tables)
		const runs = 100
		var writers errgroup.Group
		writers.SetLimit(16)
		for i := range runs + 1 {
			st, at := four, opening
			if i%10 == 0 {
				st = one
			}
			if i == runs {
				at = opening.Add(time.Hour)
			}
			writers.Go(func() error {
				return st.Record(t.Context(), nil, store.Count{
					At: at, Add: map[string]int64{"requests": 1, "tokens": int64(i)}, Set: map[string]string{"anthropic.model": "m"},
				})
			})
		}
		if err := writers.Wait(); err != nil {
			t.Fatal(err)
		}

		var keys []string
		answer, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &tables.Metrics})
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range answer.Items {
			keys = append(keys, item["hour"].(*types.AttributeValueMemberS).Value)
		}
		slices.Sort(keys)
		// One of the four stays empty after 90 runs once in 10¹⁰ times.
		if d := cmp.Diff([]string{"05", "05#1", "05#2", "05#3", "06"}, keys); d != "" {
			t.Errorf("keys (-want +got):\n%s", d)
		}

		texts := map[string]string{"anthropic.model": "m"}
		want := []store.Hour{
			{Day: "2026-03-02", Hour: "05", Counts: map[string]int64{"requests": runs, "tokens": runs * (runs - 1) / 2}, Texts: texts},
			{Day: "2026-03-02", Hour: "06", Counts: map[string]int64{"requests": 1, "tokens": runs}, Texts: texts},
		}
		for name, st := range map[string]*dynamo.Store{"of one item": one, "of four items": four} {
			got, err := st.Hours(t.Context(), "2026-03-02", "2026-03-02")
			if d := cmp.Diff(want, got); d != "" || err != nil {
				t.Errorf("read by a store %s: %v (-want +got):\n%s", name, err, d)
			}
		}
	})
}

// A full hour holds every counter of four providers, with numbers of several digits. It
// uses DynamoDB Local only, because moto invents its numbers.
func TestCapacityOfAFullHour(t *testing.T) {
	server := engines[0].start(t)
	for _, items := range []int{1, 8} {
		watching := &spy{}
		tables := dynamotest.NewTables(t, server.Client())
		tables.MetricsShards = items
		st := dynamo.New(server.Client(watching.option), tables)
		for range 20 * items {
			if err := st.Record(t.Context(), nil, dynamo.FullCount()); err != nil {
				t.Fatal(err)
			}
		}
		watching.takeConsumed(tables)
		if err := st.Record(t.Context(), nil, dynamo.FullCount()); err != nil {
			t.Fatal(err)
		}
		units := watching.takeConsumed(tables)["metrics"]
		t.Logf("write capacity units of a count in a full hour of %d items: %g", items, units)
		if units > 5 {
			t.Errorf("%d items: %g write capacity units, want at most 5", items, units)
		}
	}
}

// A day is one query, and its pages may end between the items of an hour.
func TestHourInSeveralPages(t *testing.T) {
	const item = `{"day":{"S":"2026-03-02"},"hour":{"S":%q},"requests":{"N":"1"}%s}`
	pages := [][]string{
		{fmt.Sprintf(item, "05", ""), fmt.Sprintf(item, "05#1", `,"expires_at":{"N":"1"}`), fmt.Sprintf(item, "05#10", "")},
		{fmt.Sprintf(item, "05#2", ""), fmt.Sprintf(item, "06#3", "")},
	}
	client := endpoint(t, func(number int64, w http.ResponseWriter, _ *http.Request) {
		next := ""
		if number < int64(len(pages)) {
			next = `,"LastEvaluatedKey":{"day":{"S":"2026-03-02"},"hour":{"S":"05#10"}}`
		}
		_, _ = io.WriteString(w, `{"Items":[`+strings.Join(pages[number-1], ",")+`]`+next+`}`)
	})
	got, err := dynamo.New(client, named).Hours(t.Context(), "2026-03-02", "2026-03-02")
	want := []store.Hour{
		{Day: "2026-03-02", Hour: "05", Counts: map[string]int64{"requests": 3}, Texts: map[string]string{}},
		{Day: "2026-03-02", Hour: "06", Counts: map[string]int64{"requests": 1}, Texts: map[string]string{}},
	}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, d)
	}
}

// Of the texts of an hour's items the newest are read, in whichever item they are.
func TestNewestTextOfSeveralItems(t *testing.T) {
	onEach(t, func(t *testing.T, server *dynamotest.Server) {
		for _, test := range []struct {
			name  string
			items []attributes // in the order of their keys
			want  map[string]string
		}{
			{
				"the item that was written last",
				[]attributes{
					{"hour": s("05"), "written_at": s("2026-03-02T05:10:00.000Z"), "a.configured": s("true"), "a.model": s("z")},
					{"hour": s("05#1"), "written_at": s("2026-03-02T05:10:00.001Z"), "a.configured": s("false"), "a.model": s("y")},
					{"hour": s("05#2"), "written_at": s("2026-03-02T05:09:00.000Z"), "a.configured": s("true"), "a.model": s("x")},
				},
				map[string]string{"a.configured": "false", "a.model": "y"},
			},
			{
				"a time in an item that was not written last",
				[]attributes{
					{"hour": s("05"), "written_at": s("2026-03-02T05:10:00.000Z"), "a.last_error": s("2026-03-02T05:10:00.1Z timeout")},
					{"hour": s("05#1"), "written_at": s("2026-03-02T05:11:00.000Z"), "a.last_error": s("2026-03-02T05:03:00.9Z provider")},
				},
				map[string]string{"a.last_error": "2026-03-02T05:10:00.1Z timeout"},
			},
			{
				"an item from before there were several",
				[]attributes{
					{"hour": s("05"), "a.model": s("old"), "b.model": s("gone")},
					{"hour": s("05#3"), "written_at": s("2026-03-02T05:10:00.000Z"), "a.model": s("new")},
				},
				map[string]string{"a.model": "new", "b.model": "gone"},
			},
		} {
			t.Run(test.name, func(t *testing.T) {
				st, tables := open(t, server)
				for _, item := range test.items {
					item["day"] = s("2026-03-02")
					put(t, server.Client(), tables.Metrics, item)
				}
				got, err := st.Hours(t.Context(), "2026-03-02", "2026-03-02")
				want := []store.Hour{{Day: "2026-03-02", Hour: "05", Counts: map[string]int64{}, Texts: test.want}}
				if d := cmp.Diff(want, got); d != "" || err != nil {
					t.Errorf("%v (-want +got):\n%s", err, d)
				}
			})
		}
	})
}
