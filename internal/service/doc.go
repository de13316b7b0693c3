// Package service has the use cases that every edge shares: ask, ask once for an
// occasion, show, latest, history, replay, import, health and metrics. It makes runs
// safe to pay for: by idempotency, by sharing the votes of equal questions, by budgets, by a
// bound on concurrent runs, and by answering a decision even if it could not be stored.
//
// It does not know HTTP, Lambda events, or which store it writes to.
package service
