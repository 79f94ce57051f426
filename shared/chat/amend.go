package chat

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of what may be said about a message.
const (
	MaxEmoji     = 32  // bytes of a reaction
	MaxReactions = 20  // different emoji at a message, taken back or not
	MaxReacted   = 100 // people of one emoji at a message, taken back or not
	MaxQuote     = 100 // runes of a quote
)

// A Quote is the message that a text answers, as it was when the answer was
// stored. Text is empty where that was unsent already. The server fills in all
// but Seq.
type Quote struct {
	Seq    int64  `json:"seq"`
	Author UserID `json:"from,omitempty"`
	Text   string `json:"text,omitempty"`
}

// A Fate is what became of an entry by later ones of its log. It is never
// changed in place: copies of an entry may share it.
type Fate struct {
	Edited   int64 `json:"edited,omitempty"`   // Seq of the edit that the text is from
	Recalled int64 `json:"recalled,omitempty"` // Seq of the recall of one that is Gone
	// Reacts holds, by emoji and person, the Seq of the last word on it, negative
	// where it was taken back.
	Reacts map[string]map[UserID]int64 `json:"reacts,omitempty"`
	To     int64                       `json:"to"` // the highest Seq that is in here
	// Expired: nobody recalled it, the server keeps it no longer. Recalled is its own Seq.
	Expired bool `json:"expired,omitempty"`
}

// Amends reports whether entries of kind k are about an earlier one: they change
// it, and are not messages themselves.
func (k Kind) Amends() bool { return k == Edit || k == Recall || k == React }

// Amending are the kinds that amend.
var Amending = []Kind{Edit, Recall, React}

// amendable reports whether entries of kind k can be amended.
func (k Kind) amendable() bool { return k == Text || k == FileK }

// Amend folds an amendment into its target, and reports whether that changed
// anything. It may be given any entry, any number of times and in any order:
// only what is later than what is known counts.
func Amend(target *Message, by Message) bool {
	c := by.Content
	if !c.Kind.Amends() || c.Of != target.Seq || by.Conv != target.Conv || by.Seq <= target.Seq {
		return false
	}
	if c.Kind != React && by.Author != target.Author || c.Kind != Recall && target.Content.Kind == Gone {
		return false
	}
	next := Message{Conv: target.Conv, Seq: target.Seq, Content: target.Content}
	f := &Fate{To: by.Seq}
	switch c.Kind {
	case Recall:
		f.Recalled = by.Seq
		next.Content = Content{Kind: Gone}
	case Edit:
		if target.Content.Kind != Text || c.Text == "" {
			return false // another edit took its place, and is still to come
		}
		f.Edited = by.Seq
		next.Content.Text = c.Text
	case React:
		seq := by.Seq
		if c.Off {
			seq = -seq
		}
		f.Reacts = map[string]map[UserID]int64{c.Text: {by.Author: seq}}
	}
	next.Content.Fate = f
	return Merge(target, next)
}

// Merge makes of target, one copy of an entry, what both copies know together,
// and reports whether that changed it.
func Merge(target *Message, other Message) bool {
	if target.Conv != other.Conv || target.Seq != other.Seq || other.Content.Fate == nil {
		return false
	}
	a, b := target.Content, other.Content
	switch {
	case b.Kind == Gone && (a.Kind.amendable() || a.Kind == Gone && b.Fate.Recalled < a.Fate.recalled()):
		target.Content = b
		return true
	case a.Kind == Gone || !a.Kind.amendable():
		return false
	}
	next, changed := Fate{}, false
	if a.Fate != nil {
		next = *a.Fate
	}
	if b.Fate.Edited > next.Edited {
		next.Edited, a.Text, changed = b.Fate.Edited, b.Text, true
	}
	copied := false
	for emoji, people := range b.Fate.Reacts {
		for u, seq := range people {
			if abs(seq) <= abs(next.Reacts[emoji][u]) {
				continue
			}
			if !copied {
				next.Reacts, copied, changed = copyReacts(next.Reacts), true, true
			}
			if next.Reacts[emoji] == nil {
				next.Reacts[emoji] = map[UserID]int64{}
			}
			next.Reacts[emoji][u] = seq
		}
	}
	if !changed {
		return false
	}
	next.To = max(next.To, b.Fate.To)
	a.Fate = &next
	target.Content = a
	return true
}

