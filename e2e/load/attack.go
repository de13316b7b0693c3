package main

// The load itself, which vegeta makes: questions in a closed loop, at a fixed
// rate, or so many of them; and the look-ups of what was answered.

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

// shape is how the requests of an attack follow each other.
type shape struct {
	pace          vegeta.Pacer
	length        time.Duration // 0: until the pacer ends it
	workers, most int           // of which each waits for its answer before it sends again
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

// attack gives the results once all of them are there, and how long that took.
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

// asking gives the questions in turn. The URL's fragment, which is not sent, is
// the question's number.
func asking(address string, questions []question) vegeta.Targeter {
	header := http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}}
	var next atomic.Int64
	return func(t *vegeta.Target) error {
		i := int(next.Add(1)-1) % len(questions)
		*t = vegeta.Target{Method: http.MethodPost, URL: numbered("http://"+address+"/v1/consensus", i), Body: questions[i].body, Header: header}
		return nil
	}
}

// numbered puts a number into a URL, numberOf gets it from a result.
func numbered(url string, i int) string { return url + "#" + strconv.Itoa(i) }

func numberOf(result *vegeta.Result) int {
	_, fragment, _ := strings.Cut(result.URL, "#")
	i, _ := strconv.Atoi(fragment)
	return i
}
