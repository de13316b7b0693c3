// Package venuetest is a server that speaks the wire formats of the venues in
// package venue, for tests of whatever needs candles: without a network, at any
// speed of the clock, and with scripted faults.
//
//	server := venuetest.Serve(time.Now)
//	defer server.Close()
//	source, err := venue.New("kraken", server.BaseURL("kraken"), server.Client())
//
// Its candles are made up and always the same: of a pair and a moment, not of the
// venue, the request or the process. It knows every pair but those whose base
// begins with UNLISTED. It must not know the adapters that are tested with it.
package venuetest
