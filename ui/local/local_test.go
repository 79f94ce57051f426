package local

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kamachat/shared/chat"
	"kamachat/shared/find"
	"kamachat/shared/wire"
	"kamachat/ui/state"
)

const conv = chat.ConvID("G1")

func msg(conv chat.ConvID, seq int64) chat.Message {
	return chat.Message{ID: seq, Conv: conv, Seq: seq, Author: "U2", At: 1000 + seq, Content: chat.TextContent(fmt.Sprint(seq))}
}

// live is the state of U1 with conversations that end at last.
func live(last int64, convs ...chat.ConvID) *state.State {
	s := state.New()
	w := wire.Welcome{Me: chat.Person{ID: "U1", Username: "ada"}}
	for i, c := range convs {
		m := msg(c, last)
		m.At -= int64(i) // the first is the latest
		w.Convs = append(w.Convs, chat.Summary{Conv: c, Title: "T", Members: 3, LastSeq: last, Last: &m})
	}
	s.Apply(wire.Frame{Body: w}, 0)
	return s
}

// on is a Replica of s, whose changes are to be passed on by hand.
func on(s *state.State, m *memory) *Replica {
	return NewReplica(m, m.tab, func(f func(*state.State)) { f(s) }, func(error) {})
}

// reopened is what a new page shows of m.
func reopened(t *testing.T, m *memory) *state.State {
	t.Helper()
	k, err := Load(t.Context(), m, "", "")
	if err != nil {
		t.Fatal(err)
	}
	s := state.New()
	s.Recall(k)
	r := on(s, m)
	for _, c := range s.Convs() {
		es, err := r.Before(t.Context(), c.ID, 0)
		if err != nil {
			t.Fatal(err)
		}
		s.Remember(c.ID, es)
	}
	return s
}

func rows(s *state.State, conv chat.ConvID) (texts []string) {
	for _, r := range s.Rows(conv, time.UTC) {
		texts = append(texts, r.Message.Content.Text)
	}
	return texts
}

// Whatever happens, what was written is what is shown again: the newest run.
func TestWhatIsReopenedIsWhatWasThere(t *testing.T) {
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		m := newMemory()
		s := live(0, conv)
		r := on(s, m)
		next, refs := int64(1), 0
		for range 60 {
			var ch state.Change
			switch rnd.IntN(8) {
			case 0, 1, 2: // something comes
				for range rnd.IntN(30) {
					ch = ch.Merge(s.Apply(wire.Frame{Body: wire.Posted{Message: msg(conv, next)}}, 0))
					next++
				}
			case 3: // a long absence: the newest page comes, with a hole before it
				next += 1 + rnd.Int64N(200)
				p := chat.Page{Conv: conv, LastSeq: next - 1}
				for q := max(next-50, 1); q < next; q++ {
					p.Entries = append(p.Entries, msg(conv, q))
				}
				ch = s.Apply(wire.Frame{Body: wire.Welcome{Me: s.Me(), Convs: []chat.Summary{{Conv: conv, Title: "T", LastSeq: next - 1}}}}, 0)
				for _, f := range ch.Need {
					if _, ok := f.Body.(wire.Resume); ok {
						ch = ch.Merge(s.Apply(wire.Frame{Ref: f.Ref, Body: wire.History{Page: p}}, 0))
					}
				}
			case 4:
				refs++
				c, _ := s.Add(conv, chat.TextContent(fmt.Sprint("post ", refs)), fmt.Sprintf("r%03d", refs), int64(refs))
				ch = c
			case 5: // the first post is stored
				if us := s.Unsent(); len(us) > 0 {
					mine := msg(conv, next)
					next++
					mine.Author, mine.Content = "U1", us[0].Content
					ch = s.Apply(wire.Frame{Ref: us[0].Ref, Body: wire.Posted{Message: mine}}, 0)
				}
			case 6:
				s.SetDraft(conv, []string{"", "a", "b"}[rnd.IntN(3)])
				r.Drafted(conv)
			case 7:
				if err := r.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			r.Changed(ch)
		}
		if err := r.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		again := reopened(t, m)
		want, got := rows(s, conv), rows(again, conv)
		n := min(len(want), PageSize) // a page at least, the rest as someone scrolls
		if len(got) < n || !slices.Equal(got[len(got)-n:], want[len(want)-n:]) {
			t.Fatalf("seed %d: got %v, want the end of %v", seed, got, want)
		}
		if !reflect.DeepEqual(again.Unsent(), s.Unsent()) || again.Draft(conv) != s.Draft(conv) {
			t.Fatalf("seed %d: posts %v and draft %q, want %v, %q", seed, again.Unsent(), again.Draft(conv), s.Unsent(), s.Draft(conv))
		}
		// Scrolling up finds all that was held, page by page.
		r2 := on(again, m)
		for _, want := range slices.Backward(s.Held(conv)) {
			held := again.Held(conv)
			if want.Seq >= held[0].Seq {
				continue
			}
			es, err := r2.Before(t.Context(), conv, held[0].Seq)
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := again.Remember(conv, es); !ok {
				t.Fatalf("seed %d: %d is not there, though it was held", seed, want.Seq)
			}
		}
	}
}

