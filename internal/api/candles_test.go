package api_test

// Questions with candles and no indicators, on both routes.

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// bareCandles makes n candles without times, which rise by 1 from 100.
func bareCandles(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`{"open":%d,"high":%d,"low":%d,"close":%d,"volume":2}`, 99+i, 101+i, 98+i, 100+i)
	}
	return `{"recent_candles":[` + strings.Join(list, ",") + `]}`
}

func TestBareCandles(t *testing.T) {
	for _, path := range []string{"/v1/consensus", compatPath} {
		t.Run(path, func(t *testing.T) {
			f := newServer(t, setup{})
			answer := f.post(t, path, edited("timeframe", `"1h"`, "current_price", "399", "market_data", bareCandles(300))).want(t, 200).object(t)
			asked := f.simulator.Recorded()
			if len(asked) != 3 {
				t.Fatalf("%d providers were asked", len(asked))
			}
			for _, request := range asked {
				for _, line := range []string{`"rsi": 100,`, `"ema_20": 389.5,`, `"ema_50": 374.5,`, `"macd": 7,`, `"macd_hist": 0,`, `"bb_middle": 389.5,`, `"atr": 3,`, `"volume_ratio": 1\n`, `"price_change_24h": 6.4,`} {
					if body := string(request.Body); !strings.Contains(body, strings.ReplaceAll(line, `"`, `\"`)) {
						t.Errorf("%s was not shown %s: %s", request.Provider, line, body[:min(len(body), 4000)])
					}
				}
			}
			if path == compatPath {
				if _, has := answer["warnings"]; has {
					t.Error("the original has no warnings")
				}
				return
			}
			warnings, _ := json.Marshal(answer["warnings"])
			if want := `[{"code":"indicators_computed","message":"computed from recent_candles (300): rsi, atr, ema_20, ema_50, macd, macd_signal, macd_hist, bb_upper, bb_middle, bb_lower, volume_ratio, price_change_24h"}]`; string(warnings) != want {
				t.Errorf("warnings %s, want %s", warnings, want)
			}
		})
	}
}

func TestSentIndicatorsWin(t *testing.T) {
	f := newServer(t, setup{})
	data := strings.TrimSuffix(bareCandles(300), "}") + `,"RSI":12.50,"price_change_24h":-9}`
	answer := f.post(t, "/v1/consensus", edited("timeframe", `"1h"`, "current_price", "399", "market_data", data)).want(t, 200).object(t)
	var codes []string
	for _, w := range answer["warnings"].([]any) {
		codes = append(codes, fmt.Sprint(w.(map[string]any)["code"]))
	}
	if got := strings.Join(codes, " "); got != "indicators_computed indicator_contradiction indicator_contradiction" {
		t.Errorf("warnings %v", answer["warnings"])
	}
	body := string(f.simulator.Recorded()[0].Body)
	if !strings.Contains(body, `\"RSI\": 12.50,`) || !strings.Contains(body, `\"price_change_24h\": -9,`) || strings.Contains(body, `\"rsi\"`) {
		t.Errorf("the models were shown %s", body[:4000])
	}
}
