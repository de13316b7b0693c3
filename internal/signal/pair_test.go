package signal_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"thalas/internal/signal"
)

func TestParsePair(t *testing.T) {
	tests := []struct{ text, want string }{
		{"BTC/USDT", "BTC/USDT"},
		{"btc-usdt", "BTC/USDT"},
		{"BTC_USDT", "BTC/USDT"},
		{"BTCUSDT", "BTC/USDT"},
		{"btcusdt", "BTC/USDT"},
		{"BINANCE:BTCUSDT", "BTC/USDT"},
		{"BTC/USDT:USDT", "BTC/USDT:USDT"},
		{"BTCUSDT.P", "BTC/USDT:USDT"},
		{" \tBTC/USDT\n", "BTC/USDT"},
		{"BINANCE:BTCUSDT.P", "BTC/USDT:USDT"},
		{"bybit:btc-usdt.p", "BTC/USDT:USDT"},
		{"BTC/USDT.P", "BTC/USDT:USDT"},
		{"BTC-USD:BTC", "BTC/USD:BTC"},
		{"BTC_USD:BTC", "BTC/USD:BTC"},
		{"BTC_USDT:USDT", "BTC/USDT:USDT"},
		{"BTC_USD:BUSD", "BTC/USD:BUSD"},
		{"FX_IDC:EURUSD", "EUR/USD"}, // a venue with an underscore
		{"BINANCE_US:BTC/USDT", "BTC/USDT"},
		{"BINANCE:BTC/USDT:USDT", "BTC/USDT:USDT"},
		{"1000PEPE/USDT", "1000PEPE/USDT"},
		{"XYZ-TSLA/USDC:USDC", "XYZ-TSLA/USDC:USDC"}, // a slash is the only separator
		{"xyz-tsla/usdc.p", "XYZ-TSLA/USDC:USDC"},
		{"HYPERLIQUID:XYZ-TSLA/USDC", "XYZ-TSLA/USDC"},
		{"A_B/USDT", "A_B/USDT"},
		{"RLUSD/XRP", "RLUSD/XRP"},
		{"PERP/USDT", "PERP/USDT"}, // these codes of assets mean contracts in other names
		{"BINANCE:PERPUSDT", "PERP/USDT"},
		{"PERP-USD", "PERP/USD"},
		{"PI_USDT", "PI/USDT"},
		{"SWAP_ETH", "SWAP/ETH"},
		{"BTC-RLUSD", "BTC/RLUSD"},
		{"WBTC-WETH", "WBTC/WETH"},
		{"STETH_WETH", "STETH/WETH"},
		{"BTC-USD", "BTC/USD"},
		{"BTCFDUSD", "BTC/FDUSD"}, // the longest quote that fits
		{"BTCTUSD", "BTC/TUSD"},
		{"BNBBUSD", "BNB/BUSD"},
		{"ETHPYUSD", "ETH/PYUSD"},
		{"XBTUSD", "XBT/USD"}, // not XB/TUSD
		{"COINBASE:DOTUSD", "DOT/USD"},
		{"USDTUSD", "USDT/USD"},
		{"EURTUSD", "EURT/USD"},
		{"BNBUSD", "BNB/USD"},
		{"SHIBUSD", "SHIB/USD"},
		{"SPYUSD", "SPY/USD"},
		{"GRTUSD.P", "GRT/USD:USD"},
		{"USDCUSDT", "USDC/USDT"},
		{"ETHBTC", "ETH/BTC"},
		{"TUSDT", "T/USDT"},
		{strings.Repeat("A", 20) + "/" + strings.Repeat("B", 20) + ":" + strings.Repeat("C", 20), strings.Repeat("A", 20) + "/" + strings.Repeat("B", 20) + ":" + strings.Repeat("C", 20)},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			got, err := signal.ParsePair(test.text)
			if err != nil || got.String() != test.want {
				t.Errorf("got %q, %v; want %q", got, err, test.want)
			}
		})
	}
}

