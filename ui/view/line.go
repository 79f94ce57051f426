package view

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"kamachat/shared/chat"
	"kamachat/ui/state"
)

// A line is a row in the document.
type line struct {
	key     string
	seq     int64 // 0 in the outbox
	el      app.Value
	look    look
	foreign bool // drawn by the server, and as it should be
}

func (n *line) top() float64    { return n.el.Call("getBoundingClientRect").Get("top").Float() }
func (n *line) bottom() float64 { return n.el.Call("getBoundingClientRect").Get("bottom").Float() }

// A look is all that may change about a row of one key.
type look struct {
	tick         chat.Tick
	why          chat.Code
	day          string // over a new day; it changes at midnight
	new, head    bool
	name, avatar string
	said         string // of an event

	kind          chat.Kind
	waits         bool // for an amendment to be stored
	edited        bool
	text          string      // of a message that was amended
	quoted, quote string      // who said what a text answers, and that
	who           string      // reacted how: a line for each emoji
	me            chat.UserID // where something was amended
}

func lookOf(r chat.Row, s *state.State, d *Desk) look {
	k := look{tick: r.Tick, why: r.Why, new: r.New, head: r.Head}
	if r.Day {
		k.day = d.day(r.Message.At)
	}
	p, _ := s.Person(r.Message.Author)
	k.name, k.avatar = s.Name(r.Message.Author), p.Avatar
	if r.Message.Content.Event != nil {
		k.said = d.event(r.Message, s)
	}
	k.fate(r, s, d)
	return k
}

// dress makes the row look as it should.
func (n *line) dress(r chat.Row, k look, d *Desk) {
	n.seq = r.Message.Seq
	if n.foreign {
		n.foreign = false
		if !k.waits {
			n.look = k
		}
		if b := n.el.Call("querySelector", ".b"); b.Truthy() {
			b.Set("title", d.moment(r.Message.At))
		}
	}
	if n.look == k {
		return
	}
	els, _ := plant([]*tree{draw(r, k, d)})
	el := els[0]
	at := document().Get("activeElement")
	had := n.el.Call("contains", at).Truthy()
	n.el.Call("replaceWith", el)
	if had {
		refocus(el, at)
	}
	n.el, n.look = el, k
}
