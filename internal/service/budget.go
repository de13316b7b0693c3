package service

// Budgets: before a run its worst-case cost is reserved, and after it the reservation is
// replaced by the true cost. So concurrent runs can't overspend together. A reservation
// is a lease that ends by itself, in case its process is killed.

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"sync"
	"time"

	"thalas/internal/orchestrator"
	"thalas/internal/signal"
	"thalas/internal/store"
)

const (
	// lowShare is the used part of the daily budget from which on results have a warning.
	lowShare = 0.8
	// blindShare is the part of the daily budget that one process may spend while the
	// day's record can't be reached.
	blindShare = 0.05
	// reservedRetryAfter tells the caller when the runs that hold the rest of the budget
	// may have ended.
	reservedRetryAfter = 5 * time.Second
	// leaseSlack is the longest time between a run's deadline and the end of its lease.
	leaseSlack = 30 * time.Second
	// leaseGrain is what the end of a lease is rounded down to, so that a day's record
	// holds few different ends.
	leaseGrain = 10 * time.Second
	// budgetKeptFor is how long a day's sum is stored after the day.
	budgetKeptFor = 48 * time.Hour
)

// budget is the spending cap of a UTC day. Amounts are millionths of a USD.
type budget struct {
	daily int64 // 0: no cap

	mu       sync.Mutex
	blindKey string                // guarded by mu; the key of the day that blind counts for
	blind    int64                 // guarded by mu; spent by this process while the day's record could not be reached
	owed     map[store.Lease]int64 // guarded by mu; costs that could not be booked, by day: a lease without an amount
}

// reservation is the part of the day's budget that a run holds. A nil one is nothing.
type reservation struct {
	store.Lease
	sum   int64 // spent and reserved on that day, with this reservation
	daily int64
	blind bool               // it was taken from blindShare, and the day's record has no lease for it
	worst map[string]float64 // the most that one attempt costs in USD, by provider
}

func budgetKey(day time.Time) string { return "budget#" + day.Format(time.DateOnly) }

// reserve takes the worst-case cost of a request from the day's budget.
func (s *Service) reserve(ctx context.Context, request orchestrator.Checked) (*reservation, error) {
	if s.budget.daily == 0 && s.RequestBudgetUSD == 0 {
		return nil, nil
	}
	most, attempt := s.Orchestrator.WorstCaseUSD(request)
	worst := microUSD(most)
	if limit := microUSD(s.RequestBudgetUSD); limit > 0 && worst > limit {
		return nil, &Error{kind: ErrRequestBudget, Message: fmt.Sprintf("This request may cost up to %s, over the limit of %s for one request. Send less market data, or raise REQUEST_BUDGET_USD.", dollars(worst), dollars(limit))}
	}
	if s.budget.daily == 0 {
		return nil, nil
	}
	now := time.Now().UTC()
	midnight := now.Truncate(day).Add(day)
	r := &reservation{daily: s.budget.daily, worst: attempt, Lease: store.Lease{
		Key: budgetKey(now), Amount: worst, ExpiresAt: midnight.Add(budgetKeptFor),
		Until: latestEnd(ctx, now, request.Timeout()).Add(leaseSlack).Truncate(leaseGrain),
	}}
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	s.bookOwed(ctx)
	sum, err := s.Store.Reserve(ctx, r.Lease, s.budget.daily)
	switch {
	case err == nil:
		r.sum = sum.Spent + sum.Reserved
		return r, nil
	case errors.Is(err, store.ErrLimit) && sum.Spent+worst <= s.budget.daily:
		return nil, &Error{kind: ErrDailyBudget, RetryAfter: reservedRetryAfter,
			Message: fmt.Sprintf("The runs under way have reserved what is left of the budget of %s for today, and this request may cost up to %s. Ask again when they have ended.", dollars(s.budget.daily), dollars(worst))}
	case errors.Is(err, store.ErrLimit):
		s.Meter.OverBudget()
		return nil, &Error{kind: ErrDailyBudget, RetryAfter: midnight.Sub(now),
			Message: fmt.Sprintf("The budget of %s for today is used up: %s are spent or reserved and this request may cost up to %s. It begins anew at %s.", dollars(s.budget.daily), dollars(sum.Spent+sum.Reserved), dollars(worst), midnight.Format(time.RFC3339))}
	}
	s.log.LogAttrs(ctx, slog.LevelError, "Budget not reachable:", slog.String("error", err.Error()))
	if !s.budget.spendBlind(r.Lease) {
		return nil, &Error{kind: ErrNoBudget, RetryAfter: 10 * time.Second, cause: err,
			Message: "The day's budget cannot be checked, and this process has spent what it may without. Try again later."}
	}
	r.blind = true
	return r, nil
}