func TestParsePairRefuses(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"empty", "", "pair is empty"},
		{"blank", " \n", "pair is empty"},
		{"too long", strings.Repeat("A", 65), "at most 64 characters"},
		{"not UTF-8", "BTC/\xff", "is not text"},
		{"a question", "Will Bitcoin reach $100k?", "does not end in a known quote"},
		{"no quote", "BTC", "does not end in a known quote"},
		{"unknown quote", "BTCXYZ", "does not end in a known quote"},
		{"only a quote", "USDT", "does not end in a known quote"},
		{"a quote that ends in another", "BUSD", "does not end in a known quote"},
		{"empty quote", "BTC/", "does not name a base and a quote"},
		{"empty base", "/USDT", "does not name a base and a quote"},
		{"empty settlement", "BTC/USDT:", "does not name a base and a quote"},
		{"empty venue", ":BTCUSDT", "venue"},
		{"venue with a point", "A.B:BTCUSDT", "venue"},
		{"three assets", "BTC/USDT/EUR", "does not name a base and a quote"},
		{"settlement twice", "BTC/USDT:USDT.P", "settlement twice"},
		{"base that begins with a dash", "-TSLA/USDC", "does not name a base and a quote"},
		{"base of two that is too long", strings.Repeat("A", 10) + "-" + strings.Repeat("B", 10) + "/USDT.P", "does not name a base and a quote"},
		{"a future of Bybit", "BTCUSDH26", "does not end in a known quote"},
		{"a perpetual of KuCoin", "XBTUSDTM", "does not end in a known quote"},
		{"a future of Bitfinex", "tBTCF0:USTF0", "does not end in a known quote"},
		{"a future of TradingView", "CME:BTC1!", "does not end in a known quote"},
		{"three words", "XYZ-TSLA-USDC", "does not name a base and a quote"},
		{"three colons", "BINANCE:BTC/USDT:USDT:X", "does not name a base and a quote"},
		{"the same twice", "BTC/BTC", "same base and quote"},
		{"space inside", "BTC /USDT", "does not name a base and a quote"},
		{"an asset of 21 letters", strings.Repeat("A", 21) + "/USDT", "does not name a base and a quote"},
		{"a letter that looks alike", "ВTC/USDT", "other than letters and digits"},
		{"a letter whose upper case is ASCII", "uſdc/eur", "other than letters and digits"},
		{"control character", "BTC/\x1b[2J", "does not name a base and a quote"},
		{"perpetual alone", ".P", "does not end in a known quote"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := signal.ParsePair(test.text)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "send one such as BTC/USDT") {
				t.Errorf("got %q, %v; want an error with %q and advice", got, err, test.want)
			}
			if !got.IsZero() {
				t.Errorf("the error came with %q", got)
			}
		})
	}
}

