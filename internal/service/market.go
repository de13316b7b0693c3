package service

// What the models saw of the market, which is stored beside a result for people who look at
// the decision. It is in no list, and the answered bytes do not change with it.

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"thalas/internal/signal"
	"thalas/internal/store"
)

// marketShown is the most candles, and numbers of one list, that are stored.
const marketShown = 120

// marketOf gives market data as it is stored: with the newest of long lists, in gzip; nil if
// that is larger than a store takes.
func marketOf(data signal.MarketData) []byte {
	data.Candles = newest(data.Candles)
	data.Indicators = slices.Clone(data.Indicators)
	for i := range data.Indicators {
		if list, is := data.Indicators[i].Value.([]signal.Number); is {
			data.Indicators[i].Value = newest(list)
		}
	}
	text, err := data.MarshalJSON()
	if err != nil {
		return nil // unreachable: the data were checked
	}
	var zipped bytes.Buffer
	zipperMu.Lock()
	zipper.Reset(&zipped)
	_, _ = zipper.Write(text) // a bytes.Buffer takes everything
	_ = zipper.Close()
	zipperMu.Unlock()
	if zipped.Len() > store.MaxMarket {
		return nil
	}
	return zipped.Bytes()
}

// zipper is one for all runs, since it has almost a megabyte of tables, and works for less than a
// tenth of a millisecond. It takes the fastest level: every run pays for it, and few read it.
var (
	zipperMu  sync.Mutex
	zipper, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is one of those that exist
)

// newest gives the end of a list, whose oldest element is the first.
func newest[T any](list []T) []T { return list[max(0, len(list)-marketShown):] }

// Market gives what the models saw of the market in the run of a stored result, as JSON. It
// is null if that is not kept.
func (s *Service) Market(ctx context.Context, id string) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	zipped, err := s.Store.Market(ctx, id)
	switch {
	case errors.Is(err, store.ErrNotFound): // the result has just expired
		zipped = nil
	case err != nil:
		return nil, unreachable("to read the market data", err)
	}
	if zipped == nil {
		return json.RawMessage("null"), nil
	}
	r, err := gzip.NewReader(bytes.NewReader(zipped))
	if err == nil {
		var text []byte
		if text, err = io.ReadAll(r); err == nil {
			return text, nil
		}
	}
	return nil, fmt.Errorf("the stored market data of the result %s can't be read: %w", id, err)
}
