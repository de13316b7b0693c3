package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"thalas/internal/market"
	"thalas/internal/market/venue"
	"thalas/internal/signal"
)

func TestServesEveryVenue(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	output, input := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, []string{"-listen", "127.0.0.1:0", "-start", "2026-11-23T05:00:00Z", "-speed", "0.001"}, input, io.Discard)
		_ = input.Close()
		ended <- err
	}()
	pair, err := signal.ParsePair("BTC/USDT")
	if err != nil {
		t.Fatal(err)
	}
	series := market.Series{Pair: pair, Timeframe: "5m"}
	last := time.Date(2026, 11, 23, 4, 55, 0, 0, time.UTC)
	printed := bufio.NewScanner(output)
	addresses := map[string]string{} // by variable
	for range venue.Names() {
		if !printed.Scan() {
			t.Fatal(<-ended)
		}
		variable, address, _ := strings.Cut(strings.TrimPrefix(printed.Text(), "export "), "=")
		addresses[variable] = address
	}
	for _, name := range venue.Names() {
		address := addresses[strings.ToUpper(name)+"_BASE_URL"]
		client := &http.Client{Transport: &http.Transport{}}
		source, err := venue.New(name, address, client)
		if err != nil {
			t.Fatal(err)
		}
		fetched, err := source.Candles(t.Context(), series, last)
		candles := fetched.Candles
		if err != nil || !candles[len(candles)-1].Time.Equal(last) {
			t.Errorf("%s: %d candles, %v", name, len(candles), err)
		}
		client.CloseIdleConnections()
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestRefuses(t *testing.T) {
	for _, args := range [][]string{{"kraken"}, {"-speed", "0"}, {"-speed", "NaN"}, {"-start", "yesterday"}, {"-listen", "nowhere:x"}, {"-faults", "kraken=teapot"}} {
		var output bytes.Buffer
		if err := run(t.Context(), args, &output, &output); err == nil {
			t.Errorf("%q is taken", args)
		}
	}
}
