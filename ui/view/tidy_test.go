package view

import (
	"slices"
	"strings"
	"testing"

	"kamachat/shared/chat"
	"kamachat/ui/state"
)

func setLine(t *testing.T, st *state.State, conv chat.ConvID, by chat.LineChange) {
	t.Helper()
	st.SetLine(conv, by, strings.Repeat("x", len(st.Unsent())+1), noon.UnixMilli())
}

func TestTheListHasPinnedOnTopAndAnArchiveBelow(t *testing.T) {
	yes := true
	d, st := desk("en")
	direct := chat.Direct(mei.ID, zhe.ID)
	setLine(t, st, direct, chat.LineChange{Pin: &yes})
	if es := d.entries(st); es[0].ID != direct || es[0].Pinned == 0 {
		t.Fatalf("the list is %+v", es)
	}
	has(t, drawn(t, &list{desk: d, Me: mei, Entries: d.entries(st)}), `aria-label="Pinned"`)
	setLine(t, st, "G1", chat.LineChange{Archive: &yes})
	es := d.entries(st)
	html := drawn(t, &list{desk: d, Me: mei, Entries: es})
	has(t, html, "Archived (1)", `aria-expanded="false"`, `href="/c/DU1-U2"`)
	lacks(t, html, `href="/c/G1"`)
	html = drawn(t, &list{desk: d, Me: mei, Entries: es, folder: true})
	has(t, html, `href="/c/G1"`)
	lacks(t, html, `aria-expanded="false"`, "Delete for me")
	html = drawn(t, &list{desk: d, Me: mei, Entries: es, under: "G1"})
	has(t, html, "<b>Weekend", "Delete for me", "Take out of the archive")
	has(t, drawn(t, &list{desk: d, Me: mei, Entries: es, filter: "hike"}), `href="/c/G1"`)
	if n := d.Notice(must(st.Conv("G1")), st); n != "" {
		t.Errorf("of what is archived is told %q", n)
	}
	w := &switcher{desk: d}
	drawn(t, w)
	if w.match("hike"); len(w.convs) != 1 {
		t.Errorf("what is archived is not found: %+v", w.convs)
	}
	setLine(t, st, "G1", chat.LineChange{Clear: 3})
	if es := d.entries(st); len(es) != 1 {
		t.Errorf("with one deleted the list is %+v", es)
	}
	if w.match("hike"); len(w.convs) != 1 {
		t.Errorf("the group that is deleted is not found: %+v", w.convs)
	}
}

func must(c state.Conv, ok bool) state.Conv {
	if !ok {
		panic("no such conversation")
	}
	return c
}

func TestWhatCanBeMadeOfALine(t *testing.T) {
	d, st := desk("en")
	st.Open("G1")
	c := must(st.Conv("G1"))
	has(t, drawn(t, &tidy{desk: d, Conv: c}), "Pin to the top", "Archive", "Delete for me")
	c.Pinned = 1
	has(t, drawn(t, &tidy{desk: d, Conv: c}), "Unpin", "Archive")
	c.Pinned, c.Archived = 0, true
	has(t, drawn(t, &tidy{desk: d, Conv: c, sure: "G1"}), "Pin to the top", "Take out of the archive", "Really delete")
	a := d.Intents.(*acts)
	(&tidy{desk: d, Conv: c}).set(chat.LineChange{Clear: 3})
	if want := []string{`line G1 {"clear":3}`}; !slices.Equal(a.did, want) {
		t.Errorf("did %v, want %v", a.did, want)
	}
	d.details = true
	html := drawn(t, &details{desk: d, Conv: c, People: members(c, st, d)})
	has(t, html, "Take out of the archive", `id="mutes"`)
	c.Last = nil
	lacks(t, drawn(t, &details{desk: d, Conv: c}), "archive")
}
