package view

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
	"kamachat/ui/state"
)

func TestRootShowsTheListAndAHint(t *testing.T) {
	d, _ := desk("en")
	html := drawn(t, &Root{desk: d})
	has(t, html, `class="app"`, "Lin Mei", "@mei", "阿哲", "Weekend &lt;hike&gt;", "Choose a conversation")
	lacks(t, html, "<textarea", "<dialog", "<hike>")
}

func TestRootShowsTheOpenConversation(t *testing.T) {
	d, st := desk("en")
	st.Open("G1")
	html := drawn(t, &Root{desk: d, conv: "G1"})
	has(t, html, `class="app open"`, "<h1>", "3 members", "<textarea", `aria-label="Message to Weekend <hike>"`, `aria-current="page"`)
}

func TestListSaysWhoWroteAndHowFarItGot(t *testing.T) {
	d, st := desk("en")
	es := d.entries(st)
	if len(es) != 2 || es[0].ID != "G1" {
		t.Fatalf("got %+v, want the group first", es)
	}
	if g := es[0]; g.Says != "阿哲" || g.Preview != "seven o'clock" || g.Unread != 2 || g.Time != "12:00" || g.Tick != chat.NoTick {
		t.Errorf("group: %+v", g)
	}
	if p := es[1]; p.Says != "You" || p.Preview != "see you" || p.Tick != chat.Read || p.Seed != string(zhe.ID) {
		t.Errorf("direct: %+v", p)
	}
	html := drawn(t, &list{desk: d, Me: mei, Entries: es})
	has(t, html, `href="/c/G1"`, `href="/c/DU1-U2"`, "阿哲: seven o&#39;clock", `aria-label="2 unread"`, "You: see you", `aria-label="Read"`)
}

func TestADraftShowsInTheList(t *testing.T) {
	d, st := desk("zh")
	st.SetDraft("G1", "on my\nway")
	html := drawn(t, &list{desk: d, Me: mei, Entries: d.entries(st)})
	has(t, html, "[草稿]", "on my way", "12:00")
	lacks(t, html, "阿哲：seven")
}

func TestListSaysWhatIsWrongWithTheConnectionOnlyWhenLate(t *testing.T) {
	d, _ := desk("en")
	for name, c := range map[string]struct {
		status state.Status
		late   bool
		want   string
	}{
		"in time":    {state.Status{Phase: state.Connecting}, false, ""},
		"connecting": {state.Status{Phase: state.Connecting}, true, "Connecting…"},
		"offline":    {state.Status{Phase: state.Offline}, true, "Offline. You can read and write"},
		"queued":     {state.Status{Phase: state.Offline, Queued: 2}, true, "2 messages wait here"},
		"one queued": {state.Status{Phase: state.Offline, Queued: 1}, true, "1 message waits here"},
		"signed out": {state.Status{Phase: state.SignedOut, Queued: 1}, true, "You are signed out"},
	} {
		t.Run(name, func(t *testing.T) {
			html := drawn(t, &list{desk: d, Me: mei, Status: c.status, Late: c.late})
			if c.want == "" {
				has(t, html, `class="note"`, `role="status"`)
				lacks(t, html, "Connecting", "Offline.")
				return
			}
			has(t, html, c.want)
		})
	}
}

func TestListFilters(t *testing.T) {
	es := []entry{{Title: "Weekend hike", Preview: "ok"}, {Title: "阿哲", Preview: "Station?"}}
	for q, want := range map[string]int{"": 2, "HIKE": 1, "阿": 1, "station": 1, "nothing": 0} {
		if got := len(filtered(es, q)); got != want {
			t.Errorf("%q: %d lines, want %d", q, got, want)
		}
	}
}

func TestHeaderSaysWhoIsThere(t *testing.T) {
	d, _ := desk("en")
	has(t, drawn(t, &header{desk: d, Conv: state.Conv{ID: "DU1-U2", Peer: "U2", Title: "阿哲", Online: true}}), "阿哲", "Online", `class="av hue-`)
	has(t, drawn(t, &header{desk: d, Conv: state.Conv{ID: "DU1-U2", Peer: "U2", Title: "阿哲"}}), "Offline")
	has(t, drawn(t, &header{desk: d, Conv: state.Conv{ID: "G1", Title: "G", Members: 1}}), "1 member")
}

