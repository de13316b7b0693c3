package api

// Wrong API keys: who tries many is slowed down, by address. A right key is never
// slowed, so that callers behind one proxy don't suffer for each other.

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

const (
	guessForgotten = 6 * time.Second // after which one wrong key of an address is forgotten
	freeGuesses    = 5               // wrong keys that are refused at once
	slowGuesses    = 20              // wrong keys after which no more are looked at for a while
	guessDelay     = time.Second     // of each answer between the two
	mostDelayed    = 64              // answers that are delayed at the same time; further ones are refused at once
	mostAddresses  = 4096            // that are told apart; further ones count as one
)

// guesses counts the wrong keys of each address. The zero value is ready.
type guesses struct {
	mu sync.Mutex
	// forgotten is when the last wrong key of an address will be forgotten: each puts
	// that off by guessForgotten. Guarded by mu.
	forgotten map[netip.Addr]time.Time
	delayed   int // guarded by mu
}

// slowDown counts a wrong key. It gives nil where the key is to be refused as
// usual, which may be after a while, and the problem of too many otherwise.
func (g *guesses) slowDown(ctx context.Context, from netip.Addr, log *slog.Logger) *Problem {
	delay, retryAfter := g.count(from, time.Now(), log)
	if retryAfter > 0 {
		problem := wrongKeys.problem(fmt.Sprintf("Too many wrong API keys came from this address. Try again in %.0f s, with a right key at once.", retryAfter.Seconds()))
		problem.retryAfter = retryAfter
		return problem
	}
	if !delay {
		return nil
	}
	timer := time.NewTimer(guessDelay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	g.mu.Lock()
	g.delayed--
	g.mu.Unlock()
	return nil
}

// count says whether the answer is to be delayed, or when the address may try
// again. A delayed answer is to be taken from g.delayed afterwards.
func (g *guesses) count(from netip.Addr, now time.Time, log *slog.Logger) (delay bool, retryAfter time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	from = g.placeOf(from, now)
	forgotten := g.forgotten[from]
	if forgotten.Before(now) {
		forgotten = now
	}
	forgotten = forgotten.Add(guessForgotten)
	tried := int((forgotten.Sub(now) + guessForgotten - 1) / guessForgotten)
	if tried > slowGuesses {
		return false, forgotten.Sub(now) - slowGuesses*guessForgotten
	}
	g.forgotten[from] = forgotten
	if tried == slowGuesses {
		log.LogAttrs(context.Background(), slog.LevelWarn, "Wrong API keys:", slog.String("address", from.String()), slog.Int("tried", tried))
	}
	switch {
	case tried <= freeGuesses:
		return false, 0
	case g.delayed >= mostDelayed:
		return false, guessDelay
	}
	g.delayed++
	return true, 0
}

// placeOf gives the key that an address is counted under: its own, or that of all
// addresses for which there is no room.
func (g *guesses) placeOf(from netip.Addr, now time.Time) netip.Addr {
	if g.forgotten == nil {
		g.forgotten = map[netip.Addr]time.Time{}
	}
	if _, counted := g.forgotten[from]; counted || len(g.forgotten) < mostAddresses {
		return from
	}
	for address, forgotten := range g.forgotten {
		if forgotten.Before(now) {
			delete(g.forgotten, address)
		}
	}
	if len(g.forgotten) < mostAddresses {
		return from
	}
	return netip.Addr{}
}

// addressOf is where a request comes from: of IPv6 the network, since a host there
// has any number of addresses.
func addressOf(r *http.Request) netip.Addr {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	address := from.Addr().Unmap().WithZone("")
	if address.Is6() {
		const network = 64 // bits
		if prefix, err := address.Prefix(network); err == nil {
			return prefix.Addr()
		}
	}
	return address
}
