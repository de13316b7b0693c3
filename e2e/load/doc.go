// Command load measures what the server adds to four model calls, beside a bare
// program that does the least that could answer the same question.
//
// It starts three children on 127.0.0.1: a stub of the four providers, the bare
// program (both are this program again), and `thalas serve` on a fresh store. It
// drives bare and thalas in turns, so that whatever else the machine does hits
// both:
//
//   - closed loop: so many connections, each asking again once it is answered,
//     over providers that answer at once. What it tells: throughput.
//   - fixed rate: questions arrive over providers that take 50 ms, whether those
//     before have an answer or not, so a stall is paid for by all that came
//     meanwhile.
//   - soak: many requests in a closed loop; is the memory flat, is each answered.
//
// Whatever was answered with 200 must be found again by its id, the server's
// counters must equal what was sent, and each answer must belong to its question
// and hold four votes; else the exit status is 1. A speed never fails: only
// ratios within one run say something, and machines differ.
//
//	go run -C e2e/load .       # all of it, about five minutes
//	go run -C e2e/load . -h    # durations, rate, one program only
//
// Package vegeta makes the load. The command is a module of its own, so that
// vegeta steers no version of the product; of the product it knows the public
// contract and e2e/process.
package main
