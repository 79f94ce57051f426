package page

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"kamachat/shared/chat"
)

// A line is one line of the conversation list.
type line struct {
	ID      chat.ConvID
	Seed    string // what the colour follows from
	Title   string
	Avatar  string
	At      int64
	Says    string // who said it: "You", a name in a group, or ""
	Preview string
	Tick    chat.Tick
	Unread  int
	Open    bool
	chat.Line
}

// name is what to call someone.
func (p ChatPage) name(u chat.UserID) string { return p.personName(p.person(u)) }

func (p ChatPage) person(u chat.UserID) chat.Person {
	for _, x := range p.People {
		if x.ID == u {
			return x
		}
	}
	if p.Me != nil && p.Me.ID == u {
		return *p.Me
	}
	return chat.Person{ID: u}
}

// line returns what the list says of a conversation.
func (p ChatPage) line(s chat.Summary) line {
	l := line{ID: s.Conv, Seed: string(s.Conv), Title: s.Title, Avatar: s.Avatar, Unread: s.Unread, Open: p.shows(s.Conv), Line: s.Line}
	if peer, ok := s.Conv.Peer(p.Me.ID); ok {
		x := p.person(peer)
		l.Seed, l.Title, l.Avatar = string(peer), p.personName(x), x.Avatar
	}
	m := s.Last
	if m == nil {
		return l
	}
	l.At, l.Preview = m.At, p.preview(*m)
	switch {
	case m.Content.Kind == chat.Event:
	case m.Author == p.Me.ID:
		l.Says, l.Tick = p.say("list.you"), chat.TickOf(m.Seq, s.All)
	case s.Conv.IsGroup():
		l.Says = p.name(m.Author)
	}
	return l
}

func (p ChatPage) shows(c chat.ConvID) bool { return p.Open != nil && p.Open.Summary.Conv == c }

// lines is the list, ordered as ui/state orders it, and what is archived of it. A
// conversation that is shown and has no entries, or none any more, comes first; of the
// others that are deleted nothing is shown.
func (p ChatPage) lines() (ls, archived []line) {
	shown := false
	for _, s := range p.Convs {
		l := p.line(s)
		switch bare := s.Cleared > 0 && s.Last == nil; {
		case bare:
		case s.Archived:
			shown, archived = shown || l.Open, append(archived, l)
		default:
			shown, ls = shown || l.Open, append(ls, l)
		}
	}
	order := func(a, b line) int {
		return cmp.Or(cmp.Compare(b.Pinned, a.Pinned), cmp.Compare(b.At, a.At), cmp.Compare(a.ID, b.ID))
	}
	slices.SortFunc(ls, order)
	slices.SortFunc(archived, order)
	if p.Open != nil && !shown {
		ls = slices.Insert(ls, 0, p.line(p.Open.Summary))
	}
	return ls, archived
}

// listed are the lines above the archive.
func (p ChatPage) listed() []line {
	ls, _ := p.lines()
	return ls
}

// archived are those in it.
func (p ChatPage) archived() []line {
	_, ls := p.lines()
	return ls
}

// rows lays the shown part of the log out.
func (p ChatPage) rows() []chat.Row {
	o := p.Open
	rows := make([]chat.Row, 0, len(o.Page.Entries))
	for _, m := range o.Page.Entries {
		if m.Content.Kind.Amends() {
			continue
		}
		r := chat.Row{Key: "s" + strconv.FormatInt(m.Seq, 10), Message: m, Mine: m.Author == p.Me.ID}
		if r.Mine {
			r.Tick = chat.TickOf(m.Seq, o.Summary.All)
		}
		rows = append(rows, r)
	}
	after := int64(-1)
	if o.Summary.Unread > 0 {
		after = o.Summary.Mine.Read
	}
	chat.Layout(rows, after, p.Zone)
	return rows
}

// older is the address of the page before the shown one, "" where there is none.
func (o *OpenConv) older() string {
	if es := o.Page.Entries; len(es) > 0 && es[0].Seq > 1 {
		return "?before=" + strconv.FormatInt(es[0].Seq, 10)
	}
	return ""
}

// menu is the address of what can be done about the line, or of the page without it.
func (o *OpenConv) menu() string {
	if o.Menu {
		return "/c/" + string(o.Summary.Conv)
	}
	return "?menu"
}

// status is the line under the conversation's title.
func (p ChatPage) status() string {
	if s := p.Open.Summary; s.Conv.IsGroup() {
		return p.say("head.members", s.Members)
	}
	return p.say("head.offline")
}

// about is the page of whom the open conversation is with.
func (p ChatPage) about() string {
	conv := p.Open.Summary.Conv
	if peer, ok := conv.Peer(p.Me.ID); ok {
		return "/people/" + string(peer)
	}
	return "/g/" + string(conv)
}

// nothing is said in the place of a conversation.
func (p ChatPage) nothing() string {
	if p.Me != nil && len(p.Convs) == 0 {
		return p.say("conv.first")
	}
	return p.say("conv.none")
}

// title is the document's, as ui/view keeps it.
func (p ChatPage) title() string {
	t, n := "KamaChat", 0
	if p.Open != nil {
		t = p.line(p.Open.Summary).Title + " · " + t
	}
	for _, s := range p.Convs {
		if !s.Archived {
			n += s.Unread
		}
	}
	if n > 0 {
		t = "(" + count(n) + ") " + t
	}
	return t
}

// count is an unread count that fits its badge.
func count(n int) string {
	if n > 99 {
		return "99+"
	}
	return strconv.Itoa(n)
}

// stamp is a time as <time datetime> wants it, "" for none.
func stamp(ms int64) string {
	if ms == 0 {
		return ""
	}
	return time.UnixMilli(ms).UTC().Format(time.RFC3339)
}

// wide and high are the room of a picture in the log, in CSS pixels.
func wide(f *chat.File) string { w, _ := f.Box(); return strconv.Itoa(w) }
func high(f *chat.File) string { _, h := f.Box(); return strconv.Itoa(h) }

// tickLook returns the icon of a tick and the word and class for it.
func tickLook(t chat.Tick) (icon, label string) {
	switch t {
	case chat.Stored:
		return "check", "stored"
	case chat.Delivered:
		return "checks", "delivered"
	case chat.Read:
		return "checks", "read"
	}
	return "", ""
}

// tickIcon and tickWord are the two halves of tickLook, for templates.
func tickIcon(t chat.Tick) string { icon, _ := tickLook(t); return icon }
func tickWord(t chat.Tick) string { _, word := tickLook(t); return word }

// appClass says on a phone whether the list or the conversation is seen.
func (p ChatPage) appClass() string {
	if p.Open != nil {
		return "app open"
	}
	return "app"
}

func rowClass(r chat.Row) string {
	if r.Head {
		return "m mine"
	}
	return "m mine k"
}
