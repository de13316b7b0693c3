package bolt

// The layout of the file: its buckets, and how keys and values are written.
//
//	meta       format                 → version, in digits
//	meta       passed                 → the time that is known to have passed, JSON (passed.go)
//	results    id                     → header and body (entry.go)
//	by_series  series, position       → when the result was made and expires (list.go)
//	by_day     day, id                → the same
//	spans      not used any more; older programs need the bucket to exist
//	hours      2026-11-23#05          → counters of the hour, JSON (hours.go)
//	claims     key                    → claim, JSON (claims.go)
//	sums       key                    → sum, JSON (spend.go)
//	expiry     time, bucket, key      → nothing (sweep.go)
//
// If a key consists of several texts, the length of each but the last stands before it.
// So the key of one text is never the beginning of the key of another text.

import (
	"encoding/binary"
	"errors"
	"math"
	"time"

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

	formatKey = []byte("format")

	buckets = [][]byte{resultsBucket, bySeriesBucket, byDayBucket, spansBucket, hoursBucket, claimsBucket, sumsBucket, expiryBucket}
)

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
