package config

// The addresses of the venues that candles come from.

// Venues holds an address for each venue that has another one than its own.
type Venues struct {
	Kraken    string `env:"KRAKEN_BASE_URL" default:"the venue's" form:"url" about:"other address of Kraken, which candles come from: proxy, test; a path in it is kept"`
	Coinbase  string `env:"COINBASE_BASE_URL" default:"the venue's" form:"url" about:"the same of Coinbase Exchange"`
	OKX       string `env:"OKX_BASE_URL" default:"the venue's" form:"url" about:"the same of OKX"`
	Binance   string `env:"BINANCE_BASE_URL" default:"the venue's" form:"url" about:"the same of Binance, which is asked only where it is named"`
	BinanceUS string `env:"BINANCEUS_BASE_URL" default:"the venue's" form:"url" about:"the same of Binance.US, which is asked only where it is named"`
}

// BaseURL gives the address of a venue by its name; empty: its own.
func (v Venues) BaseURL(venue string) string {
	return map[string]string{"kraken": v.Kraken, "coinbase": v.Coinbase, "okx": v.OKX, "binance": v.Binance, "binanceus": v.BinanceUS}[venue]
}
