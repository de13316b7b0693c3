package market

// The exponential average that most indicators are made of.

// average smooths the values that it is given one by one. It begins as the plain
// mean of its first period values, and from there each value moves it by share.
type average struct {
	period int
	share  float64
	seen   int
	value  float64
}

// ema is the usual exponential average.
func ema(period int) average { return average{period: period, share: 2 / float64(period+1)} }

// wilder is the slower one of J. Welles Wilder, New Concepts in Technical Trading
// Systems, 1978.
func wilder(period int) average { return average{period: period, share: 1 / float64(period)} }

// mean is the plain mean of the first period values; later ones do not move it.
func mean(period int) average { return average{period: period} }

// add takes the next value. The mean is moved along, not summed up: equal
// values give exactly that value, and large ones do not overflow.
func (a *average) add(x float64) {
	if a.seen++; a.seen <= a.period {
		a.value += (x - a.value) / float64(a.seen)
	} else {
		a.value += (x - a.value) * a.share
	}
}

// warm reports whether there was a value for each candle of the period.
func (a *average) warm() bool { return a.seen >= a.period }
