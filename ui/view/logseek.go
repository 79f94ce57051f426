package view

import (
	"slices"

	"kamachat/shared/chat"
)

// A jump is an entry that the page is to show once its conversation is open.
type jump struct {
	conv chat.ConvID
	seq  int64
}

// seek brings the reader to the entry seq, which is loaded where it is not held.
func (l *log) seek(seq int64) {
	l.target, l.touched, l.atEnd, l.placed = seq, true, false, "end"
	l.desk.Intents.Jump(l.conv, seq)
}

// aim puts the span around the entry sought, where it is there.
func (l *log) aim() bool {
	at := -1
	if l.target != 0 {
		at = slices.IndexFunc(l.rows, func(r chat.Row) bool { return r.Message.Seq == l.target })
	}
	if at < 0 {
		return false
	}
	l.span = span{max(at-openShown/2, 0), min(at+openShown/2, len(l.rows))}
	return true
}

// hit shows the entry sought in the middle, and marks it for a moment.
func (l *log) hit() {
	i := slices.IndexFunc(l.lines, func(n *line) bool { return n.seq == l.target })
	if i < 0 {
		return
	}
	l.target = 0
	n := l.lines[i]
	box := l.box.Call("getBoundingClientRect")
	up := n.top() - box.Get("top").Float() - box.Get("height").Float()/3
	l.box.Set("scrollTop", l.box.Get("scrollTop").Float()+up)
	list := n.el.Get("classList")
	list.Call("remove", "hit")
	n.el.Get("offsetWidth") // or the browser would not begin the motion again
	list.Call("add", "hit")
}
