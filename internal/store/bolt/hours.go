package bolt

// The counters of an hour. They are one record. A transaction writes it once, even if it
// counts several runs. The writer reads it once and then keeps it in memory, because no
// other process writes the file.

import (
	"context"
	"maps"
	"time"

	"thalas/internal/store"
)

// hour is the form of a [store.Hour] in the file.
type hour struct {
	Counts    map[string]int64  `json:"counts,omitempty"`
	Texts     map[string]string `json:"texts,omitempty"`
	ExpiresAt time.Time         `json:"expires_at,omitzero"`
	before    int64             // the expiry of the record in the file
	changed   bool              // in this transaction
}

// hoursInMemory is how many hours the writer keeps in memory between transactions: the
// present hour, and the one before it for runs that end late.
const hoursInMemory = 2

const hourKey = "2006-01-02#15"

// count adds a run to its hour.
func (t *transaction) count(c store.Count) error {
	if c.IsEmpty() {
		return nil
	}
	h, err := t.hour(c.At.UTC().Format(hourKey))
	if err != nil {
		return err
	}
	for name, increment := range c.Add {
		h.Counts[name] += increment
	}
	maps.Copy(h.Texts, c.Set)
	h.ExpiresAt = c.ExpiresAt.UTC()
	h.changed, t.changed = true, true
	return nil
}

// hour gives the counters of an hour as this transaction sees them.
func (t *transaction) hour(key string) (*hour, error) {
	if h := t.hours[key]; h != nil {
		return h, nil
	}
	h := &hour{Counts: map[string]int64{}, Texts: map[string]string{}}
	if _, err := t.readJSON(hoursBucket, []byte(key), h); err != nil {
		return nil, err
	}
	h.before = expiryOf(h.ExpiresAt)
	t.hours[key] = h
	return h, nil
}

func (t *transaction) writeHours() error {
	for key, h := range t.hours {
		if !h.changed {
			continue
		}
		after := expiryOf(h.ExpiresAt)
		if err := t.writeExpiring(hoursBucket, key, h, h.before, after); err != nil {
			return err
		}
		h.before, h.changed = after, false
	}
	return nil
}

// Hours implements store.Counters.
func (s *Store) Hours(ctx context.Context, firstDay, lastDay string) ([]store.Hour, error) {
	for _, day := range []string{firstDay, lastDay} {
		if _, err := store.ParseDay(day); err != nil {
			return nil, err
		}
	}
	return view(ctx, s, func(t *transaction) (hours []store.Hour, err error) {
		cursor := t.tx.Bucket(hoursBucket).Cursor()
		for key, _ := cursor.Seek([]byte(firstDay)); key != nil && len(key) == len(hourKey); key, _ = cursor.Next() {
			day, name := string(key[:len(lastDay)]), string(key[len(lastDay)+1:])
			if day > lastDay {
				break
			}
			var h hour
			if _, err := t.readJSON(hoursBucket, key, &h); err != nil {
				return nil, err
			}
			if !t.expired(expiryOf(h.ExpiresAt)) {
				hours = append(hours, store.Hour{Day: day, Hour: name, Counts: h.Counts, Texts: h.Texts})
			}
		}
		return hours, nil
	})
}
