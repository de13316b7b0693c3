// Package service is the use cases that every edge shares: ask, ask once for an
// occasion, show, latest, history, replay, health and metrics. It holds what makes
// a run safe to pay for: idempotency, budgets, a bound on concurrent runs, and that
// a decision that was reached is answered even if it could not be stored.
//
// It knows nothing of HTTP, of events or of which store it writes to.
package service
