package tracing

// The subsegments of AWS calls.

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-xray-sdk-go/v2/instrumentation/awsv2"
	"github.com/aws/aws-xray-sdk-go/v2/xray"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
)

// Instrument makes a subsegment of every call of the AWS clients that are made from cfg,
// if its context belongs to a traced invocation. A conditional write that DynamoDB refuses,
// alone or in a transaction, does not count as a failure, since claims, budgets and outcomes
// rely on it. It has the annotation outcome with the value "condition_failed".
func (t *Tracer) Instrument(cfg *aws.Config) {
	if t != nil {
		awsv2.AWSV2Instrumentor(&cfg.APIOptions)
		cfg.APIOptions = append(cfg.APIOptions, excuse)
	}
}

// outcomeCondition is the value of the annotation of a refused write.
const outcomeCondition = "condition_failed"

// excuse hides refused conditions from the SDK's middleware, which takes every error for a
// fault: its innermost step removes the error, and its outermost step restores it.
func excuse(stack *middleware.Stack) error {
	type key struct{}
	inner := middleware.InitializeMiddlewareFunc("TakeRefusedCondition", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleInitialize(ctx, in)
		if kept, is := ctx.Value(key{}).(*error); is && isRefusedCondition(err) {
			if seg := xray.GetSegment(ctx); seg != nil {
				annotate(seg, "outcome", outcomeCondition)
				seg.Lock()
				seg.Error = false // from the status 400
				seg.Unlock()
			}
			*kept, err = err, nil
		}
		return out, metadata, err
	})
	outer := middleware.InitializeMiddlewareFunc("GiveRefusedConditionBack", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
		var kept error
		out, metadata, err := next.HandleInitialize(context.WithValue(ctx, key{}, &kept), in)
		if kept != nil {
			err = kept
		}
		return out, metadata, err
	})
	return errors.Join(stack.Initialize.Add(inner, middleware.After), stack.Initialize.Add(outer, middleware.Before))
}

// isRefusedCondition reports whether a condition of a write did not hold. The message of a
// cancelled transaction lists the reason of each of its writes.
func isRefusedCondition(err error) bool {
	var refused smithy.APIError
	if !errors.As(err, &refused) {
		return false
	}
	code := refused.ErrorCode()
	return code == "ConditionalCheckFailedException" ||
		code == "TransactionCanceledException" && strings.Contains(refused.ErrorMessage(), "ConditionalCheckFailed")
}
