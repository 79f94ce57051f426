package chat

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func entry(seq int64, by UserID, c Content) Message {
	return Message{Conv: "G1", Seq: seq, Author: by, Content: c}
}

func edit(of int64, text string) Content { return Content{Kind: Edit, Of: of, Text: text} }
func react(of int64, emoji string, off bool) Content {
	return Content{Kind: React, Of: of, Text: emoji, Off: off}
}

func TestAmend(t *testing.T) {
	hi := entry(3, "U1", TextContent("hi"))
	file := entry(3, "U1", Content{Kind: FileK, File: &File{URL: "/f", Name: "f"}})
	event := entry(3, "U1", Content{Kind: Event, Event: &Change{What: "made"}})
	unsent := entry(3, "U1", Content{Kind: Gone, Fate: &Fate{Recalled: 5, To: 5}})
	call := entry(3, "U1", Content{Kind: CallK, Call: &Call{ID: "x"}})
	for name, c := range map[string]struct {
		target Message
		by     []Message
		want   string // JSON of the content; empty: as it was
	}{
		"edit":                   {hi, []Message{entry(4, "U1", edit(3, "ho"))}, `{"k":"text","text":"ho","fate":{"edited":4,"to":4}}`},
		"the later edit counts":  {hi, []Message{entry(5, "U1", edit(3, "b")), entry(4, "U1", edit(3, "a"))}, `{"k":"text","text":"b","fate":{"edited":5,"to":5}}`},
		"an edit that is gone":   {hi, []Message{entry(4, "U1", edit(3, ""))}, ""},
		"somebody else's edit":   {hi, []Message{entry(4, "U2", edit(3, "ho"))}, ""},
		"of another entry":       {hi, []Message{entry(4, "U1", edit(2, "ho"))}, ""},
		"before its target":      {hi, []Message{entry(2, "U1", edit(3, "ho"))}, ""},
		"of another log":         {hi, []Message{{Conv: "G2", Seq: 4, Author: "U1", Content: edit(3, "ho")}}, ""},
		"edit of a file":         {file, []Message{entry(4, "U1", edit(3, "ho"))}, ""},
		"edit of an event":       {event, []Message{entry(4, "U1", edit(3, "ho"))}, ""},
		"a text amends nothing":  {hi, []Message{entry(4, "U1", Content{Kind: Text, Text: "x", Of: 3})}, ""},
		"recall":                 {hi, []Message{entry(4, "U1", Content{Kind: Recall, Of: 3})}, `{"k":"gone","fate":{"recalled":4,"to":4}}`},
		"recall of a file":       {file, []Message{entry(4, "U1", Content{Kind: Recall, Of: 3})}, `{"k":"gone","fate":{"recalled":4,"to":4}}`},
		"somebody else's recall": {hi, []Message{entry(4, "U2", Content{Kind: Recall, Of: 3})}, ""},
		"recall of an event":     {event, []Message{entry(4, "U1", Content{Kind: Recall, Of: 3})}, ""},
		"after a recall":         {unsent, []Message{entry(6, "U1", edit(3, "ho")), entry(7, "U2", react(3, "👍", false)), entry(8, "U1", Content{Kind: Recall, Of: 3})}, ""},
		"edit, then recall":      {hi, []Message{entry(5, "U1", Content{Kind: Recall, Of: 3}), entry(4, "U1", edit(3, "ho"))}, `{"k":"gone","fate":{"recalled":5,"to":5}}`},
		"reactions":              {hi, []Message{entry(4, "U2", react(3, "👍", false)), entry(5, "U1", react(3, "👍", false))}, `{"k":"text","text":"hi","fate":{"reacts":{"👍":{"U1":5,"U2":4}},"to":5}}`},
		"taken back":             {hi, []Message{entry(5, "U2", react(3, "👍", true)), entry(4, "U2", react(3, "👍", false))}, `{"k":"text","text":"hi","fate":{"reacts":{"👍":{"U2":-5}},"to":5}}`},
		"reaction to a call":     {call, []Message{entry(4, "U2", react(3, "👍", false))}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			m := c.target
			before, changed := m.Content, false
			for _, by := range c.by {
				changed = Amend(&m, by) || changed
			}
			got, err := json.Marshal(m.Content)
			if err != nil {
				t.Fatal(err)
			}
			if want := c.want; want != "" && string(got) != want || want == "" && !reflect.DeepEqual(m.Content, before) || changed != (want != "") {
				t.Errorf("got %s, changed: %v; want %s", got, changed, want)
			}
			m.Content = c.target.Content
			if !reflect.DeepEqual(m, c.target) {
				t.Errorf("more than the content changed: %+v", m)
			}
		})
	}
}

