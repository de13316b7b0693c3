// Command venue serves made-up candles in the wire formats of all venues, for
// trying a schedule or sam local without a network:
//
//	go run ./e2e/venue -listen 127.0.0.1:9700 -speed 60
//
// It prints the environment that leads the program there. With -speed 60 a minute
// passes in a second of the candles' time, which begins at -start. With -faults
// 'kraken=429*;coinbase=html' answers go wrong; -help lists how.
package main