// Names of contracts, which would be another pair if they were split.
func TestParsePairRefusesContracts(t *testing.T) {
	const example = "such as BTC/USDT, or BTC/USDT:USDT"
	tests := []struct{ text, write string }{
		{"BTC-PERP", example},
		{"btc_perp", example},
		{"ETH-PERPETUAL", "such as ETH/USDT, or ETH/USDT:USDT"},
		{"BTC/PERP", example},
		{"BTC-PERP/USDT", "write BTC/USDT, or BTC/USDT:USDT"},
		{"BTC-PERP-INTX", example},
		{"BTC-USD-PERP", "write BTC/USD, or BTC/USD:USD"},
		{"BTC_USDC-PERPETUAL", "write BTC/USDC, or BTC/USDC:USDC"},
		{"PERP_BTC_USDT", "write BTC/USDT, or BTC/USDT:USDT"},
		{"BTCPERP", example}, // Bybit
		{"BYBIT:BTCPERP", example},
		{"BTCUSDTPERP", "write BTC/USDT, or BTC/USDT:USDT"},
		{"BTCUSDT.PERP", "write BTC/USDT, or BTC/USDT:USDT"},
		{"PF_XBTUSD", "write XBT/USD, or XBT/USD:USD"}, // Kraken
		{"PI_ETHUSD", "write ETH/USD, or ETH/USD:USD"},
		{"FI_XBTUSD_251226", "write XBT/USD, or XBT/USD:USD"},
		{"KRAKEN:PF_XBTUSD", "write XBT/USD, or XBT/USD:USD"},
		{"BTCUSD_PERP", "write BTC/USD, or BTC/USD:USD"}, // Binance
		{"BINANCE:BTCUSD_PERP", "write BTC/USD, or BTC/USD:USD"},
		{"BTCUSDT_251226", "write BTC/USDT, or BTC/USDT:USDT"},
		{"ETHBTC_260327", "write ETH/BTC, or ETH/BTC:BTC"},
		{"BTCUSD-PERP", "write BTC/USD, or BTC/USD:USD"},
		{"BTCUSDT-26DEC25", "write BTC/USDT, or BTC/USDT:USDT"},
		{"BTCUSDT_UMCBL", "write BTC/USDT, or BTC/USDT:USDT"}, // Bitget
		{"BTC-USDT-SWAP", "write BTC/USDT, or BTC/USDT:USDT"}, // OKX
		{"BTC-USD-251226", "write BTC/USD, or BTC/USD:USD"},
		{"BTC_CQ", example}, // Huobi
		{"BTC_USDT_20251226", "write BTC/USDT, or BTC/USDT:USDT"},
		{"BTC-27DEC26", example}, // Deribit
		{"BTC-27DEC26-100000-C", example},
		{"BTC_USDC-27DEC26", "write BTC/USDC, or BTC/USDC:USDC"},
		{"BTC-1231", example},
		{"BTC-Z26", example},
		{"USDC-PERP", example},
		{"WBTC-PERP", "such as WBTC/USDT, or WBTC/USDT:USDT"},
		{"BTC/USDT:USDT-261225", "write BTC/USDT, or BTC/USDT:USDT"}, // ccxt
		{"BTC/USD:BTC-251226-100000-C", "write BTC/USD, or BTC/USD:USD"},
		{"BTC/USDT:SWAP", "write BTC/USDT, or BTC/USDT:USDT"},
		{"BTC_PERP:USDT", "write BTC/USDT, or BTC/USDT:USDT"},
		{"BTC-PERP.P", example},
		{"BTCUSDT:USDT", "write BTC/USDT, or BTC/USDT:USDT"},
		{"BTCUSD:BTC", "write BTC/USD, or BTC/USD:BTC"},
		{"BTCBUSD:BUSD", "write BTC/BUSD, or BTC/BUSD:BUSD"},
		{"BTCUSDT_XYZ", "write BTC/USDT, or BTCUSDT/XYZ if XYZ is the quote"}, // an unknown kind
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			got, err := signal.ParsePair(test.text)
			if !errors.Is(err, signal.ErrContract) || !strings.Contains(err.Error(), test.write) || !got.IsZero() {
				t.Errorf("got %q, %v; want signal.ErrContract with %q", got, err, test.write)
			}
			market, err := signal.ParseMarket(test.text)
			if err != nil || market.String() != test.text {
				t.Errorf("as free text it is %q, %v; want it kept", market, err)
			}
		})
	}
}

// The pairs that an error advises can be read.
func TestContractAdvice(t *testing.T) {
	written := regexp.MustCompile(`[A-Z0-9]+/[A-Z0-9]+(:[A-Z0-9]+)?`)
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.OneOf(rapid.SampledFrom([]string{"BTC", "USDT", "BTCUSD", "PERP", "PF", "251226", "27DEC26", "SWAP", "WBTC", "USDC"}), rapid.StringMatching(`[A-Z0-9]{1,20}`))
		text := strings.Join(rapid.SliceOfN(word, 1, 4).Draw(t, "words"), rapid.SampledFrom([]string{"-", "_", "/", ":"}).Draw(t, "separator"))
		_, err := signal.ParsePair(text)
		if !errors.Is(err, signal.ErrContract) {
			return
		}
		_, advice, _ := strings.Cut(err.Error(), signal.ErrContract.Error())
		for _, pair := range written.FindAllString(advice, -1) {
			if p, err := signal.ParsePair(pair); err != nil || p.String() != pair {
				t.Fatalf("%q: it says to write %s, which is %q, %v", text, pair, p, err)
			}
		}
	})
}

