package state

import (
	"testing"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// While the server does not know who is online, neither is shown.
func TestPresenceMayBeUnknown(t *testing.T) {
	s := New()
	s.Apply(wire.Frame{Body: wire.Welcome{
		Me: chat.Person{ID: "U1"}, People: []chat.Person{{ID: "U2"}, {ID: "U3"}}, Online: []chat.UserID{"U2", "U3"},
		Convs: []chat.Summary{{Conv: "DU1-U2", Members: 2}, {Conv: "DU1-U3", Members: 2}},
	}}, 1)
	shows := func(when string, conv chat.ConvID, online, unknown bool) {
		t.Helper()
		if v, ok := s.Conv(conv); !ok || v.Online != online || v.Unknown != unknown {
			t.Errorf("%s: %s is online %v, unknown %v", when, conv, v.Online, v.Unknown)
		}
	}
	hear := func(b wire.Body) {
		t.Helper()
		if ch := s.Apply(wire.Frame{Body: b}, 1); !ch.List || !ch.Has("DU1-U2") {
			t.Errorf("%+v changes %+v", b, ch)
		}
	}
	shows("at first", "DU1-U2", true, false)
	hear(wire.Presence{Online: []chat.UserID{"U3"}})
	shows("while nothing is known of other nodes", "DU1-U2", false, true)
	if !s.Online("U3") {
		t.Error("who is on the node is not online")
	}
	hear(wire.Online{User: "U2", Online: true}) // comes to the node
	shows("on the node", "DU1-U2", true, true)
	hear(wire.Online{User: "U2"})
	shows("and leaves it", "DU1-U2", false, true)
	hear(wire.Presence{Known: true, Online: []chat.UserID{"U2"}})
	shows("known again", "DU1-U2", true, false)
	shows("known again", "DU1-U3", false, false)

	s = New()
	s.Apply(wire.Frame{Body: wire.Welcome{Me: chat.Person{ID: "U1"}, Convs: []chat.Summary{{Conv: "DU1-U2", Members: 2}}, Unknown: true}}, 1)
	shows("told with the welcome", "DU1-U2", false, true)
}
