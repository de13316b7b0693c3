package bolt

// The check of a whole file: every record can be read, and has its entries in the indexes.

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"go.etcd.io/bbolt"
)

// Checked says what a file holds, and what is wrong with it. The counts are of the
// records that can be read.
type Checked struct {
	Size    int64 // of the file, in bytes
	Results int
	Hours   int
	Claims  int
	Sums    int
	Settled int      // results with a final outcome
	Open    int      // results on the list of those without one
	Scores  int      // sums of settled results, by day, pair and voter
	Damage  []string // a sentence for each finding; empty: the file is sound
}

// mostDamage is the most findings in Checked. A damaged file may have thousands.
const mostDamage = 50

// Check reads every record of a file that no process has open for writing. Damage is
// not an error: the error says that the check itself could not be made.
func Check(ctx context.Context, path string) (Checked, error) {
	var freeListDamage error // only writers need the list of free pages
	s, err := Open(path, Options{ReadOnly: true, loadFreeList: true})
	if errors.Is(err, ErrDamaged) {
		freeListDamage = err
		s, err = Open(path, Options{ReadOnly: true})
	}
	switch {
	case errors.Is(err, ErrDamaged):
		return Checked{Damage: []string{foundIn(err)}}, nil
	case err != nil:
		return Checked{}, err
	}
	checked, err := view(ctx, s, func(t *transaction) (Checked, error) {
		c := check{t: t, ctx: ctx, want: map[string]map[string][]byte{}}
		c.Size = t.tx.Size()
		if freeListDamage != nil {
			c.found("the list of free pages: %s", foundIn(freeListDamage))
		}
		c.records()
		c.entries()
		if len(c.Damage) == 0 { // otherwise bbolt could panic in a goroutine of its own
			c.pages()
		}
		return c.Checked, ctx.Err()
	})
	return checked, errors.Join(err, s.Close())
}

type check struct {
	Checked
	t    *transaction
	ctx  context.Context
	want map[string]map[string][]byte // bucket → key → value of each entry that a record must have
}

func (c *check) found(format string, args ...any) {
	if len(c.Damage) < mostDamage {
		c.Damage = append(c.Damage, fmt.Sprintf(format, args...))
	} else if len(c.Damage) == mostDamage {
		c.Damage = append(c.Damage, "and more")
	}
}

// each visits the records of a bucket. If the bucket can't be read to its end, that is a
// finding.
func (c *check) each(bucket []byte, visit func(key, value []byte)) {
	read, last := 0, ""
	err := catchDamage(func() error {
		b := c.t.tx.Bucket(bucket)
		if b == nil { // one of laterBuckets
			return nil
		}
		return b.ForEach(func(key, value []byte) error {
			if read%1024 == 0 && c.ctx.Err() != nil {
				return c.ctx.Err()
			}
			if read > 0 && string(key) <= last {
				c.found("%s: the key %q stands behind %q", bucket, key, last)
			}
			read, last = read+1, string(key)
			visit(key, value)
			return nil
		})
	})
	if err != nil && c.ctx.Err() == nil {
		c.found("%s can't be read on from the %d. record: %s", bucket, read+1, err)
	}
}

// expect notes an entry that a record must have.
func (c *check) expect(bucket, key, value []byte) {
	if c.want[string(bucket)] == nil {
		c.want[string(bucket)] = map[string][]byte{}
	}
	c.want[string(bucket)][string(key)] = value
}

func (c *check) expectExpiry(bucket, key []byte, at int64) {
	if at != never {
		c.expect(expiryBucket, expiryKey(bucket, string(key), at), nil)
	}
}

