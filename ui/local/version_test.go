package local

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
	"kamachat/ui/state"
)

func TestAnotherVersionLeavesOwnWords(t *testing.T) {
	k, same, err := parse([]byte(`{"v":99,"who":"U1","me":{"id":"U1","username":"ada"},"lines":[{"conv":"G1"}],"people":[],"drafts":{"G1":"x"},"unsent":[{"conv":"G1","ref":"b","n":2,"c":{}},{"conv":"G1","ref":"a","n":2,"c":{}},{"conv":"G1","ref":"c","n":1,"c":{}}]}`), "")
	if err != nil || same || k.Me != (chat.Person{ID: "U1"}) || len(k.Lines) != 0 || k.Drafts["G1"] != "x" || len(k.Unsent) != 3 {
		t.Errorf("%+v, %v, %v", k, same, err)
	}
	if got := k.Unsent[0].Ref + k.Unsent[1].Ref + k.Unsent[2].Ref; got != "cab" {
		t.Errorf("in the order %s, want c a b", got)
	}
	if _, _, err := parse([]byte(`{"v":1`), ""); err == nil {
		t.Error("half a record was read")
	}
}

// older is a Store as another version left it.
func older(v string) *memory {
	m := newMemory()
	m.vals["me"] = `{"v":` + v + `,"me":{"id":"U1"},"whole":true}`
	for _, key := range []string{"c/G1", "u/U1", "p/G1/00000000"} {
		m.vals[key] = `["of another form"]`
	}
	m.vals["d/G1"] = `"half a thought"`
	orphan(m, "r1")
	return m
}

func (m *memory) names() string { return strings.Join(m.keys(""), " ") }

// Records of an older version go, and what the person wrote stays.
func TestOlderRecordsAreRemovedAndOwnWordsAreNot(t *testing.T) {
	m := older("0")
	k, err := Load(t.Context(), m, "U1", "")
	if err != nil || k.Me.ID != "U1" || len(k.Unsent) != 1 || k.Drafts["G1"] != "half a thought" {
		t.Errorf("%+v, %v", k, err)
	}
	if got := m.names(); got != "d/G1 me o/r1" {
		t.Errorf("kept are %s", got)
	}
	// Where that failed, what is written is not mixed with what was there.
	m = older("0")
	m.breaks(errors.New("broken"))
	if _, err := Load(t.Context(), m, "U1", ""); err == nil {
		t.Error("nothing failed")
	}
	m.breaks(nil)
	s := live(0, conv)
	r := on(s, m)
	r.Began(k.Unsent, nil)
	s.Restore(k.Unsent)
	fill(s, r, conv, 1, 3)
	if err := r.Flush(t.Context()); err != nil || len(reread(t, m, conv)) != 3 || strings.Contains(m.vals["c/G1"], "form") || m.vals["o/r1"] == "" {
		t.Errorf("%v: kept are %v", err, m.vals)
	}
}

// A page that still runs an older program does not spoil what a newer one
// keeps. Its posts are kept all the same.
func TestNewerRecordsAreLeftAlone(t *testing.T) {
	m := older("99")
	s := live(0, conv)
	r := on(s, m)
	fill(s, r, conv, 1, 3)
	ch, _ := s.Add(conv, chat.TextContent("x"), "r2", 1)
	r.Changed(ch)
	if err := r.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := older("99").vals; m.vals["o/r2"] == "" || len(m.vals) != len(want)+1 || m.vals["me"] != want["me"] || m.vals["p/G1/00000000"] != want["p/G1/00000000"] {
		t.Errorf("kept are %v", m.vals)
	}
}

// Where the browser has cleared what was kept, all of it is written again.
func TestWhatTheBrowserClearedIsWrittenAgain(t *testing.T) {
	m := newMemory()
	s := live(0, conv)
	r := on(s, m)
	fill(s, r, conv, 1, 3)
	ch, _ := s.Add(conv, chat.TextContent("x"), "r1", 1)
	r.Changed(ch)
	if err := r.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := m.names()
	m.vals = map[string]string{}
	fill(s, r, conv, 4, 4)
	if err := r.Flush(t.Context()); err != nil || len(reread(t, m, conv)) != 4 {
		t.Errorf("%v: kept are %s", err, m.names())
	}
	for _, key := range strings.Fields(before) {
		if m.vals[key] == "" {
			t.Errorf("%s is not written again", key)
		}
	}
}

// Once it has left, a page writes only what the person writes.
func TestPageThatLeavesWritesOnlyPosts(t *testing.T) {
	m := newMemory()
	s := live(0, conv)
	r := on(s, m)
	orphan(m, "r1") // so that something stays
	if _, err := r.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	fill(s, r, conv, 1, 3)
	ch, _ := s.Add(conv, chat.TextContent("x"), "r2", 1)
	r.Changed(ch)
	if err := r.Flush(t.Context()); err != nil || m.names() != "me o/r1 o/r2" {
		t.Errorf("%v: kept are %s", err, m.names())
	}
}

// A page that began without what was kept says so until something is kept.
func TestItIsToldThatKeepingWorksAfterItBeganBadly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		s := state.New()
		var said []error
		r := NewReplica(m, m.tab, func(f func(*state.State)) { f(s) }, func(err error) { said = append(said, err) })
		r.Began(nil, errors.New("too late"))
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { r.Run(ctx); close(done) }()
		pass := func(ch state.Change) {
			r.Changed(ch)
			time.Sleep(time.Second)
			synctest.Wait()
		}
		pass(state.Change{Link: true})
		if len(said) != 0 {
			t.Errorf("said %v, though nothing was written", said)
		}
		pass(s.Apply(wire.Frame{Body: wire.Welcome{Me: chat.Person{ID: "U1", Username: "ada"}}}, 0))
		if len(said) != 1 || said[0] != nil {
			t.Errorf("said %v, want that it works", said)
		}
		stop()
		<-done
	})
}
