package bolt

// Tests of Check, on sound files and on damaged ones.

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.etcd.io/bbolt"

	"thalas/internal/store"
)

// soundFile gives the bytes of a store with records of each kind and several pages of each,
// with free pages and with values that are longer than a page, and the results that are in it,
// some of which have expired.
var soundFile = sync.OnceValues(func() (content []byte, stored []store.Result) {
	folder, err := os.MkdirTemp("", "bolt-test-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	path, ctx := filepath.Join(folder, "store.db"), context.Background()
	s, err := Open(path, Options{})
	if err != nil {
		panic(err)
	}
	later := time.Now().Add(time.Hour)
	for i := range 60 {
		r := resultOf(uuid.Must(uuid.NewV7()).String())
		if i%3 == 0 {
			r.ExpiresAt = time.Now().Add(time.Duration(i-30) * time.Hour).UTC()
		}
		if i%20 == 0 {
			r.Body = bytes.Repeat([]byte("long "), 10_000)
		}
		settled := settlementOf(&r)
		if i >= 30 {
			r.Unsettled = &settled.Unsettled
		}
		settled.ExpiresAt = later
		err = errors.Join(err, s.Record(ctx, &r, store.Count{At: r.CreatedAt, Add: map[string]int64{"requests": 1}}))
		if i >= 50 {
			_, failed := s.AddOutcomes(ctx, []store.Settlement{settled})
			err = errors.Join(err, failed)
		}
		if r.Unsettled = nil; i%3 > 0 || i > 30 {
			stored = append(stored, r)
		}
	}
	_, swept := s.Sweep(ctx)
	_, claimed := s.Claim(ctx, "idem#key", store.Claim{Owner: "me", Until: later})
	spent := s.Settle(ctx, store.Lease{Key: "budget#today", ExpiresAt: later}, 3)
	if err = errors.Join(err, swept, claimed, spent, s.Close()); err != nil {
		panic(err)
	}
	if content, err = os.ReadFile(path); err != nil {
		panic(err)
	}
	return content, stored
})

// writeSound writes the sound file into a folder of the test.
func writeSound(t *testing.T) (path string, results int) {
	t.Helper()
	path = tempFile(t)
	content, stored := soundFile()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, len(stored)
}

func TestCheckOfASoundFile(t *testing.T) {
	before, stored := soundFile()
	path, _ := writeSound(t)
	got, err := Check(t.Context(), path)
	if got.Size == 0 || got.Size > int64(len(before)) {
		t.Errorf("a size of %d bytes, of a file of %d", got.Size, len(before))
	}
	got.Size = 0
	if d := diff(Checked{Results: len(stored), Hours: 1, Claims: 1, Sums: 1, Settled: 10, Open: 19, Scores: 4}, got, err); d != "" {
		t.Error(d)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the check changed the file (%v)", err)
	}
}

// changeByte changes the last byte of a bucket's last record.
func changeByte(bucket []byte) func(tx *bbolt.Tx) error {
	return func(tx *bbolt.Tx) error {
		key, value := tx.Bucket(bucket).Cursor().Last()
		value = bytes.Clone(value)
		value[len(value)-1] ^= 1
		return tx.Bucket(bucket).Put(key, value)
	}
}

func TestCheckFinds(t *testing.T) {
	for _, test := range []struct {
		name  string
		spoil func(tx *bbolt.Tx) error
		says  string
	}{
		{"a result that is cut", func(tx *bbolt.Tx) error {
			key, value := tx.Bucket(resultsBucket).Cursor().First()
			return tx.Bucket(resultsBucket).Put(key, bytes.Clone(value[:20]))
		}, "the result 0"},
		{"a body of which one byte is another", changeByte(resultsBucket), "its body is not what was written"},
		{"a result that is gone", func(tx *bbolt.Tx) error {
			key, _ := tx.Bucket(resultsBucket).Cursor().First()
			return tx.Bucket(resultsBucket).Delete(key)
		}, "by_series: 1 entries lead to no record that can be read"},
		{"an entry that is gone", func(tx *bbolt.Tx) error {
			key, _ := tx.Bucket(byDayBucket).Cursor().First()
			return tx.Bucket(byDayBucket).Delete(key)
		}, "by_day: 1 entries are missing"},
		{"an entry that is wrong", func(tx *bbolt.Tx) error {
			key, _ := tx.Bucket(byDayBucket).Cursor().First()
			return tx.Bucket(byDayBucket).Put(key, make([]byte, 16))
		}, "by_day: 1 entries do not say what their records do"},
		{"an outcome of which one byte is another", changeByte(outcomesBucket), "it is not what was written"},
		{"an entry of the list that is gone", func(tx *bbolt.Tx) error {
			key, _ := tx.Bucket(unsettledBucket).Cursor().First()
			return tx.Bucket(unsettledBucket).Delete(key)
		}, "unsettled: 1 entries are missing"},
		{"an entry of the list without an outcome", func(tx *bbolt.Tx) error {
			return tx.Bucket(unsettledBucket).Put(listKey("pending#5m", "x"), nil)
		}, "unsettled: 1 entries lead to no record"},
		{"sums of which one byte is another", changeByte(scoresBucket), "they are not what was written"},
		{"counters that are no JSON", func(tx *bbolt.Tx) error {
			return tx.Bucket(hoursBucket).Put([]byte("2026-03-02#05"), []byte("{"))
		}, `"2026-03-02#05" of hours`},
	} {
		t.Run(test.name, func(t *testing.T) {
			path, _ := writeSound(t)
			edit(t, path, test.spoil)
			got, err := Check(t.Context(), path)
			if err != nil || !strings.Contains(strings.Join(got.Damage, "\n"), test.says) {
				t.Errorf("%v; found %q, want %q", err, got.Damage, test.says)
			}
		})
	}
}

// Whatever is done to a file's pages, a check ends. If it finds no damage, every result
// can be read.
func TestCheckOfSpoiltPages(t *testing.T) {
	content, stored := soundFile()
	path := tempFile(t)
	source := rand.NewChaCha8([32]byte{1})
	random := rand.New(source)
	damaged := 0
	for i := range 150 {
		spoilt := bytes.Clone(content)
		at := random.IntN(len(spoilt)/pageSize) * pageSize
		switch page := spoilt[at : at+pageSize]; i % 5 {
		case 0:
			_, _ = source.Read(page)
		case 1:
			clear(page)
		case 2:
			copy(page, content[random.IntN(len(content)/pageSize)*pageSize:])
		case 3:
			_, _ = source.Read(page[:32]) // the page's header and its first element
		default:
			spoilt = spoilt[:at+random.IntN(pageSize)]
		}
		if err := os.WriteFile(path, spoilt, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := Check(t.Context(), path)
		switch {
		case err != nil:
			t.Errorf("%d: %v", i, err)
		case len(got.Damage) > 0:
			damaged++
		case got.Results != len(stored):
			t.Errorf("%d: %d results are sound, want %d", i, got.Results, len(stored))
		}
	}
	if damaged == 0 { // damage to a free page is not found; most pages of the file are free
		t.Error("no damage was found in any file")
	}
}
