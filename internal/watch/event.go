package watch

// The event that the schedule sends.

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"thalas/internal/signal"
	"thalas/internal/strictjson"
)

// ParseEvent reads what the schedule sends:
//
//	{"time": "2026-11-23T05:01:00Z", "watchlist": {…}}
//
// The time is the scheduled one: which candles are meant follows from it, however
// late the event arrives. Without a watchlist the given one is asked about. The
// error is signal.FieldErrors.
func ParseEvent(text []byte, standing List) (at time.Time, list List, err error) {
	wrong := func(field, message string) (time.Time, List, error) {
		return time.Time{}, List{}, signal.FieldErrors{{Field: field, Message: message}}
	}
	members, err := membersOf(text)
	if err != nil {
		return wrong("event", `is not a JSON object such as {"time": "2026-11-23T05:01:00Z"}: `+err.Error())
	}
	known := []string{"time", "watchlist"}
	values := map[string]strictjson.Value{}
	for _, m := range members {
		if !slices.Contains(known, m.Name) {
			return wrong(m.Name, unknownKey("the event", m.Name, known))
		}
		if m.Twice {
			return wrong(m.Name, "is there twice: give each key once")
		}
		values[m.Name] = m.Value
	}
	var scheduled string
	if values["time"].Decode(&scheduled) != nil {
		return wrong("time", `is missing or no text: the schedule's Input gives it as "time": "<aws.scheduler.scheduled-time>"`)
	}
	if at, err = time.Parse(time.RFC3339, scheduled); err != nil {
		return wrong("time", fmt.Sprintf("%.60q is not a time such as 2026-11-23T05:01:00Z", scheduled))
	}
	list = standing
	if raw := values["watchlist"]; !raw.IsNull() {
		if list, err = ParseList([]byte(raw.String())); err != nil {
			return time.Time{}, List{}, within("watchlist", err)
		}
	}
	if len(list.Series) == 0 {
		return wrong("watchlist", "is missing, and WATCHLIST is not set: give it in the event or there")
	}
	return at.UTC(), list, nil
}

// within names the field that mistakes lie in.
func within(field string, err error) error {
	mistakes, ok := err.(signal.FieldErrors)
	if !ok {
		return err
	}
	for _, m := range mistakes {
		m.Field = strings.TrimSuffix(field+"."+m.Field, ".")
	}
	return mistakes
}
