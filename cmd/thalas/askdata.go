package main

// What the models are shown: from a JSON object, a CSV file of candles, or both.

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"thalas/internal/market"
	"thalas/internal/orchestrator"
	"thalas/internal/signal"
	"thalas/internal/strictjson"
)

const maxDataBytes = 256 << 10 // as the API takes them

// readMarket fills in the market data, the timeframe and the price.
func (f askFlags) readMarket(r *orchestrator.Request, in io.Reader) (err error) {
	if f.data == "" && f.candles == "" {
		return errors.New("no market data: give --data FILE (a JSON object), --candles FILE (a CSV), or both")
	}
	if f.data == "-" && f.candles == "-" {
		return errors.New("--data and --candles cannot both read standard input")
	}
	if f.data != "" {
		if r.MarketData, err = readData(f.data, in); err != nil {
			return err
		}
	}
	var candles []signal.Candle
	if f.candles != "" {
		if len(r.MarketData.Candles) > 0 {
			return errors.New("--data holds recent_candles and --candles gives others: give the candles once")
		}
		if candles, err = readCandles(f.candles, in); err != nil {
			return err
		}
	} else {
		candles = r.MarketData.Candles
	}
	if r.Timeframe, err = f.resolveTimeframe(candles); err != nil {
		return err
	}
	r.MarketData.Candles = candles
	switch {
	case f.price != "":
		if r.CurrentPrice, err = signal.ParseNumber(f.price); err != nil {
			return fmt.Errorf("--price: %w", err)
		}
		if !(r.CurrentPrice.Float64() > 0) {
			return fmt.Errorf("--price %s is not above 0", f.price)
		}
	case len(candles) > 0:
		r.CurrentPrice = candles[len(candles)-1].Close
	default:
		return errors.New("no price: give --price, or candles whose last close is the price")
	}
	return nil
}

// resolveTimeframe takes the flag, else the spacing of the candles, else, where no
// candle file was given, the API's default. A flag that the candles contradict is
// a mistake: the models would judge another market than the one that was meant.
func (f askFlags) resolveTimeframe(candles []signal.Candle) (signal.Timeframe, error) {
	spacing, known := market.TimeframeOf(candles)
	switch {
	case f.timeframe != "":
	case known:
		return spacing, nil
	case f.candles != "":
		return "", errors.New("the times of the candles do not tell their timeframe: give --timeframe")
	default:
		return signal.DefaultTimeframe, nil
	}
	timeframe, err := signal.ParseTimeframe(f.timeframe)
	if err != nil {
		return "", fmt.Errorf("--timeframe: %w", err)
	}
	if apart, contradicted := timeframe.Contradicted(candles); contradicted {
		return "", fmt.Errorf("--timeframe is %s, but the candles are %s apart: give the candles' own timeframe, or other candles", timeframe, apart)
	}
	return timeframe, nil
}

func readData(path string, in io.Reader) (signal.MarketData, error) {
	content, err := readAll(path, in, maxDataBytes)
	if err != nil {
		return signal.MarketData{}, fmt.Errorf("--data: %w", err)
	}
	content = strictjson.WithoutBOM(content)
	data, err := signal.ParseMarketData(content, signal.MaxText)
	var fields signal.FieldErrors
	var unread *strictjson.Error
	switch {
	case err == nil:
		return data, nil
	case len(bytes.TrimSpace(content)) == 0:
		return data, fmt.Errorf(`--data %s is empty: write a JSON object such as {"rsi": 65.5}`, path)
	case errors.As(err, &fields):
		return data, fmt.Errorf("--data %s: %w", path, err)
	}
	if errors.As(err, &unread) && unread.Kind == strictjson.NaN {
		return data, fmt.Errorf("--data %s: %s is no number: %w", path, strings.TrimPrefix(unread.Place, "."), err)
	}
	return data, fmt.Errorf(`--data %s is not a JSON object such as {"rsi": 65.5}: %w`, path, err)
}

func readCandles(path string, in io.Reader) ([]signal.Candle, error) {
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("--candles: %w", err)
		}
		defer file.Close()
		in = file
	}
	candles, err := market.ReadCSV(in)
	if err != nil {
		return nil, fmt.Errorf("--candles %s: %w", path, err)
	}
	if len(candles) == 0 {
		return nil, fmt.Errorf("--candles %s: holds no candle", path)
	}
	return candles, nil
}

// readAll reads a file, or standard input for -, of at most limit bytes.
func readAll(path string, in io.Reader, limit int64) ([]byte, error) {
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		in = file
	}
	content, err := io.ReadAll(io.LimitReader(in, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(content)) > limit {
		return nil, fmt.Errorf("%s is over %d KiB", path, limit>>10)
	}
	return content, nil
}