// recalled is f.Recalled, also of none.
func (f *Fate) recalled() int64 {
	if f == nil {
		return 0
	}
	return f.Recalled
}

func abs(n int64) int64 { return max(n, -n) }

func copyReacts(r map[string]map[UserID]int64) map[string]map[UserID]int64 {
	out := make(map[string]map[UserID]int64, len(r)+1)
	for emoji, people := range r {
		out[emoji] = maps.Clone(people)
	}
	return out
}

// Fold applies the amendments among es, a part of one log in rising Seq order,
// to the others of them, in place.
func Fold(es []Message) {
	for _, by := range es {
		if !by.Content.Kind.Amends() {
			continue
		}
		if i, ok := slices.BinarySearchFunc(es, by.Content.Of, bySeq); ok {
			Amend(&es[i], by)
		}
	}
}

func bySeq(m Message, seq int64) int { return cmp.Compare(m.Seq, seq) }

// About returns the Seq of the entry that c amends or answers, 0 for none.
func (c Content) About() int64 {
	switch {
	case c.Kind.Amends():
		return c.Of
	case c.Re != nil:
		return c.Re.Seq
	}
	return 0
}

// Allow says why d may not be stored, given the entry that it is About, or nil:
// target is nil where there is none. The error is a *Refusal.
func (d Draft) Allow(target *Message) error {
	c := d.Content
	switch {
	case target == nil:
		return Refuse(NotFound, "there is no such message")
	case !c.Kind.Amends() && (target.Content.Kind.amendable() || target.Content.Kind == Gone):
		return nil // an answer to what was unsent meanwhile is not lost
	case target.Content.Kind == Gone:
		return Refuse(Invalid, "the message was unsent")
	case !target.Content.Kind.amendable():
		return Refuse(Invalid, "what is named is not a message")
	case c.Kind != React && target.Author != d.Author:
		return Refuse(Forbidden, "not a message of yours")
	case c.Kind == Edit && target.Content.Kind != Text:
		return Refuse(Invalid, "only texts can be edited")
	}
	if f := target.Content.Fate; c.Kind == React && f != nil {
		people, ok := f.Reacts[c.Text]
		_, again := people[d.Author]
		if !ok && len(f.Reacts) >= MaxReactions || !again && len(people) >= MaxReacted {
			return Refuse(TooLong, "the message has too many reactions")
		}
	}
	return nil
}

// QuoteOf returns m as a text that answers it quotes it.
func QuoteOf(m Message) *Quote {
	return &Quote{Seq: m.Seq, Author: m.Author, Text: m.Content.Preview(MaxQuote)}
}

// A Reaction is an emoji at a message, and whose it is, who came first first.
type Reaction struct {
	Text   string
	People []UserID
}

// Reactions returns the reactions at a message, the oldest first.
func (c Content) Reactions() []Reaction {
	if c.Fate == nil {
		return nil
	}
	var out []Reaction
	first := map[string]int64{}
	for emoji, people := range c.Fate.Reacts {
		r := Reaction{Text: emoji}
		for u, seq := range people {
			if seq > 0 {
				r.People = append(r.People, u)
			}
		}
		if len(r.People) == 0 {
			continue
		}
		slices.SortFunc(r.People, func(a, b UserID) int { return cmp.Compare(people[a], people[b]) })
		first[emoji] = people[r.People[0]]
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b Reaction) int { return cmp.Compare(first[a.Text], first[b.Text]) })
	return out
}

// Has reports whether u reacted so.
func (r Reaction) Has(u UserID) bool { return slices.Contains(r.People, u) }

// validEmoji says why s is no reaction, or nil.
func validEmoji(s string) error {
	switch {
	case s == "":
		return Refuse(Invalid, "a reaction needs an emoji")
	case len(s) > MaxEmoji:
		return Refuse(TooLong, "the reaction is too long")
	case !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool {
		return r <= '~' && !strings.ContainsRune("#*0123456789", r) || unicode.IsLetter(r) || unicode.IsSpace(r) || unicode.IsControl(r)
	}):
		return Refuse(Invalid, "the reaction is not an emoji")
	}
	return nil
}
