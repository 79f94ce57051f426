package export

import (
	"bytes"
	"strings"
	"testing"

	"kamachat/shared/chat"
)

// A file words what happened in a group as the pages do.
func TestHTMLSaysWhatHappenedInAGroup(t *testing.T) {
	l := &log{}
	for _, c := range []chat.Change{
		{What: chat.Noticed, Name: "at six"},
		{What: chat.Promoted, Who: []chat.UserID{bob}},
		{What: chat.Hushed, Who: []chat.UserID{bob}, Until: 1_700_000_000_000},
		{What: chat.Joined, Who: []chat.UserID{bob}, Asked: true},
		{What: chat.Joined, Who: []chat.UserID{bob, "U3", "U4", "U5", "U6", "U7"}},
		{What: chat.Ended},
		{What: "of tomorrow"},
	} {
		l.say(ann, chat.Content{Kind: chat.Event, Event: &c})
	}
	var b bytes.Buffer
	o := order(HTML)
	if err := Conversation(t.Context(), l, o, &b, nil); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"set the notice: at six", "made Bob an administrator", "muted Bob until ", "let Bob in", "added Bob, U3, U4, U5 and 2 others", "dismissed the group", "The group has changed",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, b.String())
		}
	}
}
