package dynamo

// Times as they stand in items, and waiting.

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// created is the form of created_at.
const created = "2006-01-02T15:04:05.000Z07:00"

// expiryOf gives the second at the end of which something is forgotten, never
// before the time that was asked for. Nil: it is kept.
func expiryOf(at time.Time) *int64 {
	if at.IsZero() {
		return nil
	}
	seconds := at.Unix()
	if at.Nanosecond() > 0 {
		seconds++
	}
	return &seconds
}

func expiresAt(seconds *int64) time.Time {
	if seconds == nil {
		return time.Time{}
	}
	return time.Unix(*seconds, 0).UTC()
}

func expired(seconds *int64, now time.Time) bool {
	return seconds != nil && now.UnixMilli() > *seconds*1000
}

// untilOf gives the millisecond after which a claim is up for others.
func untilOf(at time.Time) *int64 {
	if at.IsZero() {
		return nil
	}
	milliseconds := at.UnixMilli()
	return &milliseconds
}

func until(milliseconds *int64) time.Time {
	if milliseconds == nil {
		return time.Time{}
	}
	return time.UnixMilli(*milliseconds).UTC()
}

// number writes a whole number.
func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

// moment writes now in seconds, with its milliseconds as decimals: what expired
// is below it.
func moment(now time.Time) types.AttributeValue {
	ms := now.UnixMilli()
	return &types.AttributeValueMemberN{Value: fmt.Sprintf("%d.%03d", ms/1000, ms%1000)}
}

// delay is how long to wait before another attempt: longer each time, and never
// the same for two that failed together.
func delay(attempt int) time.Duration {
	most := min(firstDelay<<min(attempt, 10), mostDelay)
	return most/2 + rand.N(most/2)
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
