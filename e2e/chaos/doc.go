// Command chaos breaks everything around the server and holds what callers get
// against what they were promised.
//
// It runs `thalas serve` as a child, over the simulator of the providers, which is in
// this process and fails as each scenario says. It notes every call that reaches a
// provider, with what that call must be billed:
//
//   - faults: each provider with each fault of the simulator, the quorum kept and lost.
//   - random: attempts that fail by chance, beside what arithmetic promises without a
//     breaker.
//   - killed: SIGKILL at random points, with Idempotency-Keys and a day's budget.
//   - damage: the disk full, the data file cut, overwritten, removed, replaced.
//   - clock: results that a clock has dated into the future.
//   - many: 100,000 questions with mixed faults and repeated keys.
//
// What fails is a broken promise, never a slow machine: no time is measured, and a
// share is held against a bound that chance breaks once in 10^9 times. The same seed
// gives the same faults to the same questions.
//
//	go run ./e2e/chaos                                # all of it, some ten minutes
//	go run ./e2e/chaos -docs docs/reliability.md      # and write its tables: make chaos
//	go run ./e2e/chaos -short                         # about a minute, as CI runs it
//	go run ./e2e/chaos -only killed -seed 7           # one scenario again
package main
