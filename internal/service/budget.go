package service

// Budgets: the worst case of a run is reserved before it and settled to its true
// cost after, so that runs at the same time cannot overspend together.

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"thalas/internal/orchestrator"
	"thalas/internal/signal"
	"thalas/internal/store"
)

const (
	// lowShare of the daily budget is when a warning begins.
	lowShare = 0.8
	// blindShare of the daily budget is what one process spends at most while the
	// records of the day cannot be reached.
	blindShare = 0.05
	// reservedRetryAfter is when runs that hold the rest of a budget may have ended.
	reservedRetryAfter = 5 * time.Second
	// budgetKeptFor is how long a day's sum is kept beyond the day.
	budgetKeptFor = 48 * time.Hour
)

// budget is the spending cap of a UTC day, in millionths of a USD.
type budget struct {
	daily int64 // 0: none

	inFlight atomic.Int64 // reserved by the runs of this process

	mu       sync.Mutex
	blindDay string // guarded by mu: the day that blind is of
	blind    int64  // guarded by mu: spent by this process while the records could not be reached
}

// reservation is what a run holds of the day's budget. A nil one holds nothing.
type reservation struct {
	key    string
	amount int64
	sum    int64 // of the day, this reservation in it
	daily  int64
	blind  bool               // taken from the process' own share
	day    string             // whose budget it is of
	worst  map[string]float64 // USD of one attempt, by provider
	expiry time.Time
}

// reserve takes the worst case of a request out of the day's budget.
func (s *Service) reserve(ctx context.Context, request orchestrator.Request) (*reservation, error) {
	if s.budget.daily == 0 && s.RequestBudgetUSD == 0 {
		return nil, nil
	}
	most, attempt := s.Orchestrator.WorstCaseUSD(request)
	worst := microUSD(most)
	if err := WithinRequestBudget(most, s.RequestBudgetUSD); err != nil {
		return nil, err
	}
	if s.budget.daily == 0 {
		return nil, nil
	}
	now := time.Now().UTC()
	midnight := now.Truncate(24 * time.Hour).Add(24 * time.Hour)
	r := &reservation{key: "budget#" + now.Format(time.DateOnly), amount: worst, daily: s.budget.daily, expiry: midnight.Add(budgetKeptFor), day: now.Format(time.DateOnly), worst: attempt}
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	sum, err := s.Store.Spend(ctx, r.key, worst, s.budget.daily, r.expiry)
	switch {
	case err == nil:
		r.sum = sum
		s.budget.inFlight.Add(worst)
		return r, nil
	case errors.Is(err, store.ErrLimit) && sum-s.budget.inFlight.Load()+worst <= s.budget.daily:
		return nil, &Error{kind: ErrDailyBudget, RetryAfter: reservedRetryAfter,
			Message: fmt.Sprintf("The runs under way have reserved what is left of the budget of %s for today, and this request may cost up to %s. Ask again when they have ended.", dollars(s.budget.daily), dollars(worst))}
	case errors.Is(err, store.ErrLimit):
		s.Meter.OverBudget()
		return nil, &Error{kind: ErrDailyBudget, RetryAfter: midnight.Sub(now),
			Message: fmt.Sprintf("The budget of %s for today is used up: %s are spent or reserved and this request may cost up to %s. It begins anew at %s.", dollars(s.budget.daily), dollars(sum), dollars(worst), midnight.Format(time.RFC3339))}
	}
	s.log.LogAttrs(ctx, slog.LevelError, "Budget not reachable:", slog.String("error", err.Error()))
	if !s.budget.spendBlind(now, worst) {
		return nil, &Error{kind: ErrNoBudget, RetryAfter: 10 * time.Second, cause: err,
			Message: "The day's budget cannot be checked, and this process has spent what it may without. Try again later."}
	}
	r.blind = true
	return r, nil
}

// WithinRequestBudget gives an ErrRequestBudget where a request may cost more than
// one may; a limit of 0 is none.
func WithinRequestBudget(worstUSD, limitUSD float64) error {
	worst, limit := microUSD(worstUSD), microUSD(limitUSD)
	if limit == 0 || worst <= limit {
		return nil
	}
	return &Error{kind: ErrRequestBudget, Message: fmt.Sprintf("This request may cost up to %s, over the limit of %s for one request. Send less market data, or raise REQUEST_BUDGET_USD.", dollars(worst), dollars(limit))}
}

// spendBlind takes from the share that a process has while it can't see the sum.
func (b *budget) spendBlind(now time.Time, amount int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if day := now.Format(time.DateOnly); day != b.blindDay {
		b.blindDay, b.blind = day, 0
	}
	if float64(b.blind+amount) > blindShare*float64(b.daily) {
		return false
	}
	b.blind += amount
	return true
}

// settle replaces a reservation by the true cost.
func (s *Service) settle(ctx context.Context, r *reservation, costUSD float64) {
	if r == nil {
		return
	}
	change := microUSD(costUSD) - r.amount
	if !r.blind {
		defer s.budget.inFlight.Add(-r.amount)
	}
	if r.blind {
		s.budget.mu.Lock()
		if s.budget.blindDay == r.day { // else that day's share is history
			s.budget.blind += change
		}
		s.budget.mu.Unlock()
		// The day's sum should have it as soon as it can be reached.
		if _, err := s.Store.Spend(ctx, r.key, microUSD(costUSD), 0, r.expiry); err != nil {
			s.log.LogAttrs(ctx, slog.LevelError, "Cost not in the day's budget:", slog.Float64("cost_usd", costUSD), slog.String("error", err.Error()))
		}
		return
	}
	if change == 0 {
		return
	}
	if _, err := s.Store.Spend(ctx, r.key, change, 0, r.expiry); err != nil {
		s.log.LogAttrs(ctx, slog.LevelError, "Budget not settled:", slog.Float64("cost_usd", costUSD), slog.String("error", err.Error()))
	}
}

// untold bounds the cost of attempts that were sent and of which nobody told what
// they used: a call that we gave up is billed all the same.
func (r *reservation) untold(votes []signal.Vote, failures []signal.Failure) (usd float64) {
	if r == nil {
		return 0
	}
	for i := range votes {
		if v := &votes[i]; v.CostUSD == nil && v.InputTokens == 0 {
			usd += r.worst[v.Provider]
		}
	}
	for i := range failures {
		f := &failures[i]
		gaveUp := f.Error == signal.FailureTimeout || f.Error == signal.FailureNotNeeded
		if f.Attempts > 0 && (gaveUp || f.Error == signal.FailureInvalidResponse && f.CostUSD == nil) {
			usd += r.worst[f.Provider]
		}
	}
	return usd
}

// used is the share of the day's budget that is spent or reserved, with this run
// at its true cost.
func (r *reservation) used(costUSD float64) float64 {
	return float64(r.sum-r.amount+microUSD(costUSD)) / float64(r.daily)
}

// low reports whether the day's budget is nearly used up.
func (r *reservation) low(costUSD float64) bool {
	return r != nil && !r.blind && r.used(costUSD) >= lowShare
}

// microUSD gives millionths of a USD, rounded up.
func microUSD(usd float64) int64 { return int64(math.Ceil(usd*1e6 - 1e-6)) }

// dollars writes an amount with all its digits.
func dollars(micro int64) string {
	return "$" + strconv.FormatFloat(float64(micro)/1e6, 'f', -1, 64)
}
