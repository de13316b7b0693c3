package bolt

// What holds for every file, whatever happened to it.

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func diff(want, got any, err error) string {
	if err != nil {
		return fmt.Sprintf("error: %v", err)
	}
	return cmp.Diff(want, got, cmpopts.EquateEmpty(), cmp.Comparer(bytes.Equal))
}

// checkConsistent holds bbolt's own structure and ours against each other: each
// record has its entries, and there are no others.
func checkConsistent(t testing.TB, s *Store) {
	t.Helper()
	err := s.view(t.Context(), func(t *transaction) error {
		for err := range t.tx.Check() {
			return fmt.Errorf("bbolt: %w", err)
		}
		want, err := wantedEntries(t)
		if err != nil {
			return err
		}
		for _, bucket := range [][]byte{bySeriesBucket, byDayBucket, spansBucket, expiryBucket} {
			got := map[string]string{}
			_ = t.tx.Bucket(bucket).ForEach(func(key, value []byte) error {
				got[string(key)] = string(value)
				if bytes.Equal(bucket, spansBucket) {
					got[string(key)] = "" // a span may be wider than its list has become
				}
				return nil
			})
			if d := cmp.Diff(want[string(bucket)], got, cmpopts.EquateEmpty()); d != "" {
				return fmt.Errorf("%s (-want +got):\n%s", bucket, d)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatalf("the file is not consistent: %v", err)
	}
}

// wantedEntries makes out of the records what the index buckets must hold.
func wantedEntries(t *transaction) (map[string]map[string]string, error) {
	want := map[string]map[string]string{}
	for _, bucket := range [][]byte{bySeriesBucket, byDayBucket, spansBucket, expiryBucket} {
		want[string(bucket)] = map[string]string{}
	}
	expires := func(bucket, key []byte, at int64) {
		if at != never {
			want[string(expiryBucket)][string(expiryKey(bucket, string(key), at))] = ""
		}
	}
	err := t.tx.Bucket(resultsBucket).ForEach(func(key, value []byte) error {
		r, err := decodeResult(string(key), value)
		if err != nil {
			return err
		}
		times := string(pairOfTimes(r.CreatedAt.UnixMilli(), expiryOf(r.ExpiresAt)))
		want[string(bySeriesBucket)][string(measured(r.Series))+r.Position] = times
		want[string(byDayBucket)][string(measured(r.Day))+r.ID] = times
		want[string(spansBucket)][string(bySeries.spanKey(r.Series))] = ""
		want[string(spansBucket)][string(byDay.spanKey(r.Day))] = ""
		expires(resultsBucket, key, expiryOf(r.ExpiresAt))
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, bucket := range [][]byte{hoursBucket, claimsBucket, sumsBucket} {
		err := t.tx.Bucket(bucket).ForEach(func(key, _ []byte) error {
			var expiring sum // all of them have the field
			if _, err := t.readJSON(bucket, key, &expiring); err != nil {
				return err
			}
			expires(bucket, key, expiryOf(expiring.ExpiresAt))
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return want, nil
}
