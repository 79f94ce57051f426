package session

import (
	"testing"

	"kamachat/shared/chat"
)

// Word of an entry may come after the client got it with all that it missed.
func TestWhatWasSentAsMissedIsNotSentAgain(t *testing.T) {
	g := gate{open: true, sent: map[chat.ConvID]int64{"Ga": 7}}
	for name, c := range map[string]struct {
		item item
		kept bool
	}{
		"sent as missed":     {item{conv: "Ga", seq: 7}, true},
		"rings all the same": {item{conv: "Ga", seq: 7, call: true}, false},
		"the next":           {item{conv: "Ga", seq: 8}, false},
		"elsewhere":          {item{conv: "Gb", seq: 1}, false},
		"not of any log":     {item{conv: "Ga"}, false},
		"long before":        {item{conv: "Ga", seq: 1}, true},
		"of no conv, too":    {item{}, false},
	} {
		if got := g.hold(c.item); got != c.kept {
			t.Errorf("%s: kept back %v, want %v", name, got, c.kept)
		}
	}
}
