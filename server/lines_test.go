package main

import (
	"fmt"
	"testing"

	"kamachat/shared/chat"
	"kamachat/ui/state"
)

func TestLinesReachAllDevicesOfTheirPerson(t *testing.T) {
	for name, flags := range databases(t) {
		t.Run(name, func(t *testing.T) {
			url := inProcess(t, flags(t)...)
			lines(t, url, url)
		})
	}
}

func TestLinesReachDevicesOnTheOtherNode(t *testing.T) {
	a, b, _ := twoNodes(t)
	lines(t, a, b)
}

// lines has somebody with a device at each of two addresses tidy up.
func lines(t *testing.T, urlA, urlB string) {
	a, b := join(t, urlA, "ann"), join(t, urlB, "bob")
	phone := &someone{Person: a.Person, token: a.token}
	phone.Client = phone.connect(t, urlB)
	conv := chat.Direct(a.ID, b.ID)
	b.say(conv, "one")
	b.say(conv, "two")
	on := func(s *someone) (v state.Conv) {
		s.Do(func(st *state.State) { v, _ = st.Conv(conv) })
		return v
	}
	both := func(what string, ok func(state.Conv) bool) {
		t.Helper()
		eventually(t, func() string { return fmt.Sprintf("%s: %+v and %+v", what, on(a), on(phone)) }, func() bool {
			return ok(on(a)) && ok(on(phone)) && on(a).Line == on(phone).Line
		})
	}
	both("two messages", func(v state.Conv) bool { return v.Last != nil && v.LastSeq == 2 })
	yes, no := true, false
	a.SetLine(conv, chat.LineChange{Pin: &yes})
	both("pinned", func(v state.Conv) bool { return v.Pinned > 0 })
	phone.SetLine(conv, chat.LineChange{Archive: &yes})
	both("archived", func(v state.Conv) bool { return v.Line == chat.Line{Archived: true} })
	a.SetLine(conv, chat.LineChange{Archive: &no})
	phone.SetLine(conv, chat.LineChange{Clear: 2})
	both("deleted", func(v state.Conv) bool { return v.Cleared == 2 && v.Last == nil && v.Unread == 0 })
	for _, url := range []string{urlA, urlB} {
		if texts := a.stored(t, url, conv); len(texts) > 0 {
			t.Errorf("still told is %v", texts)
		}
		if texts := b.stored(t, url, conv); len(texts) != 2 {
			t.Errorf("the other has %v", texts)
		}
	}
	b.say(conv, "three")
	both("back", func(v state.Conv) bool { return v.Last != nil && v.Last.Seq == 3 && v.Unread == 1 })

	// By the API, and whether one may write.
	var line struct{ Pinned, Cleared int64 }
	call(t, "PUT", urlB+"/api/v1/conversations/"+string(b.ID)+"/line", a.token, map[string]any{"pin": true}, &line)
	both("pinned by the API", func(v state.Conv) bool { return v.Pinned == line.Pinned && v.Pinned > 0 && v.Cleared == line.Cleared })
	// Muted by the older way, marked here, and opened there.
	call(t, "PUT", urlB+"/api/v1/conversations/"+string(conv)+"/mute", a.token, map[string]any{"until": -1}, &struct{}{})
	both("muted", func(v state.Conv) bool { return v.Hushed == chat.Forever })
	phone.SetLine(conv, chat.LineChange{Mark: &yes})
	both("marked", func(v state.Conv) bool { return v.Marked })
	a.Open(conv)
	both("opened", func(v state.Conv) bool { return !v.Marked && v.Hushed == chat.Forever })

	var open struct {
		Conv    chat.ConvID
		Allowed bool
		Why     chat.Code
	}
	call(t, "GET", urlA+"/api/v1/conversations/open?person="+string(b.ID), a.token, nil, &open)
	if open.Conv != conv || !open.Allowed || open.Why != "" {
		t.Errorf("opening says %+v", open)
	}
	if v := on(b); v.Line != (chat.Line{}) {
		t.Errorf("the other person's line is %+v", v.Line)
	}
}
