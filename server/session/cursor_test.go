package session

import (
	"fmt"
	"testing"

	"kamachat/shared/chat"
)

// What comes before it, and after: word of an entry may come late, again, or not
// at all, also of one that the client got with all that it missed.
func TestCursorLetsEachEntryPassOnceAndInOrder(t *testing.T) {
	const sent, kept, read = "sent", "kept", "read"
	for name, c := range map[string]struct {
		items []item
		want  []string
	}{
		"sent as missed":        {[]item{{conv: "Ga", seq: 7}}, []string{kept}},
		"long before":           {[]item{{conv: "Ga", seq: 1}}, []string{kept}},
		"the next, and again":   {[]item{{conv: "Ga", seq: 8}, {conv: "Ga", seq: 8}, {conv: "Ga", seq: 9}}, []string{sent, kept, sent}},
		"the first elsewhere":   {[]item{{conv: "Gb", seq: 1}}, []string{sent}},
		"one is missing":        {[]item{{conv: "Ga", seq: 9}, {conv: "Ga", seq: 8}, {conv: "Ga", seq: 10}}, []string{read, kept, kept}},
		"two conversations are": {[]item{{conv: "Ga", seq: 9}, {conv: "Gb", seq: 2}, {conv: "Gc", seq: 1}}, []string{read, kept, sent}},
		"a call of long ago":    {[]item{{conv: "Ga", seq: 6, call: true}}, []string{kept}},
		"a call passed over":    {[]item{{conv: "Ga", seq: 7, call: true}, {conv: "Ga", seq: 7, call: true}}, []string{sent, kept}},
	} {
		t.Run(name, func(t *testing.T) {
			var cur cursor
			cur.begin([]chat.Head{{Conv: "Ga", LastSeq: 6}, {Conv: "Gother", LastSeq: 3}})
			cur.passed("Ga", 7)
			cur.silent("Ga", 7)
			var got []string
			for _, it := range c.items {
				switch send, fetch := cur.nextLocked(it); {
				case send:
					got = append(got, sent)
				case fetch:
					got = append(got, read)
				default:
					got = append(got, kept)
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

func TestCursorKnowsWhatIsMissing(t *testing.T) {
	var cur cursor
	cur.begin([]chat.Head{{Conv: "Ga", LastSeq: 6}})
	for _, it := range []item{{conv: "Ga", seq: 9}, {conv: "Gb", seq: 3}, {conv: "Ga", seq: 12}} {
		cur.nextLocked(it)
	}
	if g, at, ok := cur.first(); !ok || g != (gap{"Ga", 12}) || at != 6 {
		t.Errorf("missing is %v after %d", g, at)
	}
	cur.passed("Ga", 12)
	if g, at, ok := cur.first(); !ok || g != (gap{"Gb", 3}) || at != 0 {
		t.Errorf("missing is %v after %d", g, at)
	}
	cur.passed("Gb", 3)
	if g, _, ok := cur.first(); ok {
		t.Errorf("missing is %v", g)
	}
	if send, read := cur.nextLocked(item{conv: "Gb", seq: 5}); send || !read {
		t.Error("nobody reads what is missing next")
	}
}

// Of more conversations than are kept nothing is missing before the first entry.
func TestCursorIsBounded(t *testing.T) {
	hs := make([]chat.Head, maxCursors+5)
	for i := range hs {
		hs[i] = chat.Head{Conv: chat.ConvID(fmt.Sprint("G", i)), LastSeq: 5}
	}
	var cur cursor
	cur.begin(hs)
	last := hs[len(hs)-1].Conv
	if send, _ := cur.nextLocked(item{conv: last, seq: 9}); !send || len(cur.at) != maxCursors {
		t.Errorf("%d are kept; the first entry of another is sent: %v", len(cur.at), send)
	}
	if send, read := cur.nextLocked(item{conv: last, seq: 11}); send || !read {
		t.Error("from then on what is missing is found")
	}
	if send, _ := cur.nextLocked(item{conv: "G1", seq: 6}); !send {
		t.Error("of one that is kept the next is not sent")
	}
}
