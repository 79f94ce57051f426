package view

import (
	"slices"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"kamachat/shared/chat"
	"kamachat/ui/state"
)

const (
	nearEnd  = 40  // px from the end within which the reader counts as reading the end
	nearEdge = 900 // px from the edge of what is drawn within which more is drawn
)

// A log is the messages of one conversation in the document. It owns its
// elements: a keyed list in which sync changes only what differs, at most
// maxShown rows of which are in the document. Whoever reads above the end is
// not moved by what arrives. Only the UI goroutine touches a log.
type log struct {
	desk *Desk
	conv chat.ConvID
	box  app.Value // scrolls; nil until it is mounted
	list app.Value // the <ol> in it
	pill app.Value // the button that leads to the end

	rows  []chat.Row // all that is held
	span  span       // of rows, what is in the document
	lines []*line    // in the document's order
	byKey map[string]*line

	placed  string // key of the divider that the reader was brought to, or "end"
	touched bool   // the reader has scrolled since
	atEnd   bool
	seen    int64 // highest Seq that was visible
	told    int64 // highest Seq that was reported as read
	first   bool  // the log begins with rows[0]
	past    bool  // rows are not the end of the log
	target  int64 // Seq of the entry to bring the reader to, once it is there
	oldest  int64 // Seq of the first entry held, 0 for none; not all have rows
	newest  int64 // and of the last
	beyond  int64 // newest, when newer ones were asked for
	asked   int64 // oldest, when older ones were asked for
	bar     rowbar

	adopting app.Value // the server's rows, until they are taken over
	sizes    app.Value // the observer that calls onSize
	onSize   app.Func
}

// show changes the conversation.
func (l *log) show(conv chat.ConvID) {
	if l.conv == conv {
		return
	}
	if l.list != nil && l.adopting == nil {
		l.list.Set("textContent", "")
	}
	l.conv, l.rows, l.span, l.lines, l.byKey = conv, nil, span{}, nil, map[string]*line{}
	l.placed, l.touched, l.atEnd, l.seen, l.told, l.first, l.asked = "", false, true, 0, 0, false, 0
	l.past, l.target, l.beyond = false, 0, 0
	l.bar.hide()
	if j := l.desk.jump; j.conv == conv {
		l.desk.jump = jump{}
		l.seek(j.seq)
	}
	l.adopt()
	l.sync()
}

// sync draws the conversation as the state has it.
func (l *log) sync() {
	if l.box == nil || l.conv == "" {
		return
	}
	hold := l.hold()
	old := l.rows
	ended := l.span.hi >= len(old)
	l.desk.Do(func(s *state.State) {
		l.rows = s.Rows(l.conv, l.desk.Zone)
		c, _ := s.Conv(l.conv)
		l.first, l.past, l.oldest, l.newest = c.AtStart, c.Past, 0, 0
		if es, _ := s.Shown(l.conv); len(es) > 0 {
			l.oldest, l.newest = es[0].Seq, es[len(es)-1].Seq
		}
		switch {
		case l.aim():
		case len(old) == 0:
			l.span = ending(len(l.rows), slices.IndexFunc(l.rows, func(r chat.Row) bool { return r.New }))
		default:
			l.span = l.span.follow(len(l.rows), l.moved(old), ended, l.atEnd)
		}
		l.patch(s)
	})
	l.bar.follow()
	if l.target != 0 {
		l.hit()
	} else {
		l.place(hold)
	}
	l.settle()
}

// moved returns where the row at the beginning of the span is now.
func (l *log) moved(old []chat.Row) int {
	for i := l.span.lo; i < min(l.span.hi, len(old)); i++ {
		if at := slices.IndexFunc(l.rows, func(r chat.Row) bool { return r.Key == old[i].Key }); at >= 0 {
			return max(at-(i-l.span.lo), 0)
		}
	}
	return max(len(l.rows)-openShown, 0)
}

// move shows another part of the same rows.
func (l *log) move(to span) {
	if to == l.span {
		return
	}
	hold := l.hold()
	l.span = to
	l.desk.Do(l.patch)
	l.restore(hold)
}

