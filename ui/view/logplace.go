package view

import (
	"slices"
	"sort"

	"kamachat/shared/chat"
)

// A hold is a row and where on the screen it is, to find the place again
// after rows above it have changed.
type hold struct {
	key string
	top float64
}

// hold takes hold of the first visible row.
func (l *log) hold() (h hold) {
	if l.atEnd || len(l.lines) == 0 {
		return h
	}
	top := l.box.Call("getBoundingClientRect").Get("top").Float()
	i := sort.Search(len(l.lines), func(i int) bool { return l.lines[i].bottom() > top })
	if i < len(l.lines) {
		h = hold{l.lines[i].key, l.lines[i].top()}
	}
	return h
}

// restore brings the row held back to where it was.
func (l *log) restore(h hold) {
	if l.atEnd && l.span.hi >= len(l.rows) {
		l.box.Set("scrollTop", l.box.Get("scrollHeight").Float())
		return
	}
	if n := l.byKey[h.key]; n != nil {
		if d := n.top() - h.top; d != 0 {
			l.box.Set("scrollTop", l.box.Get("scrollTop").Float()+d)
		}
	}
}

// place brings the reader to where reading begins: the first unread row, or
// the end. Once the reader has moved it only keeps the place.
func (l *log) place(h hold) {
	if len(l.lines) == 0 {
		return
	}
	to, at := "end", slices.IndexFunc(l.rows, func(r chat.Row) bool { return r.New })
	if at >= 0 {
		to = l.rows[at].Key
	}
	if l.touched || to == l.placed || to == "end" && l.placed != "" {
		l.restore(h)
		return
	}
	l.placed = to
	if to == "end" {
		l.atEnd = true
		l.restore(h)
		return
	}
	if l.byKey[to] == nil { // the divider has moved up with a page of older rows
		l.span = ending(len(l.rows), at)
		l.desk.Do(l.patch)
	}
	box, n := l.box.Call("getBoundingClientRect"), l.byKey[to]
	up := n.top() - box.Get("top").Float() - box.Get("height").Float()/4
	l.box.Set("scrollTop", l.box.Get("scrollTop").Float()+up)
	l.atEnd = l.span.hi >= len(l.rows) && l.below() <= nearEnd
}

// read notes the last visible row, and reports it where the person is looking.
// While rows above the divider are still to come, the reader is not yet where
// reading begins.
func (l *log) read() {
	if len(l.rows) > 0 && l.rows[0].New && !l.first && !l.atEnd {
		return
	}
	i := l.lastVisible()
	for ; i >= 0 && l.lines[i].seq == 0; i-- {
	}
	if i < 0 {
		return
	}
	l.seen = max(l.seen, l.lines[i].seq)
	if l.seen > l.told && watching() {
		l.told = l.seen
		l.desk.Intents.Read(l.conv, l.seen)
	}
}

// lastVisible returns which line is the last that can be seen, -1 for none.
func (l *log) lastVisible() int {
	end := l.box.Call("getBoundingClientRect").Get("bottom").Float()
	return sort.Search(len(l.lines), func(i int) bool { return l.lines[i].top() > end-8 }) - 1
}

// unseen returns how many rows of others nobody has scrolled to yet.
func unseen(rows []chat.Row, seen int64) (n int) {
	for i := len(rows) - 1; i >= 0; i-- {
		switch r := rows[i]; {
		case r.Mine:
		case r.Message.Seq <= seen:
			return n
		default:
			n++
		}
	}
	return n
}

// point shows the way to the end to those who read above it.
func (l *log) point() {
	n := unseen(l.rows, l.seen)
	far := l.below() > l.box.Get("clientHeight").Float()*1.5 || l.span.hi < len(l.rows)
	on := l.past || !l.atEnd && (n > 0 || far)
	l.pill.Set("hidden", !on)
	if on {
		l.pill.Get("lastChild").Set("textContent", l.desk.below(n))
	}
}