// checkCanonical checks that the canonical form of a pair is read as the same pair.
func checkCanonical(t interface{ Fatalf(string, ...any) }, p signal.Pair) {
	again, err := signal.ParsePair(p.String())
	if err != nil || again != p {
		t.Fatalf("%q reads back as %q, %v", p, again, err)
	}
}

func TestPairRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		asset := rapid.OneOf(rapid.SampledFrom([]string{"BTC", "USDT", "USD", "eth", "BUSD", "1000PEPE", "XYZ-TSLA", "PERP", "PF", "XBTUSD", "251226", "27DEC26", "SWAP"}), rapid.StringMatching(`[A-Za-z0-9]{1,20}`))
		text := rapid.SampledFrom([]string{"", "", "BINANCE:", "FX_IDC:"}).Draw(t, "venue") + asset.Draw(t, "base") +
			rapid.SampledFrom([]string{"/", "-", "_", ""}).Draw(t, "separator") + asset.Draw(t, "quote")
		switch rapid.IntRange(0, 3).Draw(t, "contract") {
		case 0:
			text += ":" + asset.Draw(t, "settle")
		case 1:
			text += ".P"
		}
		if p, err := signal.ParsePair(text); err == nil {
			checkCanonical(t, p)
		}
	})
}

func FuzzParsePair(f *testing.F) {
	for _, seed := range []string{"BTC/USDT", "btc-usdt", "BTC_USDT", "BTCUSDT", "BINANCE:BTCUSDT", "BTC/USDT:USDT", "BTCUSDT.P", "FX_IDC:EURUSD", "BTC_USD:BTC", "XYZ-TSLA/USDC:USDC", "BTC-PERP", "PF_XBTUSD", "BTCUSDT_251226", "BTCUSDT:USDT", "Will it rain?", "\x01btcusdt", "ſ"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := signal.ParsePair(text)
		if (err == nil) == p.IsZero() {
			t.Fatalf("got %q with %v", p, err)
		}
		if err == nil {
			checkCanonical(t, p)
		}
		market, marketErr := signal.ParseMarket(text)
		if err == nil && market != p {
			t.Fatalf("as a market it is %q, as a pair %q", market, p)
		}
		if marketErr == nil {
			if again, err := signal.ParseMarket(market.String()); err != nil || again != market {
				t.Fatalf("%q reads back as %q, %v", market, again, err)
			}
		}
	})
}

func TestParseMarket(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"a pair is made canonical", "btcusdt.p", "BTC/USDT:USDT"},
		{"a contract is kept", "BTC-USDT-SWAP", "BTC-USDT-SWAP"},
		{"a question is kept", " Will Bitcoin reach $100k? ", "Will Bitcoin reach $100k?"},
		{"other scripts", "日本 €?", "日本 €?"},
		{"control characters become spaces", "a\r\nb\x1b[2Jc\u0085d", "a  b [2Jc d"},
		{"line separators too", "a\u2028b\u2029c", "a b c"},
		{"text that would turn around", "a\u202eb", "a b"},
		{"a pair behind a control character", "\x01btcusdt", "BTC/USDT"},
		{"300 characters", strings.Repeat("é", 300), strings.Repeat("é", 300)},
		{"301 characters", strings.Repeat("é", 301), ""},
		{"301 characters, of which one is no text", strings.Repeat("é", 300) + "\u009e", ""},
		{"empty", "", ""},
		{"only control characters", "\x00\n\t", ""},
		{"not UTF-8", "Will \xff?", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := signal.ParseMarket(test.text)
			if got.String() != test.want || (err == nil) != (test.want != "") {
				t.Errorf("got %q, %v; want %q", got, err, test.want)
			}
		})
	}
}

func TestPairText(t *testing.T) {
	for _, text := range []string{"BTC/USDT:USDT", "Will Bitcoin reach $100k?"} {
		var p signal.Pair
		if err := p.UnmarshalText([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := p.MarshalText(); err != nil || string(got) != text {
			t.Errorf("got %q, %v; want %q", got, err, text)
		}
	}
	p := signal.Pair{}
	if err := p.UnmarshalText(nil); err == nil || !p.IsZero() {
		t.Errorf("nothing was read as %q, %v", p, err)
	}
}
