package bolt

// The layout of the file: its buckets, how keys and values are written, and the
// transaction that reads and writes them.
//
//	meta       format                 → version, in digits
//	meta       passed                 → the time that is known to have passed, JSON (sweep.go)
//	results    id                     → header and body (results.go)
//	by_series  series, position       → when the result was made and expires (list.go)
//	by_day     day, id                → the same
//	spans      not used any more; older programs need the bucket to exist
//	hours      2026-11-23#05          → counters of the hour, JSON (hours.go)
//	claims     key                    → claim, JSON (claims.go)
//	sums       key                    → sum, JSON (spend.go)
//	markets    id                     → what the models saw, in gzip; removed with its result
//	outcomes   id                     → header and outcome (outcomes.go)
//	unsettled  group, position        → nothing (outcomes.go)
//	scores     scores, pair, day and voter → sums; of all pairs without a pair (scores.go)
//	expiry     time, bucket, key      → nothing (sweep.go)
//
// If a key consists of several texts, the length of each but the last stands before it.
// So the key of one text is never the beginning of the key of another text.

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"time"

	"go.etcd.io/bbolt"

	"thalas/internal/store"
)

var (
	metaBucket     = []byte("meta")
	resultsBucket  = []byte("results")
	bySeriesBucket = []byte("by_series")
	byDayBucket    = []byte("by_day")
	spansBucket    = []byte("spans")
	hoursBucket    = []byte("hours")
	claimsBucket   = []byte("claims")
	sumsBucket     = []byte("sums")
	expiryBucket   = []byte("expiry")

	outcomesBucket  = []byte("outcomes")
	unsettledBucket = []byte("unsettled")
	scoresBucket    = []byte("scores")
	marketsBucket   = []byte("markets")

	formatKey = []byte("format") // in the meta bucket
	passedKey = []byte("passed") // in the meta bucket

	buckets = [][]byte{resultsBucket, bySeriesBucket, byDayBucket, spansBucket, hoursBucket, claimsBucket, sumsBucket, expiryBucket}

	// Files of older programs do not have these until they are opened for writing.
	laterBuckets = [][]byte{outcomesBucket, unsettledBucket, scoresBucket, marketsBucket}
)

// listKey gives the key of a result in a list: order is its position or id.
func listKey(list, order string) []byte { return append(measured(list), order...) }

// maxKey is the most bytes of a key: a text and what is added to it.
const maxKey = store.MaxText + 256

// measured writes a text after its length.
func measured[T string | []byte](text T) []byte {
	key := make([]byte, 0, 2+len(text)+64)
	key = binary.BigEndian.AppendUint16(key, uint16(len(text)))
	return append(key, text...)
}

// cutMeasured reads what measured wrote, and gives the rest of the key.
func cutMeasured(key []byte) (text, rest []byte, err error) {
	if len(key) < 2 {
		return nil, nil, errSize
	}
	end := 2 + int(binary.BigEndian.Uint16(key))
	if len(key) < end {
		return nil, nil, errSize
	}
	return key[2:end], key[end:], nil
}

var errSize = errors.New("its size is not what it says")

// never is the expiry, in milliseconds since 1970, of a record that does not expire.
const never = math.MaxInt64

// expiryOf gives the last millisecond before a record expires.
func expiryOf(at time.Time) int64 {
	if at.IsZero() {
		return never
	}
	return at.UnixMilli()
}

// appendTime writes a time in milliseconds, in bytes that sort as the times do.
func appendTime(to []byte, milliseconds int64) []byte {
	return binary.BigEndian.AppendUint64(to, uint64(milliseconds)^(1<<63))
}

func readTime(from []byte) int64 {
	return int64(binary.BigEndian.Uint64(from) ^ (1 << 63))
}

// pairOfTimes writes two times. readTimes reads them.
func pairOfTimes(a, b int64) []byte {
	return appendTime(appendTime(make([]byte, 0, 16), a), b)
}

func readTimes(from []byte) (a, b int64, err error) {
	if len(from) < 16 {
		return 0, 0, errSize
	}
	return readTime(from), readTime(from[8:]), nil
}

// transaction is a transaction of the file. The operations of a group share one.
type transaction struct {
	tx      *bbolt.Tx
	now     time.Time
	opening string           // of the store
	hours   map[string]*hour // by key; of the writer, as this transaction sees them
	scores  map[string]*row  // by key; those that this transaction has added to and not written yet
	changed bool
}

func (t *transaction) get(bucket, key []byte) []byte {
	b := t.tx.Bucket(bucket)
	if b == nil { // one of laterBuckets
		return nil
	}
	return b.Get(key)
}

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
	if err := errors.Join(t.writeHours(), t.writeScores()); err != nil {
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
		return false, damagef("the record %q of %s: %s", key, bucket, err)
	}
	return true, nil
}

// writeExpiring writes a JSON record, and changes its expiry from before to after.
func (t *transaction) writeExpiring(bucket []byte, key string, record any, before, after int64) error {
	return errors.Join(t.writeJSON(bucket, []byte(key), record), t.expire(bucket, key, before, after))
}

func (t *transaction) writeJSON(bucket, key []byte, record any) error {
	value, err := json.Marshal(record)
	if err != nil {
		return err
	}
	return t.put(bucket, key, value)
}