// patch makes the document's rows those of the span, touching only what differs.
func (l *log) patch(s *state.State) {
	want := l.rows[l.span.lo:l.span.hi]
	keep := make(map[string]bool, len(want))
	for _, r := range want {
		keep[r.Key] = true
	}
	l.lines = slices.DeleteFunc(l.lines, func(n *line) bool {
		if keep[n.key] {
			return false
		}
		n.el.Call("remove")
		delete(l.byKey, n.key)
		return true
	})
	for i := 0; i < len(want); i++ {
		r := want[i]
		n := l.byKey[r.Key]
		if n == nil {
			i += l.insert(i, want[i:], s) - 1
			continue
		}
		looks := lookOf(r, s, l.desk)
		n.dress(r, looks, l.desk)
		if l.lines[i] == n {
			continue
		}
		l.lines = slices.DeleteFunc(l.lines, func(o *line) bool { return o == n })
		l.put(i, n.el)
		l.lines = slices.Insert(l.lines, i, n)
	}
}

// insert draws those rows at the beginning of rows that are not in the document,
// as lines from i on, and returns how many these are.
func (l *log) insert(i int, rows []chat.Row, s *state.State) int {
	var ns []*line
	var ts []*tree
	for _, r := range rows {
		if l.byKey[r.Key] != nil {
			break
		}
		n := &line{key: r.Key, seq: r.Message.Seq, look: lookOf(r, s, l.desk)}
		ns, ts = append(ns, n), append(ts, draw(r, n.look, l.desk))
		l.byKey[r.Key] = n
	}
	els, all := plant(ts)
	for j, n := range ns {
		n.el = els[j]
	}
	l.put(i, all)
	l.lines = slices.Insert(l.lines, i, ns...)
	return len(ns)
}

// put puts a node, or the children of a fragment, before line i.
func (l *log) put(i int, node app.Value) {
	if i < len(l.lines) {
		l.list.Call("insertBefore", node, l.lines[i].el)
	} else {
		l.list.Call("appendChild", node)
	}
}

// settle reacts to where the reader is: it draws or asks for more rows near an
// edge, shows the way to the end, and reports what was read.
func (l *log) settle() {
	if l.box == nil || l.conv == "" {
		return
	}
	for range maxShown / stepShown {
		top := l.box.Get("scrollTop").Float()
		below := l.below()
		switch {
		case top < nearEdge && l.span.lo > 0 && !(l.atEnd && len(l.lines) >= openShown):
			l.move(l.span.up())
			continue
		case below < nearEdge && l.span.hi < len(l.rows):
			l.move(l.span.down(len(l.rows)))
			continue
		case below < nearEdge && l.past && l.newest > 0 && l.beyond != l.newest:
			l.beyond = l.newest
			l.desk.Intents.Around(l.conv, true)
		case top < nearEdge && l.span.lo == 0 && !l.first && l.oldest > 0 && l.asked != l.oldest:
			l.asked = l.oldest // what follows comes here again
			if l.past {
				l.desk.Intents.Around(l.conv, false)
			} else {
				l.desk.Intents.Older(l.conv)
			}
		}
		break
	}
	l.read()
	l.point()
}

// below returns how many pixels of the rows are below what is visible.
func (l *log) below() float64 {
	return l.box.Get("scrollHeight").Float() - l.box.Get("scrollTop").Float() - l.box.Get("clientHeight").Float()
}

// scrolled takes note that the reader has moved.
func (l *log) scrolled() {
	if l.box == nil {
		return
	}
	at := l.span.hi >= len(l.rows) && l.below() <= nearEnd && !l.past
	l.touched = l.touched || l.atEnd && !at
	l.atEnd = at
	l.settle()
}

// toEnd brings the reader to the newest row.
func (l *log) toEnd() {
	if l.box == nil {
		return
	}
	if l.past {
		l.rows, l.span = nil, span{} // the end is drawn as if it were opened
		l.desk.Intents.Latest(l.conv)
		l.sync()
	}
	if l.span.hi < len(l.rows) {
		l.move(ending(len(l.rows), -1))
	}
	l.atEnd = true
	l.box.Set("scrollTop", l.box.Get("scrollHeight").Float())
	l.settle()
}

// resized keeps a reader of the end there while heights change.
func (l *log) resized() {
	if l.box != nil && l.atEnd && l.conv != "" {
		l.box.Set("scrollTop", l.box.Get("scrollHeight").Float())
	}
}