func TestNewDialogOffersPeopleAndMakesGroups(t *testing.T) {
	d, _ := desk("en")
	n := &newDialog{desk: d, find: finder{found: []chat.Person{zhe}}}
	has(t, drawn(t, n), `aria-label="New conversation"`, "阿哲", "@zhe", "New group")
	n = &newDialog{desk: d, group: true, chosen: []chat.Person{zhe}, name: "Hike", find: finder{found: []chat.Person{zhe}}}
	html := drawn(t, n)
	has(t, html, `data-person="U2"`, "Create group", "aria-pressed")
	lacks(t, html, `aria-pressed="false"`)
	n.drop(zhe.ID)
	if n.has(zhe) {
		t.Error("a person who was taken out is still chosen")
	}
}

func TestSwitcherOffersWhatMatches(t *testing.T) {
	d, _ := desk("en")
	w := &switcher{desk: d}
	has(t, drawn(t, w), "Weekend &lt;hike&gt;", "阿哲")
	w.match("HIKE")
	if len(w.convs) != 1 || w.convs[0].ID != "G1" {
		t.Errorf("got %+v, want the hike", w.convs)
	}
}

func TestPreviewAndEventSentences(t *testing.T) {
	d, st := desk("en")
	event := func(by chat.UserID, what, name string, who ...chat.UserID) chat.Content {
		return chat.Content{Kind: chat.Event, Event: &chat.Change{What: what, Name: name, Who: who}}
	}
	for want, c := range map[string]chat.Content{
		"two lines":                   chat.TextContent("two\n lines"),
		"阿哲 made the group “Hike”":    event(zhe.ID, "made", "Hike", mei.ID, zhe.ID),
		"阿哲 renamed the group “Walk”": event(zhe.ID, "renamed", "Walk"),
		"阿哲 added Lin Mei, gong":      event(zhe.ID, "joined", "", mei.ID, gong.ID),
		"阿哲 joined":                   event(zhe.ID, "joined", "", zhe.ID),
		"阿哲 left":                     event(zhe.ID, "left", "", zhe.ID),
		"阿哲 removed gong":             event(zhe.ID, "left", "", gong.ID),
		"The group has changed":       event(zhe.ID, "something newer", ""),
		"File: map.gpx":               {Kind: chat.FileK, File: &chat.File{Name: "map.gpx"}},
		"Picture":                     {Kind: chat.FileK, File: &chat.File{Name: "a.png", Type: "image/png"}},
		"Call":                        {Kind: chat.CallK, Call: &chat.Call{What: "start_call"}},
	} {
		if got := d.preview(&chat.Message{Author: zhe.ID, Content: c}, st); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestTypingNamesPeopleInGroupsOnly(t *testing.T) {
	d, st := desk("en")
	for want, c := range map[string]state.Conv{
		"":                     {ID: "G1"},
		"typing…":              {ID: "DU1-U2", Typing: []chat.UserID{"U2"}},
		"阿哲 is typing…":        {ID: "G1", Typing: []chat.UserID{"U2"}},
		"2 people are typing…": {ID: "G1", Typing: []chat.UserID{"U2", "U3"}},
	} {
		if got := d.typing(c, st); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestUnseenCountsOthersBelow(t *testing.T) {
	row := func(seq int64, mine bool) chat.Row { return chat.Row{Mine: mine, Message: chat.Message{Seq: seq}} }
	rows := []chat.Row{row(1, false), row(2, true), row(3, false), row(4, false), row(0, true)}
	for seen, want := range map[int64]int{0: 3, 1: 2, 2: 2, 3: 1, 4: 0} {
		if got := unseen(rows, seen); got != want {
			t.Errorf("after %d: %d, want %d", seen, got, want)
		}
	}
}

func TestProblemsAreToldInWords(t *testing.T) {
	d, _ := desk("en")
	if got := d.problem(errors.New("no route")); got != "No connection. Try again when you are back online." {
		t.Errorf("got %q", got)
	}
	if got := d.problem(chat.Refuse(chat.Invalid, "a member does not exist")); got != "One of the people does not exist any more." {
		t.Errorf("got %q", got)
	}
}

func TestMutedConversationsAreMarked(t *testing.T) {
	d, st := desk("en")
	hushed := func(until int64) string {
		st.Apply(wire.Frame{Body: wire.Lined{Conv: "G1", Line: chat.Line{Hushed: until}}}, 0)
		return drawn(t, &list{desk: d, Me: mei, Entries: d.entries(st)})
	}
	now, mark := d.Now().UnixMilli(), `aria-label="Muted"`
	for _, until := range []int64{chat.Forever, now + 1000} {
		has(t, hushed(until), mark, `class="bd quiet"`)
		if c, _ := st.Conv("G1"); d.Notice(c, st) != "" {
			t.Errorf("muted until %d, it is told of", until)
		}
	}
	for _, until := range []int64{0, now} {
		lacks(t, hushed(until), mark, `class="bd quiet"`)
	}
	c, _ := st.Conv("G1")
	has(t, drawn(t, &details{desk: d, Conv: c}), `id="mutes"`, `data-conv="G1"`, `data-until="`+strconv.FormatInt(now, 10)+`"`)
}

func TestConversationsMarkedAsUnreadHaveADot(t *testing.T) {
	d, st := desk("en")
	direct, dot := chat.Direct(mei.ID, zhe.ID), `aria-label="Marked as unread"`
	lacks(t, drawn(t, &list{desk: d, Me: mei, Entries: d.entries(st)}), dot)
	for conv, want := range map[chat.ConvID]string{direct: "Mark as unread", "G1": "Mark as read"} { // which has something unread
		c, _ := st.Conv(conv)
		has(t, drawn(t, &tidy{desk: d, Conv: c}), want+" <")
	}
	st.Apply(wire.Frame{Body: wire.Lined{Conv: direct, Line: chat.Line{Marked: true}}}, 0)
	st.Apply(wire.Frame{Body: wire.Lined{Conv: "G1", Line: chat.Line{Marked: true}}}, 0)
	got := drawn(t, &list{desk: d, Me: mei, Entries: d.entries(st)})
	if has(t, got, dot); strings.Count(got, dot) != 1 {
		t.Errorf("what has unread messages has the dot, too: %s", got)
	}
	c, _ := st.Conv(direct)
	has(t, drawn(t, &tidy{desk: d, Conv: c}), "Mark as read <")
}

func TestNoticesSayWhatOthersWrote(t *testing.T) {
	d, st := desk("en")
	for conv, want := range map[chat.ConvID]string{
		"G1":                        "阿哲: seven o'clock",
		chat.Direct(mei.ID, zhe.ID): "", // her own, and read
	} {
		if c, _ := st.Conv(conv); d.Notice(c, st) != want {
			t.Errorf("%s: %q, want %q", conv, d.Notice(c, st), want)
		}
	}
	// A reaction is nothing new to be told of, nor is what was unsent.
	posted := func(seq int64, c chat.Content) {
		st.Apply(wire.Frame{Body: wire.Posted{Message: chat.Message{Conv: "G1", Seq: seq, Author: zhe.ID, Content: c}}}, 0)
	}
	posted(4, chat.TextContent("or eight?"))
	posted(5, chat.Content{Kind: chat.React, Of: 4, Text: "👍"})
	if c, _ := st.Conv("G1"); d.Notice(c, st) != "阿哲: or eight?" || c.Said != 4 {
		t.Errorf("with a reaction behind it: %q of %d", d.Notice(c, st), c.Said)
	}
	posted(6, chat.Content{Kind: chat.Recall, Of: 4})
	c, _ := st.Conv("G1")
	if d.Notice(c, st) != "" {
		t.Errorf("unsent: %q", d.Notice(c, st))
	}
	if e := d.entry(c, st); e.Preview != "Message unsent" || e.Says != "阿哲" {
		t.Errorf("the line is %+v", e)
	}
}
