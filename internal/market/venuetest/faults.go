package venuetest

// What can be wrong with answers, and scripts of it in text.

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Fault is what is wrong with an answer.
type Fault struct {
	status      int                 // the answer has this status, whatever the request; 0: the venue answers
	header      map[string]string   // with status
	page        string              // the body with status
	own         problem             // the answer is this error in the words of the venue
	rows        func([]Row) []Row   // changes the rows
	body        func([]byte) []byte // changes the body
	otherQuotes bool
	hang        bool
}

// No is an answer without a fault.
var No = Fault{}

const page = "<!DOCTYPE html><html><head><title>Attention Required!</title></head><body>Sorry, you have been blocked.</body></html>"

// Status answers with a status and no sensible body.
func Status(status int) Fault { return Fault{status: status, page: "{}"} }

// RetryAfter answers with a status and how many seconds to wait.
func RetryAfter(status, seconds int) Fault {
	return Fault{status: status, page: "{}", header: map[string]string{"Retry-After": strconv.Itoa(seconds)}}
}

// Page answers with the HTML page of a proxy.
func Page(status int) Fault { return Fault{status: status, page: page} }

var (
	// Limited is the venue's own answer to too many requests. Kraken's has status 200.
	Limited = Fault{own: limited}
	// Busy is the venue's own answer while it is out of order. Kraken's has status 200.
	Busy = Fault{own: busy}
	// Delisted is the venue's own answer to an unknown pair.
	Delisted = Fault{own: unknownPair}
	// Restricted is Binance's answer to an address in the United States.
	Restricted = Fault{status: http.StatusUnavailableForLegalReasons,
		page: `{"code":0,"msg":"Service unavailable from a restricted location according to 'b. Eligibility' in https://www.binance.com/en/terms. Please contact customer service if you believe you received this message in error."}`}
	// Hang sends nothing until the caller has left.
	Hang = Fault{hang: true}
	// CutOff sends half of the JSON, as a whole answer.
	CutOff = Fault{body: func(b []byte) []byte { return b[:len(b)/2] }}
	// OtherQuotes puts numbers into quotes where the venue sends them bare, and the
	// other way round.
	OtherQuotes = Fault{otherQuotes: true}
	// Empty has no rows.
	Empty = Fault{rows: func([]Row) []Row { return nil }}
	// Reversed has the rows in the other order.
	Reversed = Fault{rows: func(rows []Row) []Row { slices.Reverse(rows); return rows }}
	// Shuffled has the rows in no order.
	Shuffled = Fault{rows: func(rows []Row) []Row {
		slices.SortFunc(rows, func(a, b Row) int { return strings.Compare(a.Volume, b.Volume) })
		return rows
	}}
	// Twice has every row twice.
	Twice = Fault{rows: func(rows []Row) []Row { return append(slices.Clone(rows), rows...) }}
	// Conflicting has the newest closed row a second time, with another close.
	Conflicting = changed(func(r Row) []Row {
		other := r
		other.Close = r.Open + "1"
		other.High = "9" + r.High
		return []Row{r, other}
	})
	// UpsideDown has a closed row whose high is its low.
	UpsideDown = changed(func(r Row) []Row { r.High, r.Low = "0.5", "9"+r.Low; return []Row{r} })
	// NoNumber has a closed row with a word for a price.
	NoNumber = changed(func(r Row) []Row { r.Close = `NaN`; return []Row{r} })
	// Negative has a closed row with a price below 0.
	Negative = changed(func(r Row) []Row { r.Low = "-" + r.Low; return []Row{r} })
	// Between has one closed row that opens a second early.
	Between = changed(func(r Row) []Row { r.Time = r.Time.Add(-time.Second); return []Row{r} })
	// OffGrid has rows that all open 17 seconds late.
	OffGrid = Fault{rows: func(rows []Row) []Row {
		for i := range rows {
			rows[i].Time = rows[i].Time.Add(17 * time.Second)
		}
		return rows
	}}
	// Gaps lacks every tenth row, as if nothing was traded then, except for the newest ones.
	Gaps = Fault{rows: func(rows []Row) []Row {
		var kept []Row
		for i, r := range rows {
			if back := len(rows) - 1 - i; back < 5 || back%10 != 0 {
				kept = append(kept, r)
			}
		}
		return kept
	}}
	// OtherPair names another pair in the answer, where the venue names one: Kraken does.
	OtherPair = Fault{body: func(b []byte) []byte { return bytes.Replace(b, []byte(`"result":{"`), []byte(`"result":{"NOT`), 1) }}
	// Huge is longer than any real answer.
	Huge = Fault{body: func(b []byte) []byte { return append(b, bytes.Repeat([]byte(" "), 2<<20)...) }}
)

// Late lacks the open row and the newest n closed ones.
func Late(n int) Fault {
	return Fault{rows: func(rows []Row) []Row {
		closed := slices.DeleteFunc(rows, func(r Row) bool { return r.IsOpen })
		return closed[:max(0, len(closed)-n)]
	}}
}

// changed replaces the newest closed row.
func changed(change func(Row) []Row) Fault {
	return Fault{rows: func(rows []Row) []Row {
		for i := len(rows) - 1; i >= 0; i-- {
			if !rows[i].IsOpen {
				return slices.Replace(slices.Clone(rows), i, i+1, change(rows[i])...)
			}
		}
		return rows
	}}
}

// named are the faults that a script in text can name.
var named = map[string]Fault{
	"ok": No, "429": RetryAfter(429, 30), "limited": Limited, "busy": Busy, "451": Restricted, "403": Page(403), "500": Status(500), "502": Page(502),
	"html": Page(200), "cut": CutOff, "hang": Hang, "empty": Empty, "stale": Late(2), "delisted": Delisted,
	"reversed": Reversed, "twice": Twice, "gaps": Gaps, "conflicting": Conflicting, "upside_down": UpsideDown, "off_grid": OffGrid,
}

// FaultNames lists the faults that a script can name.
func FaultNames() []string { return slices.Sorted(maps.Keys(named)) }

// Play sets a script in text, such as kraken=429,ok;okx=html*. The first request to a venue
// has the first fault, and so on. A * after the last fault repeats it. The error names the
// unknown word.
func (s *Server) Play(script string) error {
	for part := range strings.SplitSeq(script, ";") {
		venue, list, _ := strings.Cut(strings.TrimSpace(part), "=")
		if venue == "" && list == "" {
			continue
		}
		if _, known := dialects[venue]; !known {
			return fmt.Errorf("%q is no venue: known are %s", venue, strings.Join(slices.Sorted(maps.Keys(dialects)), ", "))
		}
		list, repeats := strings.CutSuffix(list, "*")
		for name := range strings.SplitSeq(list, ",") {
			fault, known := named[strings.TrimSpace(name)]
			if !known {
				return fmt.Errorf("%q is no fault of %s: known are %s", name, venue, strings.Join(FaultNames(), ", "))
			}
			s.Script(venue, fault)
			if repeats {
				s.Always(venue, fault) // the last one stays
			}
		}
	}
	return nil
}
