package dynamo

// The forms of times in items, and the waits between attempts.

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// created is the layout of the attribute created_at.
const created = "2006-01-02T15:04:05.000Z07:00"

// expiryOf gives the second at which a record expires, which is not before the time that
// was asked for. It is 0 if the record does not expire.
func expiryOf(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.Add(time.Second - time.Nanosecond).Unix()
}

func expiresAt(seconds int64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}

func expired(seconds int64, now time.Time) bool {
	return seconds != 0 && now.UnixMilli() > seconds*1000
}

// number writes a whole number.
func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

// moment writes a time in seconds, with milliseconds as decimals. The expiry of an
// expired record is below moment(now).
func moment(now time.Time) types.AttributeValue {
	ms := now.UnixMilli()
	return &types.AttributeValueMemberN{Value: fmt.Sprintf("%d.%03d", ms/1000, ms%1000)}
}

// delay gives the wait before another attempt. It grows with each attempt, and is random
// so that clients that failed together don't try again together.
func delay(attempt int) time.Duration {
	most := min(firstDelay<<min(attempt, 10), mostDelay)
	return most/2 + rand.N(most/2)
}
