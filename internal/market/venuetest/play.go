package venuetest

// Scripts of faults as text, for a command line.

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// named are the faults of a text script.
var named = map[string]Fault{
	"ok": No, "429": RetryAfter(429, 30), "limited": Limited, "busy": Busy, "451": Restricted, "403": Page(403), "500": Status(500), "502": Page(502),
	"html": Page(200), "cut": CutOff, "hang": Hang, "empty": Empty, "stale": Late(2), "delisted": Delisted,
	"reversed": Reversed, "twice": Twice, "gaps": Gaps, "conflicting": Conflicting, "upside_down": UpsideDown, "off_grid": OffGrid,
}

// FaultNames lists what a script may name.
func FaultNames() []string { return slices.Sorted(maps.Keys(named)) }

// Play takes a script for some venues, such as kraken=429,ok;okx=html*: the first
// request gets the first fault of its venue, and so on; a * behind the last one
// repeats it. The error names what is not known.
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