// drawn is a log that begins with a message of U1's, all amendments of which are about it.
func drawn(t *rapid.T) (target Message, bys []Message) {
	target = entry(1, "U1", TextContent("a"))
	if rapid.Bool().Draw(t, "file") {
		target.Content = Content{Kind: FileK, File: &File{URL: "/f", Name: "f"}}
	}
	n := rapid.IntRange(0, 12).Draw(t, "n")
	for i := range n {
		c := Content{Kind: rapid.SampledFrom([]Kind{Edit, React, React, React, Recall, Text}).Draw(t, "kind"), Of: rapid.SampledFrom([]int64{1, 1, 1, 1, 2}).Draw(t, "of")}
		if c.Kind == Recall && rapid.IntRange(0, 3).Draw(t, "rarely") > 0 {
			c.Kind = React
		}
		switch c.Kind {
		case Edit:
			c.Text = rapid.SampledFrom([]string{"", "b", "c", "d"}).Draw(t, "text")
		case React:
			c.Text, c.Off = rapid.SampledFrom([]string{"👍", "🎉"}).Draw(t, "emoji"), rapid.Bool().Draw(t, "off")
		}
		bys = append(bys, entry(int64(i)+2, rapid.SampledFrom([]UserID{"U1", "U1", "U2", "U3"}).Draw(t, "by"), c))
	}
	return target, bys
}

func folded(target Message, bys []Message) Message {
	for _, by := range bys {
		Amend(&target, by)
	}
	return target
}

// Whatever is delivered twice, or late, the message is what it is in order.
func TestAmendInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		target, bys := drawn(t)
		want := folded(target, bys)
		again := bys
		for range rapid.IntRange(0, 5).Draw(t, "again") {
			if len(bys) > 0 {
				again = append(slices.Clip(again), rapid.SampledFrom(bys).Draw(t, "one"))
			}
		}
		mixed := rapid.Permutation(again).Draw(t, "mixed")
		if got := folded(target, mixed); !reflect.DeepEqual(got, want) {
			t.Fatalf("in order %+v %+v,\nmixed    %+v %+v", want.Content, want.Content.Fate, got.Content, got.Content.Fate)
		}
		for _, by := range mixed {
			if m := want; Amend(&m, by) {
				t.Fatalf("%+v changed a message that has it: %+v", by, m)
			}
		}
	})
}

// Two copies that know different parts make one that knows both, and neither is changed by it.
func TestMergeOfCopies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		target, bys := drawn(t)
		var one, two []Message
		for _, by := range bys {
			where := rapid.IntRange(0, 2).Draw(t, "where")
			if where != 1 {
				one = append(one, by)
			}
			if where != 0 {
				two = append(two, by)
			}
		}
		want := folded(target, bys)
		a, b := folded(target, one), folded(target, two)
		before := fmt.Sprintf("%+v %+v", b.Content, b.Content.Fate)
		ab, ba := a, b
		Merge(&ab, b)
		Merge(&ba, a)
		if !reflect.DeepEqual(ab, want) || !reflect.DeepEqual(ba, want) {
			t.Fatalf("merged %+v and %+v, want %+v", ab.Content, ba.Content, want.Content)
		}
		if after := fmt.Sprintf("%+v %+v", b.Content, b.Content.Fate); after != before {
			t.Fatalf("a copy was changed by a merge: %s, before %s", after, before)
		}
		if Merge(&ab, a) || Merge(&ab, b) {
			t.Fatal("merging what is known changes something")
		}
	})
}

