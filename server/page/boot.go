package page

import (
	"kamachat/shared/chat"
)

// A boot is what ui/main_boot.go reads, and no more than that: fields it can
// do without until the socket is there are left out, since every byte here
// delays the first paint.
type boot struct {
	Me     *person   `json:"me"`
	Convs  []summary `json:"convs"`
	People []person  `json:"people"`
	Page   *entries  `json:"page,omitempty"`
	Build  string    `json:"build"`
	Epoch  string    `json:"epoch,omitempty"`
}

type (
	person struct {
		ID       chat.UserID `json:"id"`
		Username string      `json:"username,omitempty"`
		Nickname string      `json:"nickname,omitempty"`
		Avatar   string      `json:"avatar,omitempty"`
		Admin    bool        `json:"admin,omitempty"`
	}
	summary struct {
		Conv    chat.ConvID `json:"conv"`
		Title   string      `json:"title,omitempty"`
		Avatar  string      `json:"avatar,omitempty"`
		Members int         `json:"members,omitempty"`
		LastSeq int64       `json:"last_seq"`
		Last    *message    `json:"last,omitempty"`
		Mine    *marks      `json:"mine,omitempty"`
		All     *marks      `json:"all,omitempty"`
		Unread  int         `json:"unread,omitempty"`
		chat.Line
	}
	marks struct {
		Delivered int64 `json:"delivered"`
		Read      int64 `json:"read"`
	}
	message struct {
		Seq     int64        `json:"seq"`
		Author  chat.UserID  `json:"from"`
		At      int64        `json:"at"`
		Content chat.Content `json:"c"`
	}
	entries struct {
		Conv    chat.ConvID `json:"conv"`
		Entries []message   `json:"entries"`
		LastSeq int64       `json:"last_seq"`
	}
)

// previewed is how many characters of a last message the list can show.
const previewed = 80

// boot returns the page's block of data.
func (p ChatPage) boot() boot {
	b := boot{Me: &person{p.Me.ID, p.Me.Username, p.Me.Nickname, p.Me.Avatar, p.Me.Admin}, Build: p.Build, Epoch: p.Epoch}
	known := map[chat.UserID]bool{p.Me.ID: true}
	for _, x := range p.People {
		if known[x.ID] {
			continue
		}
		known[x.ID] = true
		b.People = append(b.People, person{x.ID, x.Username, x.Nickname, x.Avatar, false})
	}
	for _, s := range p.Convs {
		b.Convs = append(b.Convs, p.summary(s))
	}
	if o := p.Open; o != nil && !o.Past {
		b.Page = &entries{Conv: o.Summary.Conv, LastSeq: o.Page.LastSeq, Entries: make([]message, len(o.Page.Entries))}
		for i, m := range o.Page.Entries {
			b.Page.Entries[i] = message{m.Seq, m.Author, m.At, m.Content}
		}
	}
	return b
}

// summary leaves out what the list does not show: the page tells the shown
// conversation's last entry, and only an own entry has a tick.
func (p ChatPage) summary(s chat.Summary) summary {
	out := summary{Conv: s.Conv, Title: s.Title, Avatar: s.Avatar, LastSeq: s.LastSeq, Unread: s.Unread, Line: s.Line}
	if s.Conv.IsGroup() {
		out.Members = s.Members
	}
	shown := p.shows(s.Conv)
	if shown || s.Unread > 0 {
		out.Mine = &marks{s.Mine.Delivered, s.Mine.Read}
	}
	if shown || s.Last != nil && s.Last.Author == p.Me.ID {
		out.All = &marks{s.All.Delivered, s.All.Read}
	}
	if m := s.Last; m != nil && !(shown && !p.Open.Past) {
		c := m.Content
		if c.Kind == chat.Text {
			c.Text = c.Preview(previewed)
		}
		out.Last = &message{m.Seq, m.Author, m.At, c}
	}
	return out
}
