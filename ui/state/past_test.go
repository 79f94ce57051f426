package state

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// answers answers what ch asks of a log that ends at last, as the server does.
func answers(s *State, ch Change, last int64) {
	for i := 0; i < len(ch.Need); i++ {
		b, ok := ch.Need[i].Body.(wire.Before)
		if !ok {
			continue
		}
		end := last
		if b.Seq > 0 {
			end = min(last, b.Seq-1)
		}
		var seqs []int64
		for q := max(end-int64(b.Limit)+1, 1); q <= end; q++ {
			seqs = append(seqs, q)
		}
		ch.Need = append(ch.Need, s.Apply(page(ch.Need[i].Ref, last, seqs...), 0).Need...)
	}
}

// span says which entries are shown, and that none is missing.
func span(t *testing.T, s *State) string {
	t.Helper()
	rows := s.Rows(group, time.UTC)
	var first, last int64
	for _, r := range rows {
		q := r.Message.Seq
		if q == 0 {
			continue
		}
		if first == 0 {
			first, last = q, q-1
		}
		if q != last+1 {
			t.Fatalf("%d is shown behind %d", q, last)
		}
		last = q
	}
	return fmt.Sprint(first, "–", last)
}

func TestJumpFarBackAndReturn(t *testing.T) {
	s := welcomed(1000, chat.Marks{Read: 1000}, 0)
	s.Open(group)
	answers(s, s.Older(group, 0), 1000)
	s.Add(group, chat.TextContent("waits"), "r", 0)
	if got := span(t, s); got != "951–1000" {
		t.Fatalf("the end is %s", got)
	}
	answers(s, s.Jump(group, 300, 0), 1000)
	if got := span(t, s); got != "275–324" || len(s.Rows(group, time.UTC)) != 50 {
		t.Errorf("around 300 is %s, with %d rows", got, len(s.Rows(group, time.UTC)))
	}
	// What comes meanwhile is at the end, not here.
	s.Apply(posted(1001, "U2"), 0)
	answers(s, s.Around(group, true, 0), 1001)
	answers(s, s.Around(group, false, 0), 1001)
	if got := span(t, s); got != "225–374" {
		t.Errorf("with a page more on both sides it is %s", got)
	}
	if c, _ := s.Conv(group); !c.Past || c.AtStart {
		t.Errorf("%+v", c)
	}
	s.Latest(group)
	if c, _ := s.Conv(group); c.Past || span(t, s) != "951–1001" {
		t.Errorf("back at the end it is %s", span(t, s))
	}
	// What is held is not asked for.
	if ch := s.Jump(group, 960, 0); len(ch.Need) > 0 || span(t, s) != "951–1001" {
		t.Errorf("a jump within what is held asks %v", ch.Need)
	}
	// Scrolling down from the past comes to the end, which goes on from there.
	answers(s, s.Jump(group, 900, 0), 1001)
	for range 3 {
		answers(s, s.Around(group, true, 0), 1001)
	}
	if c, _ := s.Conv(group); c.Past || span(t, s) != "875–1001" {
		t.Errorf("where both meet it is %s", span(t, s))
	}
	// The very beginning.
	answers(s, s.Jump(group, 1, 0), 1001)
	answers(s, s.Around(group, false, 0), 1001)
	if c, _ := s.Conv(group); !c.AtStart || span(t, s) != "1–25" {
		t.Errorf("at the beginning it is %s, %v", span(t, s), c.AtStart)
	}
	// It ends with the conversation.
	s.Open("")
	s.Open(group)
	if c, _ := s.Conv(group); c.Past {
		t.Error("a conversation opens in the past")
	}
}

func TestJumpTakesWhatWasKept(t *testing.T) {
	s := welcomed(1000, chat.Marks{Read: 1000}, 0)
	s.SetPhase(Offline, 0)
	s.Open(group)
	kept := func(from, to int64) (es []chat.Message) {
		for ; from <= to; from++ {
			es = append(es, msg(from, "U2"))
		}
		return es
	}
	s.Remember(group, kept(951, 1000))
	s.Jump(group, 300, 0)
	if _, waits := s.Shown(group); waits != 300 {
		t.Errorf("it waits for %d", waits)
	}
	if _, ok := s.RememberPast(group, kept(310, 320)); ok {
		t.Error("entries elsewhere were taken")
	}
	if _, ok := s.RememberPast(group, kept(251, 350)); !ok || span(t, s) != "251–350" {
		t.Errorf("kept entries show %s", span(t, s))
	}
	if _, ok := s.RememberPast(group, kept(201, 250)); !ok || span(t, s) != "201–350" {
		t.Errorf("kept entries show %s", span(t, s))
	}
	if _, ok := s.RememberPast(group, kept(101, 150)); ok {
		t.Error("entries beyond a hole were taken")
	}
	if _, ok := s.RememberPast(group, kept(351, 950)); !ok || span(t, s) != "201–1000" {
		t.Errorf("up to the end it shows %s", span(t, s))
	}
}

// Whatever is pressed while whatever comes, what is shown has no hole, and the
// end is where it was.
func TestJumpingAboutNeverShowsAHole(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		last := int64(500)
		s := welcomed(last, chat.Marks{Read: last}, 0)
		s.Open(group)
		answers(s, s.Older(group, 0), last)
		var asked Change
		for range 100 {
			var ch Change
			switch rnd.IntN(7) {
			case 0:
				ch = s.Jump(group, 1+rnd.Int64N(last), 0)
			case 1:
				ch = s.Around(group, rnd.IntN(2) == 0, 0)
			case 2:
				ch = s.Latest(group)
			case 3:
				last++
				ch = s.Apply(posted(last, "U2"), 0)
			case 4:
				ch = s.Older(group, 0)
			case 5: // late answers
				answers(s, asked, last)
				asked = Change{}
			case 6:
				s.SetPhase(Offline, 0)
				s.Apply(wire.Frame{Body: wire.Welcome{Me: chat.Person{ID: "U1"}, Convs: []chat.Summary{{Conv: group, LastSeq: last, Mine: chat.Marks{Read: last}}}}}, 0)
				asked = Change{}
			}
			asked = asked.Merge(ch)
			span(t, s)
		}
		answers(s, asked, last)
		frames, _ := s.Due(0)
		answers(s, Change{Need: frames}, last)
		s.Latest(group)
		if es := s.Held(group); len(es) == 0 || es[len(es)-1].Seq != last {
			t.Fatalf("seed %d: the end is not at %d", seed, last)
		}
	}
}

// A jump to where there is nothing, as in a group of which all is deleted, ends: nothing is waited for.
func TestJumpToNothingEnds(t *testing.T) {
	s := welcomed(0, chat.Marks{}, 0)
	s.Open(group)
	ch := s.Jump(group, 7, 0)
	if _, waits := s.Shown(group); len(ch.Need) != 1 || waits != 7 {
		t.Fatalf("asked was %+v, it waits for %d", ch.Need, waits)
	}
	s.Apply(wire.Frame{Ref: ch.Need[0].Ref, Body: wire.History{Page: chat.Page{Conv: group}}}, 0)
	if v, _ := s.Conv(group); v.Past {
		_, waits := s.Shown(group)
		t.Errorf("it waits for %d: %+v", waits, v)
	}
}
