package bolt

// A transaction, which the operations of a group share.

import (
	"encoding/json"
	"time"

	"go.etcd.io/bbolt"
)

type transaction struct {
	tx      *bbolt.Tx
	now     time.Time
	opening string           // of the store
	hours   map[string]*hour // by key; of the writer, as this transaction sees them
	changed bool
}

func (t *transaction) get(bucket, key []byte) []byte { return t.tx.Bucket(bucket).Get(key) }

func (t *transaction) put(bucket, key, value []byte) error {
	t.changed = true
	return t.tx.Bucket(bucket).Put(key, value)
}

func (t *transaction) delete(bucket, key []byte) error {
	t.changed = true
	return t.tx.Bucket(bucket).Delete(key)
}

// expired reports whether a record with that expiry, in milliseconds, has expired.
func (t *transaction) expired(milliseconds int64) bool { return t.now.UnixMilli() > milliseconds }

// finish writes the counters. It gives errUnchanged if there is nothing to commit.
func (t *transaction) finish() error {
	if err := t.writeHours(); err != nil {
		return err
	}
	if !t.changed {
		return errUnchanged
	}
	return nil
}

// readJSON reads a JSON record. If there is none, found is false and into is unchanged.
func (t *transaction) readJSON(bucket, key []byte, into any) (found bool, err error) {
	value := t.get(bucket, key)
	if value == nil {
		return false, nil
	}
	if err := json.Unmarshal(value, into); err != nil {
		return false, damagedRecord("the record %q of %s: %s", key, bucket, err)
	}
	return true, nil
}

func (t *transaction) writeJSON(bucket, key []byte, record any) error {
	value, err := json.Marshal(record)
	if err != nil {
		return err
	}
	return t.put(bucket, key, value)
}
