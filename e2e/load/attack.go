package main

// The load, which vegeta makes: requests in a closed loop, at a fixed rate, or a given
// number of them.

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

const (
	// answerTimeout is above the longest run that the server allows (30 s).
	answerTimeout = 35 * time.Second
	// maxOpen bounds the connections at a fixed rate.
	maxOpen = 2048
)

func newClient() *http.Client {
	return &http.Client{Timeout: answerTimeout, Transport: &http.Transport{
		MaxIdleConns: maxOpen, MaxIdleConnsPerHost: maxOpen, DisableCompression: true,
	}}
}

// shape says how the requests of an attack follow each other.
type shape struct {
	pace          vegeta.Pacer
	length        time.Duration // 0: until the pacer ends it
	workers, most int           // at the start and at most; each waits for its answer before it sends again
}

// closedLoop keeps so many requests on their way for a time.
func closedLoop(length time.Duration, connections int) shape {
	return shape{vegeta.Rate{}, length, connections, connections}
}

// fixedRate sends so many requests a second for a time, whatever the answers do.
func fixedRate(rate int, length time.Duration, connections int) shape {
	return shape{vegeta.Rate{Freq: rate, Per: time.Second}, length, connections, maxOpen}
}

// exactly sends n requests as a closed loop.
func exactly(n, connections int) shape {
	return shape{times(n), 0, connections, connections}
}

// times is a pacer that ends after so many requests.
type times uint64

func (n times) Pace(_ time.Duration, sent uint64) (time.Duration, bool) { return 0, sent >= uint64(n) }

func (times) Rate(time.Duration) float64 { return 0 } // only plots ask for it

// attack returns all results, and how long they took.
func attack(ctx context.Context, client *http.Client, what vegeta.Targeter, how shape) ([]*vegeta.Result, time.Duration) {
	attacker := vegeta.NewAttacker(vegeta.Client(client), vegeta.Workers(uint64(how.workers)), vegeta.MaxWorkers(uint64(how.most)))
	defer context.AfterFunc(ctx, func() { attacker.Stop() })()
	var results []*vegeta.Result
	began := time.Now()
	for result := range attacker.Attack(what, how.pace, how.length, "") {
		result.Headers = nil // or the results of a long attack need much memory
		results = append(results, result)
	}
	return results, time.Since(began)
}

// asking returns the questions in turn. The fragment of the URL, which is not sent, is
// the question's number.
func asking(server string, questions []question) vegeta.Targeter {
	header := http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}}
	var next atomic.Int64
	return func(t *vegeta.Target) error {
		i := int(next.Add(1)-1) % len(questions)
		*t = vegeta.Target{Method: http.MethodPost, URL: numbered(server+"/v1/consensus", i), Body: questions[i].body, Header: header}
		return nil
	}
}

// numbered puts a number into a URL; numberOf reads it from a result.
func numbered(url string, i int) string { return url + "#" + strconv.Itoa(i) }

func numberOf(result *vegeta.Result) int {
	_, fragment, _ := strings.Cut(result.URL, "#")
	i, _ := strconv.Atoi(fragment)
	return i
}
