package roomtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"kamachat/shared/chat"
)

// The people of the suite: Ua, Ub and Uc are in Ga; Ud is in no group.
var (
	direct   = chat.Direct("Ua", "Ub")
	suiteAll = []chat.UserID{"Ua", "Ub", "Uc", "Ud"}
)

// Store checks a store. fresh returns a new, empty one.
func Store(t *testing.T, fresh func(t *testing.T) Base) {
	claims := map[string]func(*testing.T, Base){
		"a log is numbered from 1 without gaps":          numbersLogs,
		"a draft is stored once":                         storesOnce,
		"one that may not is refused by itself":          refusesByItself,
		"content comes back as it was":                   keepsContent,
		"pages are runs, the newest where much is asked": pages,
		"marks only grow and unread follows":             marks,
		"lists are latest first":                         lists,
		"what moved is told oldest first, page by page":  moves,
		"groups and who joined them are known":           groups,
		"what does not exist is not there":               nothing,
		"a call given up before it began stores nothing": givenUp,
		"what is returned is the caller's":               returnsCopies,
		"amendments change what they are about":          amends,
		"amendments that may not be are refused":         refusesAmendments,
		"amendments are no messages in lists":            listsNoAmendments,
		"lines are each person's own":                    ownLines,
		"what is deleted comes back with a message":      deletedLines,
		"so many can be pinned":                          mostPins,
		"answers quote what is stored":                   quotes,
		"changes of groups are entries":                  changesGroups,
		"slow groups are slow":                           slowsGroups,
		"who is muted stays so, gone and back":           keepsMutes,
		"whose account is deleted goes, and no more":     letsGo,
	}
	for name, claim := range claims {
		t.Run(name, func(t *testing.T) {
			s := fresh(t)
			for _, u := range suiteAll {
				must(t, s.AddUser(t.Context(), chat.Person{ID: u, Username: string(u), Nickname: "Nick " + string(u)}, "", 1))
			}
			must(t, s.CreateGroup(t.Context(), "Ga", "Hikers 🥾", "Ua", []chat.UserID{"Ua", "Ub", "Uc"}, 1))
			claim(t, s)
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func says(u chat.UserID, conv chat.ConvID, ref string) chat.Draft {
	return chat.Draft{Conv: conv, Author: u, Ref: ref, Content: chat.TextContent("text " + ref)}
}

func store(t *testing.T, s Base, ds ...chat.Draft) []chat.Receipt {
	t.Helper()
	rs, err := s.Append(t.Context(), ds)
	must(t, err)
	if len(rs) != len(ds) {
		t.Fatalf("%d receipts for %d drafts", len(rs), len(ds))
	}
	return rs
}

func numbersLogs(t *testing.T, s Base) {
	var at int64
	next := map[chat.ConvID]int64{}
	for i := range 10 {
		ds := []chat.Draft{says("Ua", direct, fmt.Sprint("a", i)), says("Ub", "Ga", fmt.Sprint("b", i)), says("Ub", direct, fmt.Sprint("c", i))}
		for j, r := range store(t, s, ds...) {
			m := r.Message
			if next[m.Conv]++; r.Err != nil || r.Again || m.Seq != next[m.Conv] || m.Conv != ds[j].Conv || m.Author != ds[j].Author || m.Ref != ds[j].Ref {
				t.Fatalf("draft %+v became %+v, want Seq %d", ds[j], r, next[m.Conv])
			}
			if m.At < at || m.At == 0 {
				t.Errorf("%s/%d is of %d, after one of %d", m.Conv, m.Seq, m.At, at)
			}
			at = m.At
		}
	}
}

func storesOnce(t *testing.T, s Base) {
	first := store(t, s, says("Ua", direct, "r"), says("Ua", direct, "r"))
	if first[0].Again || !first[1].Again || first[1].Message.ID != first[0].Message.ID {
		t.Errorf("twice in one batch: %+v", first)
	}
	for range 3 {
		if r := store(t, s, says("Ua", direct, "r"))[0]; !r.Again || r.Message.Seq != 1 || r.Message.ID != first[0].Message.ID || r.Message.Content.Text != "text r" {
			t.Errorf("sent again: %+v, want the first message", r)
		}
	}
	found, err := s.Stored(t.Context(), []chat.Draft{says("Ua", direct, "r"), says("Ub", direct, "r"), says("Ua", direct, "other")})
	if err != nil || len(found) != 1 || found[0].ID != first[0].Message.ID || found[0].Ref != "r" || found[0].Conv != direct {
		t.Errorf("stored of three: %+v, %v: want the first message", found, err)
	}
	rs := store(t, s, says("Ub", direct, "r"), says("Ua", "Ga", "r"))
	if rs[0].Again || rs[0].Message.Seq != 2 {
		t.Errorf("somebody else's ref: %+v, want a new message", rs[0])
	}
	if !errors.Is(rs[1].Err, &chat.Refusal{Code: chat.Invalid}) {
		t.Errorf("the same ref elsewhere: %v, want invalid", rs[1].Err)
	}
}

func refusesByItself(t *testing.T, s Base) {
	rs := store(t, s,
		says("Ua", "Ga", "1"), says("Ud", "Ga", "1"), says("Ua", "Gnone", "2"), says("Ua", chat.Direct("Ua", "Unobody"), "3"),
		says("Ughost", "Ga", "1"), says("Uc", direct, "1"), says("Ub", "Ga", "1"))
	want := []chat.Code{"", chat.NotFound, chat.NotFound, chat.NotFound, chat.Forbidden, chat.Forbidden, ""}
	for i, r := range rs {
		if got := r.Err; want[i] == "" && got != nil || want[i] != "" && !errors.Is(got, &chat.Refusal{Code: want[i]}) {
			t.Errorf("draft %d: %v, want %q", i, got, want[i])
		}
	}
	if rs[0].Message.Seq != 1 || rs[6].Message.Seq != 2 {
		t.Errorf("the others got Seq %d and %d, want 1 and 2", rs[0].Message.Seq, rs[6].Message.Seq)
	}
}

func keepsContent(t *testing.T, s Base) {
	cs := []chat.Content{
		chat.TextContent("你好 👩‍👩‍👧‍👦 <b>\"'\\ \u2028"),
		{Kind: chat.FileK, File: &chat.File{URL: "/f/1", Name: "合同.pdf", Type: "application/pdf", Size: "12"}},
		{Kind: chat.CallK, Call: &chat.Call{ID: "PROXY", What: "start_call", Data: []byte(`{"sdp":"v=0"}`)}},
		{Kind: chat.Event, Event: &chat.Change{What: chat.Befriend, Who: []chat.UserID{"Ua", "Ub"}, Name: "n"}},
	}
	for i, c := range cs {
		store(t, s, chat.Draft{Conv: direct, Author: "Ua", Ref: fmt.Sprint(i), Content: c})
	}
	p, err := s.After(t.Context(), direct, 0, 10)
	must(t, err)
	shown := func(c chat.Content) string {
		if c.Call != nil {
			return fmt.Sprint(c.Kind, c.Call.ID, c.Call.What, string(c.Call.Data))
		}
		return fmt.Sprintf("%v %q %+v %+v", c.Kind, c.Text, c.File, c.Event)
	}
	for i, m := range p.Entries {
		got, want := m.Content, cs[i]
		if got.File != nil && want.File != nil && *got.File == *want.File {
			got.File = want.File // the same behind different pointers
		}
		if got.Event != nil && want.Event != nil && fmt.Sprint(*got.Event) == fmt.Sprint(*want.Event) {
			got.Event = want.Event
		}
		if shown(got) != shown(want) {
			t.Errorf("%s, want %s", shown(m.Content), shown(want))
		}
	}
}

func pages(t *testing.T, s Base) {
	for i := range 25 {
		store(t, s, says("Ua", direct, fmt.Sprint(i)))
	}
	after := func(seq int64) (chat.Page, error) { return s.After(t.Context(), direct, seq, 10) }
	before := func(seq int64) (chat.Page, error) { return s.Before(t.Context(), direct, seq, 10) }
	for name, c := range map[string]struct {
		read        func(int64) (chat.Page, error)
		seq         int64
		first, last int64 // 0: an empty page
	}{
		"the end": {before, 0, 16, 25}, "before 16": {before, 16, 6, 15}, "the beginning": {before, 6, 1, 5}, "before the first": {before, 1, 0, 0},
		"before what is not there yet": {before, 99, 16, 25}, "after 20": {after, 20, 21, 25}, "much is missing": {after, 2, 16, 25},
		"nothing is missing": {after, 25, 0, 0}, "after what is not there yet": {after, 99, 0, 0}, "all": {after, 0, 16, 25},
	} {
		p, err := c.read(c.seq)
		must(t, err)
		var got, want []int64
		for _, m := range p.Entries {
			got = append(got, m.Seq)
		}
		for i := c.first; i <= c.last && i > 0; i++ {
			want = append(want, i)
		}
		if !slices.Equal(got, want) || p.LastSeq != 25 || p.Conv != direct || p.Entries == nil {
			t.Errorf("%s: %v of %d, want %v of 25", name, got, p.LastSeq, want)
		}
	}
}

func marks(t *testing.T, s Base) {
	for i := range 5 {
		store(t, s, says("Ua", "Ga", fmt.Sprint(i)))
	}
	store(t, s, says("Ub", "Ga", "own"))
	move := func(u chat.UserID, delivered, read int64) {
		must(t, s.SaveMarks(t.Context(), []chat.Marks{{Conv: "Ga", User: u, Delivered: delivered, Read: read}}))
	}
	move("Ub", 5, 3)
	move("Ub", 2, 1) // late: changes nothing
	move("Ud", 6, 6) // not a member: changes nothing
	move("Ua", 6, 6)
	move("Uc", 4, 2)
	ms, err := s.Members(t.Context(), "Ga")
	must(t, err)
	got := map[chat.UserID]chat.Marks{}
	for _, m := range ms {
		got[m.User] = m
	}
	for u, want := range map[chat.UserID][2]int64{"Ua": {6, 6}, "Ub": {5, 3}, "Uc": {4, 2}} {
		if m := got[u]; m.Delivered != want[0] || m.Read != want[1] || m.Conv != "Ga" || len(ms) != 3 {
			t.Errorf("%s: %+v among %d, want %v", u, m, len(ms), want)
		}
	}
	ss, err := s.Summaries(t.Context(), "Ub", 10)
	must(t, err)
	if l := ss[0]; l.Mine != got["Ub"] || l.Unread != 2 || l.All != (chat.Marks{Conv: "Ga", Delivered: 4, Read: 2}) {
		t.Errorf("the line %+v, want two unread, and 4 and 2 of the others", l)
	}
}

func lists(t *testing.T, s Base) {
	store(t, s, says("Ua", direct, "1"))
	store(t, s, says("Ub", "Ga", "1"))
	ss, err := s.Summaries(t.Context(), "Ua", 10)
	must(t, err)
	if len(ss) != 2 || ss[0].LastSeq != 1 || ss[0].Last == nil || ss[1].Last == nil || ss[0].Last.Seq != 1 {
		t.Fatalf("lines %+v, want both conversations with their last entries", ss)
	}
	for _, l := range ss {
		sum, err := s.Summary(t.Context(), l.Conv)
		must(t, err)
		if sum.Title != l.Title || sum.Members != l.Members || sum.LastSeq != 1 || sum.Unread != 0 || sum.Mine != (chat.Marks{Conv: l.Conv}) {
			t.Errorf("%s alone is %+v, in the list %+v", l.Conv, sum, l)
		}
	}
	if ss, err = s.Summaries(t.Context(), "Ua", 1); err != nil || len(ss) != 1 {
		t.Errorf("%d lines, %v, where one is asked for", len(ss), err)
	}
	if ss, err = s.Summaries(t.Context(), "Ud", 10); err != nil || len(ss) != 0 {
		t.Errorf("%d lines, %v, for somebody without conversations", len(ss), err)
	}
	if ss, err = s.Summaries(t.Context(), "Uc", 10); err != nil || len(ss) != 1 || ss[0].Title != "Hikers 🥾" || ss[0].Members != 3 || ss[0].Unread != 1 {
		t.Errorf("%+v, %v, want the group with one unread", ss, err)
	}
}

func nothing(t *testing.T, s Base) {
	ctx := t.Context()
	if ms, err := s.Members(ctx, "Gnone"); err != nil || len(ms) != 0 {
		t.Errorf("members %v, %v", ms, err)
	}
	if _, err := s.Summary(ctx, "Gnone"); !errors.Is(err, chat.ErrNotFound) {
		t.Errorf("summary: %v, want not found", err)
	}
	if p, err := s.Before(ctx, "Gnone", 0, 10); err != nil || len(p.Entries) != 0 || p.LastSeq != 0 {
		t.Errorf("page %+v, %v", p, err)
	}
	if ps, err := s.People(ctx, "Unobody", "Ub"); err != nil || len(ps) != 1 || ps[0].Nickname != "Nick Ub" {
		t.Errorf("people %+v, %v, want the one who exists", ps, err)
	}
	if err := s.AddUser(ctx, chat.Person{ID: "Ux", Username: "Ua"}, "", 1); !errors.Is(err, &chat.Refusal{Code: chat.Taken}) {
		t.Errorf("a second Ua: %v, want taken", err)
	}
}

func givenUp(t *testing.T, s Base) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Append(ctx, []chat.Draft{says("Ua", direct, "r")}); err == nil {
		t.Error("stored after the call was given up")
	}
	if r := store(t, s, says("Ua", direct, "r"))[0]; r.Again || r.Message.Seq != 1 {
		t.Errorf("afterwards: %+v, want the first of the log", r)
	}
}

func returnsCopies(t *testing.T, s Base) {
	store(t, s, says("Ua", direct, "1"), says("Ua", direct, "2"))
	p, err := s.After(t.Context(), direct, 0, 10)
	must(t, err)
	p.Entries[0].Content.Text = "changed"
	if p, err = s.After(t.Context(), direct, 0, 10); err != nil || p.Entries[0].Content.Text != "text 1" {
		t.Errorf("read again: %+v, %v", p.Entries, err)
	}
}

func moves(t *testing.T, s Base) {
	if hs, err := s.Moved(t.Context(), 1, "Ga", 10); err != nil || len(hs) != 0 {
		t.Errorf("after all that there is: %+v, %v", hs, err)
	}
	first := store(t, s, says("Ua", "Ga", "1"), says("Ua", direct, "2"), says("Ua", chat.Direct("Ua", "Uc"), "3"))[0].Message.At
	want := map[chat.ConvID]int64{"Ga": 1, direct: 1, chat.Direct("Ua", "Uc"): 1}
	seen := map[chat.ConvID]int64{}
	at, conv := int64(2), chat.ConvID("")
	for {
		hs, err := s.Moved(t.Context(), at, conv, 2)
		must(t, err)
		if len(hs) == 0 {
			break
		}
		for _, h := range hs {
			if h.At < at || h.At == at && h.Conv <= conv {
				t.Errorf("%s of %d comes after %s of %d", h.Conv, h.At, conv, at)
			}
			at, conv = h.At, h.Conv
			seen[h.Conv] = h.LastSeq
		}
	}
	if !maps.Equal(seen, want) {
		t.Errorf("moved: %v, want %v", seen, want)
	}
	last := store(t, s, says("Ua", "Ga", "4"))[0].Message
	hs, err := s.Moved(t.Context(), first, "", 10)
	if err != nil || len(hs) != 3 || !slices.ContainsFunc(hs, func(h chat.Head) bool { return h.Conv == "Ga" && h.LastSeq == 2 && h.At == last.At }) {
		t.Errorf("moved since the first: %+v, %v", hs, err)
	}
}

func groups(t *testing.T, s Base) {
	store(t, s, says("Ua", direct, "1"))
	must(t, s.CreateGroup(t.Context(), "Gb", "later", "Ub", []chat.UserID{"Ub", "Ud"}, 5))
	for u, want := range map[chat.UserID][]chat.ConvID{"Ua": {"Ga"}, "Ub": {"Ga", "Gb"}, "Ud": {"Gb"}, "Unobody": nil} {
		got, err := s.Groups(t.Context(), u)
		slices.Sort(got)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("groups of %s: %v, %v, want %v", u, got, err, want)
		}
	}
	for at, want := range map[int64]int{1: 5, 2: 2, 5: 2, 6: 0} {
		got, err := s.Joined(t.Context(), at, "Ga", "Gb", "Gnone")
		if err != nil || len(got) != want || slices.ContainsFunc(got, func(m chat.Marks) bool { return m.Conv == "" || m.User == "" }) {
			t.Errorf("joined since %d: %+v, %v, want %d", at, got, err, want)
		}
	}
	if got, err := s.Joined(t.Context(), 0); err != nil || len(got) != 0 {
		t.Errorf("joined nothing: %+v, %v", got, err)
	}
}
