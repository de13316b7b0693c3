package bolt

// Tests of the lists in files of older programs.

import (
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"thalas/internal/store"
)

// Files of older programs have entries in the bucket spans, which is not used any more.
func TestSpansOfOlderFiles(t *testing.T) {
	path := tempFile(t)
	s := open(t, path, Options{})
	r := sampleResult(t)
	if err := s.Record(t.Context(), &r, store.Count{}); err != nil {
		t.Fatal(err)
	}
	if err := s.db.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket(spansBucket).Put(append(measured(bySeriesBucket), r.Series...), pairOfTimes(1, 2))
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path, Options{})
	candle := r.CreatedAt.Truncate(5 * time.Minute)
	got, err := s.Series(t.Context(), r.Series, store.Range{From: candle, To: candle.Add(time.Second), Limit: 1})
	if d := diff(store.Page{Results: []store.Result{r}}, got, err); d != "" {
		t.Errorf("the series (-want +got):\n%s", d)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if checked, err := Check(t.Context(), path); err != nil || len(checked.Damage) > 0 {
		t.Errorf("the check: %v, %v; want no damage", checked.Damage, err)
	}
}