// What is there already is not written again.
func TestOnlyNewsIsWritten(t *testing.T) {
	m := newMemory()
	s := live(0, conv)
	r := on(s, m)
	flush := func() (keys []string) {
		m.log = nil
		if err := r.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, b := range m.log {
			for _, p := range b.Put {
				keys = append(keys, p.Key)
			}
			keys = append(keys, b.Delete...)
		}
		slices.Sort(keys)
		return keys
	}
	for i := range int64(120) {
		r.Changed(s.Apply(wire.Frame{Body: wire.Posted{Message: msg(conv, i+1)}}, 0))
	}
	if got, want := flush(), []string{"c/G1", "me", "p/G1/00000000", "p/G1/00000001", "p/G1/00000002", "u/U1"}; !slices.Equal(got, want) {
		t.Errorf("first: %v, want %v", got, want)
	}
	r.Changed(s.Apply(wire.Frame{Body: wire.Posted{Message: msg(conv, 121)}}, 0))
	if got, want := flush(), []string{"c/G1", "p/G1/00000002"}; !slices.Equal(got, want) {
		t.Errorf("one more: %v, want %v", got, want)
	}
	r.Changed(state.Change{Convs: map[chat.ConvID]bool{conv: true}, Link: true, Me: true})
	if got := flush(); len(got) != 0 {
		t.Errorf("nothing new: %v", got)
	}
}

func TestPostsOfPagesThatAreGoneAreTakenOver(t *testing.T) {
	m := newMemory()
	one := live(0, conv)
	r := on(one, m)
	ch, _ := one.Add(conv, chat.TextContent("x"), "r1", 1)
	r.Changed(ch)
	if err := r.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.tab, m.alive["t1"] = "t2", true
	if us := reopened(t, m).Unsent(); len(us) != 0 {
		t.Errorf("the other page lives, but its posts were taken: %v", us)
	}
	m.alive["t1"] = false
	if us, err := m.Adopt(t.Context(), "U1"); len(us) != 1 || us[0].Ref != "r1" || err != nil {
		t.Errorf("the other page is gone, and its post is left behind: %v, %v", us, err)
	}
	m.tab = "t3"
	m.alive["t2"] = true
	if us := reopened(t, m).Unsent(); len(us) != 0 {
		t.Errorf("taken over twice: %v", us)
	}
}

func TestPostsAreWrittenAtOnceOthersGathered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		s := live(0, conv)
		var said []error
		r := NewReplica(m, m.tab, func(f func(*state.State)) { f(s) }, func(err error) { said = append(said, err) })
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { r.Run(ctx); close(done) }()
		r.Changed(s.Apply(wire.Frame{Body: wire.Posted{Message: msg(conv, 1)}}, 0))
		synctest.Wait()
		if len(m.log) != 0 {
			t.Error("an entry was not gathered with others")
		}
		ch, _ := s.Add(conv, chat.TextContent("x"), "r1", 1)
		r.Changed(ch)
		synctest.Wait()
		if len(m.log) != 1 || m.vals["o/r1"] == "" {
			t.Error("a post was not written at once")
		}
		// A store that fails is told, and tried again.
		m.breaks(errors.New("broken"))
		r.Changed(s.Apply(wire.Frame{Body: wire.Posted{Message: msg(conv, 2)}}, 0))
		time.Sleep(time.Second)
		synctest.Wait()
		m.breaks(nil)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if len(said) != 2 || said[0] == nil || said[1] != nil || !strings.Contains(m.vals["p/G1/00000000"], `"seq":2`) {
			t.Errorf("said %v, kept %s", said, m.vals["p/G1/00000000"])
		}
		stop()
		<-done
	})
}

func TestFindAndAround(t *testing.T) {
	m := newMemory()
	s := live(0, "G1", "G2")
	r := on(s, m)
	for i := range int64(200) {
		a, b := msg("G1", i+1), msg("G2", i+1)
		a.Content, b.Content = chat.TextContent(fmt.Sprintf("number %d of 会议", i+1)), chat.TextContent("nothing")
		a.At, b.At = 1000+i, 2000+i
		if i == 7 || i == 190 {
			b.Content = chat.TextContent("Number 七 at last, 会议室")
		}
		r.Changed(s.Apply(wire.Frame{Body: wire.Posted{Message: a}}, 0).Merge(s.Apply(wire.Frame{Body: wire.Posted{Message: b}}, 0)))
	}
	if err := r.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for q, want := range map[string]string{
		"number 会议": "G2/191 G2/8 G1/200 G1/199 G1/198",
		"number 17": "G1/179 G1/178 G1/177 G1/176 G1/175",
		"会议室":       "G2/191 G2/8",
		"umber":     "",
	} {
		found, err := r.Find(t.Context(), find.Parse(q), 5)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range found {
			got = append(got, fmt.Sprint(m.Conv, "/", m.Seq))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %v, want %s", q, got, want)
		}
	}
	es, err := r.Around(t.Context(), "G1", 60)
	if err != nil || len(es) < 100 || es[0].Seq > 35 || es[len(es)-1].Seq < 85 {
		t.Errorf("around 60 are %d entries, %v", len(es), err)
	}
	for at, want := range map[int64]int64{0: 1, 1000: 1, 1060: 61, 1199: 200, 1200: 0} {
		if seq, err := r.At(t.Context(), "G1", at, 200); err != nil || seq != want {
			t.Errorf("at %d is %d, %v, want %d", at, seq, err, want)
		}
	}
	if es, err := r.Around(t.Context(), "G1", 999); err != nil || es != nil {
		t.Errorf("around what is not there: %v, %v", es, err)
	}
}

// People are told once, and must be there also where that write failed.
func TestPeopleOfAWriteThatFailedAreKept(t *testing.T) {
	m := newMemory()
	s := live(0, conv)
	r := on(s, m)
	r.Changed(s.Apply(wire.Frame{Body: wire.People{People: []chat.Person{{ID: "U2", Username: "bob"}}}}, 0))
	m.breaks(errors.New("broken"))
	if err := r.Flush(t.Context()); err == nil {
		t.Fatal("the write did not fail")
	}
	m.breaks(nil)
	if err := r.Flush(t.Context()); err != nil || !strings.Contains(m.vals["u/U2"], "bob") {
		t.Errorf("%v: kept is %q", err, m.vals["u/U2"])
	}
}
