package state

import (
	"fmt"
	"testing"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// BenchmarkApplyPosted is what one message costs a browser with 500
// conversations, without drawing it.
func BenchmarkApplyPosted(b *testing.B) {
	s := New()
	w := wire.Welcome{Me: chat.Person{ID: "U1"}, People: []chat.Person{{ID: "U2"}}}
	for i := range 500 {
		w.Convs = append(w.Convs, chat.Summary{Conv: chat.ConvID(fmt.Sprint("Gx", i))})
	}
	w.Convs[0].Conv = group
	s.Apply(wire.Frame{Body: w}, 0)
	seq := int64(0)
	for b.Loop() {
		seq++
		s.Apply(posted(seq, "U2"), 0)
		s.Due(0)
	}
}

// BenchmarkConvs is what one redraw of the list costs.
func BenchmarkConvs(b *testing.B) {
	s := welcomed(0, chat.Marks{}, 0)
	for i := range 500 {
		s.Apply(wire.Frame{Body: wire.Posted{Message: chat.Message{Conv: chat.ConvID(fmt.Sprint("Gx", i)), Seq: 1, Author: "U2", At: int64(i)}}}, 0)
	}
	for b.Loop() {
		s.Convs()
	}
}