// spendBlind takes a lease's amount from blindShare, and reports whether it was enough.
func (b *budget) spendBlind(lease store.Lease) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if lease.Key != b.blindKey {
		b.blindKey, b.blind = lease.Key, 0
	}
	if float64(b.blind+lease.Amount) > blindShare*float64(b.daily) {
		return false
	}
	b.blind += lease.Amount
	return true
}

// settle replaces a reservation by the true cost. If that fails, bookOwed books the cost
// later. If the failed write did reach the store, the cost counts twice, which is better
// than never.
func (s *Service) settle(ctx context.Context, r *reservation, costUSD float64) {
	if r == nil {
		return
	}
	lease, cost := r.Lease, microUSD(costUSD)
	if r.blind {
		s.budget.settleBlind(lease, cost)
		lease.Amount = 0
	}
	if lease.Amount == 0 && cost == 0 {
		return
	}
	if err := s.Store.Settle(ctx, lease, cost); err != nil {
		s.budget.owe(lease, cost)
		s.log.LogAttrs(ctx, slog.LevelError, "Budget not settled, booked later:", slog.Float64("cost_usd", costUSD), slog.String("error", err.Error()))
	}
}

// settleBlind replaces a reservation of spendBlind by the true cost, if the day is
// still the same.
func (b *budget) settleBlind(lease store.Lease, cost int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if lease.Key == b.blindKey {
		b.blind += cost - lease.Amount
	}
}

// owe remembers a cost, for the day of its lease, until bookOwed has booked it.
func (b *budget) owe(lease store.Lease, cost int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.owed == nil {
		b.owed = map[store.Lease]int64{}
	}
	b.owed[store.Lease{Key: lease.Key, ExpiresAt: lease.ExpiresAt}] += cost
}

// unbooked sums the costs of a day that are not booked yet.
func (b *budget) unbooked(key string) (cost int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for lease, owed := range b.owed {
		if lease.Key == key {
			cost += owed
		}
	}
	return cost
}

// bookOwed books the costs that could not be booked when they arose.
func (s *Service) bookOwed(ctx context.Context) {
	s.budget.mu.Lock()
	owed := s.budget.owed
	s.budget.owed = nil
	s.budget.mu.Unlock()
	for lease, cost := range owed {
		if err := s.Store.Settle(ctx, lease, cost); err != nil {
			s.budget.owe(lease, cost)
		}
	}
}

// unreportedCost gives the worst-case cost of the attempts whose bill is not known. A
// provider may bill what was sent even if it did not report the usage.
func (r *reservation) unreportedCost(votes []signal.Vote, failures []signal.Failure) (usd float64) {
	if r == nil {
		return 0
	}
	for i := range votes {
		usd += float64(votes[i].BillsUnknown) * r.worst[votes[i].Provider]
	}
	for i := range failures {
		usd += float64(failures[i].BillsUnknown) * r.worst[failures[i].Provider]
	}
	return usd
}

// used gives the part of the day's budget that is spent or reserved, with this run at
// its true cost.
func (r *reservation) used(costUSD float64) float64 {
	return float64(r.sum-r.Amount+microUSD(costUSD)) / float64(r.daily)
}

// low reports whether the day's budget is nearly used up.
func (r *reservation) low(costUSD float64) bool {
	return r != nil && !r.blind && r.used(costUSD) >= lowShare
}

// microUSD converts USD to millionths of a USD, rounded up.
func microUSD(usd float64) int64 { return int64(math.Ceil(usd*1e6 - 1e-6)) }

// dollars writes an amount of millionths in USD with all its digits.
func dollars(micro int64) string {
	return "$" + strconv.FormatFloat(float64(micro)/1e6, 'f', -1, 64)
}

// DayBudget is the budget of the UTC day.
type DayBudget struct {
	LimitUSD    float64  `json:"limit_usd" doc:"DAILY_BUDGET_USD."`
	SpentUSD    *float64 `json:"spent_usd" doc:"Of the UTC day, over all processes that share the store; null: the day's record can't be read."`
	ReservedUSD *float64 `json:"reserved_usd" doc:"Held for runs that have not ended, at their worst case; null likewise."`
}

// dayBudget gives the budget of today, or nil without a daily budget. If the day's
// record can't be read, it gives the error and a budget without sums.
func (s *Service) dayBudget(ctx context.Context) (*DayBudget, error) {
	if s.budget.daily == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	b := &DayBudget{LimitUSD: s.DailyBudgetUSD}
	key := budgetKey(time.Now().UTC())
	sum, err := s.Store.Spending(ctx, key)
	if err != nil {
		return b, err
	}
	b.SpentUSD, b.ReservedUSD = new(float64(sum.Spent+s.budget.unbooked(key))/1e6), new(float64(sum.Reserved)/1e6)
	return b, nil
}