// records reads all records, and notes the entries that each must have.
func (c *check) records() {
	c.each(resultsBucket, func(key, value []byte) {
		r, err := decodeResult(string(key), value)
		if err == nil {
			err = r.Validate()
		}
		if err != nil {
			c.found("%s", foundIn(err))
			return
		}
		c.Results++
		times := pairOfTimes(r.CreatedAt.UnixMilli(), expiryOf(r.ExpiresAt))
		c.expect(bySeriesBucket, listKey(r.Series, r.Position), times)
		c.expect(byDayBucket, listKey(r.Day, r.ID), times)
		c.expectExpiry(resultsBucket, key, expiryOf(r.ExpiresAt))
	})
	for _, kind := range []struct {
		bucket []byte
		count  *int
	}{{hoursBucket, &c.Hours}, {claimsBucket, &c.Claims}, {sumsBucket, &c.Sums}} {
		c.each(kind.bucket, func(key, _ []byte) {
			var expiring sum // the other kinds have the same field for their expiry
			if _, err := c.t.readJSON(kind.bucket, key, &expiring); err != nil {
				c.found("%s", foundIn(err))
				return
			}
			*kind.count++
			c.expectExpiry(kind.bucket, key, expiryOf(expiring.ExpiresAt))
		})
	}
	// An older program that removed a result has left its outcome. Nothing reads it any more.
	c.each(outcomesBucket, func(key, value []byte) {
		known, err := decodeOutcome(string(key), value)
		switch {
		case err != nil:
			c.found("%s", foundIn(err))
		case known.Final:
			c.Settled++
		default:
			c.Open++
			c.expect(unsettledBucket, listKey(known.Group, known.Position), nil)
		}
	})
	c.each(marketsBucket, func(key, value []byte) {
		reader, err := gzip.NewReader(bytes.NewReader(value)) // which has a checksum
		if err == nil {
			_, err = io.Copy(io.Discard, reader)
		}
		if err != nil {
			c.found("the market of the result %s: %s", key, err)
		}
	})
	c.each(scoresBucket, func(key, value []byte) {
		r, err := decodeRow(key, value)
		if err != nil {
			c.found("%s", foundIn(err))
			return
		}
		c.Scores++
		c.expectExpiry(scoresBucket, key, r.expiry)
	})
}

// entries compares the indexes with the entries that the records must have.
func (c *check) entries() {
	for _, bucket := range [][]byte{bySeriesBucket, byDayBucket, unsettledBucket, expiryBucket} {
		want := c.want[string(bucket)]
		var orphans, wrong []string
		c.each(bucket, func(key, value []byte) {
			wanted, known := want[string(key)]
			switch {
			case !known:
				orphans = append(orphans, string(key))
			case !bytes.Equal(value, wanted):
				wrong = append(wrong, string(key))
			}
			delete(want, string(key))
		})
		for _, finding := range []struct {
			entries []string
			what    string
		}{
			{orphans, "lead to no record that can be read"},
			{wrong, "do not say what their records do"},
			{slices.Sorted(maps.Keys(want)), "are missing, so that their records are not found by them"},
		} {
			if len(finding.entries) > 0 {
				c.found("%s: %d entries %s, the first %q", bucket, len(finding.entries), finding.what, finding.entries[0])
			}
		}
	}
}

// pages has bbolt check its pages.
func (c *check) pages() {
	last := int(c.t.tx.Size() / int64(c.t.tx.DB().Info().PageSize))
	err := catchDamage(func() error {
		for id := 0; id < last; id++ {
			page, err := c.t.tx.Page(id)
			if err != nil {
				return err
			}
			if page.Type == "free" {
				continue
			}
			if id+page.OverflowCount >= last {
				return damagef("page %d reaches behind the end of the file", id)
			}
			id += page.OverflowCount
		}
		return nil
	})
	if err != nil {
		c.found("its pages: %s", foundIn(err))
		return
	}
	for err := range c.t.tx.Check(bbolt.WithKVStringer(pageKeys{})) {
		c.found("its pages: %s", err)
	}
}

// pageKeys formats keys and values in bbolt's messages.
type pageKeys struct{}

func (pageKeys) KeyToString(key []byte) string     { return strconv.Quote(string(key)) }
func (pageKeys) ValueToString(value []byte) string { return strconv.Itoa(len(value)) + " bytes" }
