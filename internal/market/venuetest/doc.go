// Package venuetest is a server that speaks the wire formats of the venues in package
// venue. It serves tests that need candles: without a network, at any speed of the clock,
// and with scripted faults.
//
//	server := venuetest.Serve(time.Now)
//	defer server.Close()
//	source, err := venue.New("kraken", server.BaseURL("kraken"), server.Client())
//
// Its candles are made up. They depend only on the pair and the time, and not on the
// venue, the request or the process. It knows every pair but those whose base begins with
// UNLISTED. It must not know the adapters that are tested with it.
package venuetest
