package bolt

// The check of a whole file: every record can be read, and has its entries in the indexes.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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
	Damage  []string // a sentence for each finding; empty: the file is sound
}

// mostDamage is the most findings that are told. A damaged file may have thousands.
const mostDamage = 50

// Check reads every record of a file that no process has open for writing. Damage is
// not an error: the error says that the check itself could not be made.
func Check(ctx context.Context, path string) (Checked, error) {
	var free string // the damage of the list of free pages, which only writers need
	s, err := openWith(path, Options{ReadOnly: true}, true)
	if errors.Is(err, ErrDamaged) {
		free = foundIn(err)
		s, err = openWith(path, Options{ReadOnly: true}, false)
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
		if free != "" {
			c.found("the list of free pages: %s", free)
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
	err := contained("", func() error {
		return c.t.tx.Bucket(bucket).ForEach(func(key, value []byte) error {
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

func (c *check) wants(bucket, key, value []byte) {
	if c.want[string(bucket)] == nil {
		c.want[string(bucket)] = map[string][]byte{}
	}
	c.want[string(bucket)][string(key)] = value
}

func (c *check) expires(bucket, key []byte, at int64) {
	if at != never {
		c.wants(expiryBucket, expiryKey(bucket, string(key), at), nil)
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
		c.wants(bySeriesBucket, append(measured(r.Series), r.Position...), times)
		c.wants(byDayBucket, append(measured(r.Day), r.ID...), times)
		c.expires(resultsBucket, key, expiryOf(r.ExpiresAt))
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
			c.expires(kind.bucket, key, expiryOf(expiring.ExpiresAt))
		})
	}
}

// entries compares the indexes with the entries that the records must have.
func (c *check) entries() {
	for _, bucket := range [][]byte{bySeriesBucket, byDayBucket, expiryBucket} {
		want := c.want[string(bucket)]
		var lost, wrong examples
		c.each(bucket, func(key, value []byte) {
			wanted, known := want[string(key)]
			switch {
			case !known:
				lost.add(key)
			case !bytes.Equal(value, wanted):
				wrong.add(key)
			}
			delete(want, string(key))
		})
		var missing examples
		for _, key := range slices.Sorted(maps.Keys(want)) {
			missing.add([]byte(key))
		}
		lost.tell(c, bucket, "lead to no record that can be read")
		wrong.tell(c, bucket, "do not say what their records do")
		missing.tell(c, bucket, "are missing, so that their records are not found by them")
	}
}

// examples counts entries, and remembers the first.
type examples struct {
	count int
	first string
}

func (e *examples) add(key []byte) {
	if e.count++; e.count == 1 {
		e.first = string(key)
	}
}

func (e *examples) tell(c *check, bucket []byte, what string) {
	if e.count > 0 {
		c.found("%s: %d entries %s, the first %q", bucket, e.count, what, e.first)
	}
}

// pages has bbolt check its pages.
func (c *check) pages() {
	last := int(c.t.tx.Size() / int64(c.t.tx.DB().Info().PageSize))
	err := contained("", func() error {
		for id := 0; id < last; id++ {
			page, err := c.t.tx.Page(id)
			if err != nil {
				return err
			}
			if page.Type != "free" && id+page.OverflowCount >= last {
				return damagedRecord("page %d reaches behind the end of the file", id)
			}
			if page.Type != "free" {
				id += page.OverflowCount
			}
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

// foundIn gives the finding in an error, without the advice.
func foundIn(err error) string {
	var d *damaged
	if errors.As(err, &d) {
		return d.found
	}
	return err.Error()
}
