package push

import (
	"time"
	_ "time/tzdata" // time zones also where the machine has none

	"kamachat/shared/chat"
)

// ahead reports whether until, as in chat.Mute, is still to come.
func ahead(until int64, now time.Time) bool {
	return until == chat.Forever || until > now.UnixMilli()
}

// clock is how a time of day is written; as texts they are in order.
const clock = "15:04"

// quietAt reports whether q asks for quiet at now.
func quietAt(q chat.Quiet, now time.Time) bool {
	if ahead(q.Until, now) {
		return true
	}
	zone, err := time.LoadLocation(q.Zone)
	if err != nil {
		zone = time.UTC // one of a newer list than ours
	}
	at := now.In(zone).Format(clock)
	if q.From <= q.To { // also where both are empty or the same: never
		return q.From <= at && at < q.To
	}
	return at >= q.From || at < q.To
}

// checkQuiet says what is wrong with q, or nil.
func checkQuiet(q chat.Quiet) error {
	if q.Until < chat.Forever {
		return chat.Refuse(chat.Invalid, "until must be a time, 0 or -1")
	}
	if (q.From == "") != (q.To == "") {
		return chat.Refuse(chat.Invalid, "from and to go together")
	}
	for _, hm := range []string{q.From, q.To} {
		if t, err := time.Parse(clock, hm); hm != "" && (err != nil || t.Format(clock) != hm) {
			return chat.Refuse(chat.Invalid, "from and to must be times like 22:00")
		}
	}
	if _, err := time.LoadLocation(q.Zone); err != nil || q.Zone == "Local" || len(q.Zone) > 64 {
		return chat.Refuse(chat.Invalid, "there is no such time zone")
	}
	return nil
}
