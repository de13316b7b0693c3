package api

// Who may ask: API keys, and no web page of another origin. A client that tries many wrong
// keys is slowed down.

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	keyHeader = "x-api-key"
	pageFiles = "/ui/" // the path of the page's files
)

type keyHash = [sha256.Size]byte

// keyHashes reads the accepted hashes. One that can't be read becomes a hash that no key has,
// so that keys are still required and nobody is accepted by mistake.
func keyHashes(texts []string) []keyHash {
	hashes := make([]keyHash, len(texts))
	for i, text := range texts {
		raw, err := hex.DecodeString(strings.TrimSpace(text))
		if err == nil && len(raw) == sha256.Size {
			copy(hashes[i][:], raw)
		}
	}
	return hashes
}

// admit refuses a request that must not be answered, and records its caller.
func (s *server) admit(x *exchange) *Problem {
	if err := s.origins.Check(asUnsafe(x.r)); err != nil {
		return crossOrigin.problem("A page of another origin may not send this request from a browser.")
	}
	// Any web page can make its own name resolve to 127.0.0.1. Its requests then have the
	// origin of this server.
	if s.options.Local && !isLocalHost(x.r.Host) {
		return crossOrigin.problem("This server answers to localhost and to its address only, not to another name.")
	}
	if len(s.keys) == 0 {
		return nil
	}
	key := x.r.Header.Get(keyHeader)
	if hash, known := s.known(key); known {
		x.caller, x.keyed = hash, true
		return nil
	}
	if isOpen(x.r) {
		return nil
	}
	problem := unauthorized.problem("An API key is needed: send it in the header x-api-key.")
	if key != "" {
		if problem = s.guesses.slowDown(x.r.Context(), addressOf(x.r), s.log); problem == nil {
			problem = unauthorized.problem("The API key in the header x-api-key is not accepted.")
		}
	}
	if problem.Status == http.StatusUnauthorized {
		x.w.Header().Set("WWW-Authenticate", `ApiKey header="`+keyHeader+`"`)
	}
	return problem
}

// known gives the hash of a key, and whether it is accepted. An empty key never is, even if
// its hash is configured.
func (s *server) known(key string) (hash string, known bool) {
	sum := sha256.Sum256([]byte(key))
	found := 0
	for i := range s.keys { // compare with all, so that the time does not reveal which one
		found |= subtle.ConstantTimeCompare(s.keys[i][:], sum[:])
	}
	return hex.EncodeToString(sum[:]), found == 1 && key != ""
}

// asUnsafe gives a request for the check of its origin. That check accepts every GET, but a
// GET with a probe calls the providers, so it is checked as a POST.
func asUnsafe(r *http.Request) *http.Request {
	if r.URL.Path != healthPath || !mayProbe(r.URL.RawQuery) {
		return r
	}
	unsafe := *r
	unsafe.Method = http.MethodPost
	return &unsafe
}

// isLocalHost reports whether a Host header is localhost or an address.
func isLocalHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.EqualFold(host, "localhost") || net.ParseIP(strings.Trim(host, "[]")) != nil
}

// isOpen reports whether a route needs no key.
func isOpen(r *http.Request) bool {
	switch p := r.URL.Path; {
	case p == livePath, p == readyPath:
		return true
	case p == "/", strings.HasPrefix(p, pageFiles): // the page holds no data
		return true
	case p == "/openapi.json", p == "/openapi.yaml", p == "/docs", strings.HasPrefix(p, problemPath):
		return true
	case p == healthPath && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		return !mayProbe(r.URL.RawQuery)
	}
	return false
}

// mayProbe reports whether a query may mean probe=true. A query that can't be read does.
func mayProbe(query string) bool {
	values, err := url.ParseQuery(query)
	if err != nil {
		return true
	}
	for _, value := range values["probe"] {
		if off, err := strconv.ParseBool(value); err != nil || off {
			return true
		}
	}
	return false
}

const (
	guessForgotten = 6 * time.Second // after this, one wrong key of an address is forgotten
	freeGuesses    = 5               // wrong keys that are refused without a delay
	slowGuesses    = 20              // wrong keys after which further ones are not checked for a while
	guessDelay     = time.Second     // of each answer between these two
	mostDelayed    = 64              // answers that are delayed at once; further ones are not delayed
	mostAddresses  = 4096            // that are counted separately; all others count as one
)

// guesses counts the wrong keys of each address. The zero value is ready.
type guesses struct {
	mu sync.Mutex
	// forgotten is when the last wrong key of an address will be forgotten. Each wrong key
	// postpones it by guessForgotten. Guarded by mu.
	forgotten map[netip.Addr]time.Time
	delayed   int // guarded by mu
}

// slowDown counts a wrong key. It returns nil, perhaps after a delay, if the key should be
// refused as usual, and otherwise the problem of too many wrong keys.
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

// count counts a wrong key. The answer has to be delayed if delay is true, and the caller
// then subtracts it from g.delayed. A retryAfter above 0 means that there were too many.
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

// placeOf gives the address under which wrong keys are counted: the address itself, or the
// zero address if too many others are counted.
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

// addressOf gives the address that a request comes from. For IPv6 it is the network, since
// one host may have any number of addresses in it.
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