func TestFoldOfARun(t *testing.T) {
	es := []Message{
		entry(4, "U1", TextContent("a")), entry(5, "U2", react(4, "👍", false)), entry(6, "U1", edit(3, "elsewhere")),
		entry(7, "U1", TextContent("b")), entry(8, "U1", Content{Kind: Recall, Of: 7}), entry(9, "U1", edit(4, "c")),
	}
	Fold(es)
	if es[0].Content.Text != "c" || len(es[0].Content.Reactions()) != 1 || es[3].Content.Kind != Gone || es[2].Content.Text != "elsewhere" {
		t.Errorf("folded: %+v", es)
	}
}

func TestAllow(t *testing.T) {
	text := entry(3, "U1", TextContent("hi"))
	answer := TextContent("yes")
	answer.Re = &Quote{Seq: 3}
	crowd := entry(3, "U1", TextContent("hi"))
	crowd.Content.Fate = &Fate{Reacts: map[string]map[UserID]int64{"👍": {}}, To: 9}
	for i := range MaxReacted {
		crowd.Content.Fate.Reacts["👍"][UserID(fmt.Sprint("Ux", i))] = 9
	}
	many := entry(3, "U1", TextContent("hi"))
	many.Content.Fate = &Fate{Reacts: map[string]map[UserID]int64{}, To: 9}
	for i := range MaxReactions {
		many.Content.Fate.Reacts[string(rune(0x1f600+i))] = map[UserID]int64{"U2": -9}
	}
	as := func(c Content, change func(*Message)) *Message {
		m := entry(3, "U1", c)
		if change != nil {
			change(&m)
		}
		return &m
	}
	gone := as(Content{Kind: Gone, Fate: &Fate{Recalled: 4, To: 4}}, nil)
	for name, c := range map[string]struct {
		by     UserID
		c      Content
		target *Message
		want   Code
	}{
		"edit":                     {"U1", edit(3, "x"), &text, ""},
		"edit of another's":        {"U2", edit(3, "x"), &text, Forbidden},
		"edit of a file":           {"U1", edit(3, "x"), as(Content{Kind: FileK, File: &File{URL: "/f", Name: "f"}}, nil), Invalid},
		"edit of nothing":          {"U1", edit(3, "x"), nil, NotFound},
		"edit of an edit":          {"U1", edit(3, "x"), as(edit(2, "y"), nil), Invalid},
		"edit of what is unsent":   {"U1", edit(3, "x"), gone, Invalid},
		"recall":                   {"U1", Content{Kind: Recall, Of: 3}, &text, ""},
		"recall of another's":      {"U2", Content{Kind: Recall, Of: 3}, &text, Forbidden},
		"second recall":            {"U1", Content{Kind: Recall, Of: 3}, gone, Invalid},
		"reaction":                 {"U2", react(3, "👍", false), &text, ""},
		"reaction to an event":     {"U2", react(3, "👍", false), as(Content{Kind: Event, Event: &Change{}}, nil), Invalid},
		"reaction to what is gone": {"U2", react(3, "👍", false), gone, Invalid},
		"one too many people":      {"U2", react(3, "👍", false), &crowd, TooLong},
		"one of them":              {"Ux5", react(3, "👍", true), &crowd, ""},
		"one emoji too many":       {"U2", react(3, "👍", false), &many, TooLong},
		"one of those":             {"U3", react(3, "😀", false), &many, ""},
		"answer":                   {"U2", answer, &text, ""},
		"answer to what is gone":   {"U2", answer, gone, ""},
		"answer to nothing":        {"U2", answer, nil, NotFound},
		"answer to a reaction":     {"U2", answer, as(react(2, "👍", false), nil), Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			d := Draft{Conv: "G1", Author: c.by, Content: c.c}
			if d.Content.About() != 3 {
				t.Errorf("it is about %d", d.Content.About())
			}
			if err := d.Allow(c.target); c.want == "" && err != nil || c.want != "" && !errors.Is(err, &Refusal{Code: c.want}) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestAmendmentsValidate(t *testing.T) {
	answer := TextContent("yes")
	answer.Re = &Quote{Seq: 3}
	to := func(c Content, change func(*Content)) Content { change(&c); return c }
	for name, c := range map[string]struct {
		c    Content
		want Code
	}{
		"edit":                  {edit(3, "x"), ""},
		"empty edit":            {edit(3, " "), Invalid},
		"long edit":             {edit(3, strings.Repeat("x", MaxText+1)), TooLong},
		"edit of nothing":       {edit(0, "x"), Invalid},
		"recall":                {Content{Kind: Recall, Of: 3}, ""},
		"recall of nothing":     {Content{Kind: Recall}, Invalid},
		"recall with a text":    {Content{Kind: Recall, Of: 3, Text: "x"}, Invalid},
		"reaction":              {react(3, "❤️", true), ""},
		"keycap":                {react(3, "1️⃣", false), ""},
		"family":                {react(3, "👩‍👩‍👧‍👦", false), ""},
		"no emoji":              {react(3, "", false), Invalid},
		"a word":                {react(3, "yes", false), Invalid},
		"a chinese word":        {react(3, "好", false), Invalid},
		"markup":                {react(3, "<b>", false), Invalid},
		"two with a space":      {react(3, "👍 👍", false), Invalid},
		"long reaction":         {react(3, strings.Repeat("👍", 9), false), TooLong},
		"not UTF-8":             {react(3, "\xff", false), Invalid},
		"reaction to nothing":   {react(-1, "👍", false), Invalid},
		"answer":                {answer, ""},
		"answer to nothing":     {to(answer, func(c *Content) { c.Re = &Quote{} }), Invalid},
		"file that answers":     {Content{Kind: FileK, File: &File{URL: "/f", Name: "f"}, Re: &Quote{Seq: 1}}, Invalid},
		"text about an entry":   {to(TextContent("x"), func(c *Content) { c.Of = 3 }), Invalid},
		"text taken back":       {to(TextContent("x"), func(c *Content) { c.Off = true }), Invalid},
		"text with its fate":    {to(TextContent("x"), func(c *Content) { c.Fate = &Fate{} }), Invalid},
		"made-up unsent":        {Content{Kind: Gone}, Invalid},
		"edit that is an event": {to(edit(3, "x"), func(c *Content) { c.Event = &Change{} }), Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.c.Validate(); c.want == "" && err != nil || c.want != "" && !errors.Is(err, &Refusal{Code: c.want}) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestReactions(t *testing.T) {
	m := entry(3, "U1", TextContent("hi"))
	for i, r := range []Content{react(3, "🎉", false), react(3, "👍", false), react(3, "👍", false), react(3, "😢", false), react(3, "😢", true)} {
		by := UserID([]string{"U2", "U3", "U1", "U2", "U2"}[i])
		Amend(&m, entry(int64(4+i), by, r))
	}
	want := []Reaction{{"🎉", []UserID{"U2"}}, {"👍", []UserID{"U3", "U1"}}}
	if got := m.Content.Reactions(); !reflect.DeepEqual(got, want) || !got[1].Has("U1") || got[1].Has("U2") {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := TextContent("x").Reactions(); got != nil {
		t.Errorf("reactions of nothing: %+v", got)
	}
}

func TestLayoutEmptiesQuotesOfWhatIsUnsent(t *testing.T) {
	q := &Quote{Seq: 1, Author: "U1", Text: "secret"}
	answer := Content{Kind: Text, Text: "x", Re: q}
	rows := []Row{
		{Message: entry(1, "U1", Content{Kind: Gone})}, {Message: entry(2, "U2", answer)},
		{Message: entry(3, "U2", Content{Kind: Text, Text: "y", Re: &Quote{Seq: 2, Author: "U2", Text: "x"}})},
	}
	Layout(rows, -1, time.UTC)
	if got := rows[1].Message.Content.Re; got.Text != "" || got.Author != "U1" || q.Text != "secret" || rows[2].Message.Content.Re.Text != "x" {
		t.Errorf("got %+v and %+v, from %+v", got, rows[2].Message.Content.Re, q)
	}
}
