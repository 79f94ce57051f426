package state

import (
	"cmp"
	"slices"

	"kamachat/shared/chat"
)

// A Conv is one conversation as lists and headers show it.
type Conv struct {
	ID      chat.ConvID
	Title   string // the group's name, or what to call the peer
	Avatar  string
	Peer    chat.UserID // of a direct conversation
	Online  bool        // the peer is
	Unknown bool        // whether the peer is online, where Online is not set
	Members int
	Last    *chat.Message // newest message, or the newest post that waits; nil for none
	LastAt  int64
	LastSeq int64 // the log's end as far as known
	Said    int64 // the same, without the amendments held there
	Oldest  int64 // Seq of the oldest entry held, 0 for none
	AtStart bool  // nothing older exists
	Loading bool  // a page has been asked for
	Unread  int
	Tick    chat.Tick // of Last
	Typing  []chat.UserID
	Draft   string
	Past    bool // what is shown is not the end of the log
	chat.Line
	chat.Place
}

// Convs returns the conversations: those pinned, the last one pinned first, then
// others, latest first, then those archived, latest first. One that was only just
// begun here, or is deleted, stands on top while it is open or has a draft, and
// is left out otherwise.
func (s *State) Convs() []Conv {
	cs := make([]Conv, 0, len(s.convs))
	for id, c := range s.convs {
		if s.gone(c) {
			continue
		}
		if v := s.view(c); !s.bare(v) || id == s.open || c.draft != "" {
			cs = append(cs, v)
		}
	}
	place := func(v Conv) int {
		switch {
		case s.bare(v):
			return 0
		case v.Pinned > 0:
			return 1
		case v.Archived:
			return 3
		}
		return 2
	}
	slices.SortFunc(cs, func(a, b Conv) int {
		return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(b.Pinned, a.Pinned), cmp.Compare(b.LastAt, a.LastAt), cmp.Compare(a.ID, b.ID))
	})
	return cs
}

// bare reports whether there is no message in v, and its line stands for nothing else.
func (s *State) bare(v Conv) bool {
	return v.Last == nil && (s.convs[v.ID].fresh || v.Cleared > 0)
}

// Bare returns the groups of the person of which everything is deleted, in the
// order of their ids.
func (s *State) Bare() (cs []Conv) {
	for _, id := range s.ids() {
		if c := s.convs[id]; c.listed && id.IsGroup() {
			if v := s.view(c); s.bare(v) {
				cs = append(cs, v)
			}
		}
	}
	return cs
}

// IDs returns all conversations that anything is known of, whether listed or not.
func (s *State) IDs() []chat.ConvID { return s.ids() }

// Conv returns one conversation.
func (s *State) Conv(id chat.ConvID) (Conv, bool) {
	c, ok := s.convs[id]
	if !ok {
		return Conv{}, false
	}
	return s.view(c), true
}

func (s *State) view(c *conv) Conv {
	v := Conv{
		ID: c.id, Title: c.title, Avatar: c.avatar, Members: c.members, Draft: c.draft,
		Last: c.log.tip, LastSeq: c.log.end, AtStart: c.shown().atStart(), Loading: c.down != "" || c.up != "" || c.past != nil && c.past.want != wantNone,
		Past: c.past != nil, Line: s.lineOf(c), Place: c.place,
	}
	v.Unread, _ = c.unread(s.me.ID)
	v.Said = v.LastSeq
	for m := c.log.held(v.Said); m != nil && m.Content.Kind.Amends(); m = c.log.held(v.Said) {
		v.Said--
	}
	if shown := c.shown(); len(shown.run) > 0 {
		v.Oldest = shown.first
	}
	if peer, ok := c.id.Peer(s.me.ID); ok {
		v.Peer, v.Online, v.Unknown = peer, s.Online(peer), s.roster.blind
		v.Title = s.Name(peer)
		v.Avatar = s.roster.people[peer].Avatar
	}
	if v.Last != nil && v.Last.Author == s.me.ID {
		v.Tick = chat.TickOf(v.Last.Seq, c.all)
	}
	q := s.outbox.of(c.id)
	if v.Last != nil && len(q) > 0 {
		last := *v.Last
		s.pending(c.id, &last)
		v.Last = &last
	}
	for i := len(q) - 1; i >= 0; i-- {
		if !q[i].quiet() {
			r := s.row(q[i])
			v.Last, v.Tick = &r.Message, r.Tick
			break
		}
	}
	if v.Last != nil {
		v.LastAt = v.Last.At
	}
	for u := range c.typing {
		v.Typing = append(v.Typing, u)
	}
	slices.Sort(v.Typing)
	return v
}

// EnsureDirect makes sure that there is a conversation with peer, and returns
// its id. A new one is only a placeholder until something is posted.
func (s *State) EnsureDirect(peer chat.Person) chat.ConvID {
	s.roster.learn(peer)
	id := chat.Direct(s.me.ID, peer.ID)
	if s.convs[id] == nil {
		s.conv(id).fresh = true
	}
	return id
}

// Draft returns the text that waits in the composer of conv.
func (s *State) Draft(conv chat.ConvID) string {
	if c, ok := s.convs[conv]; ok {
		return c.draft
	}
	return ""
}

// SetDraft keeps the composer's text.
func (s *State) SetDraft(conv chat.ConvID, text string) {
	if c, ok := s.convs[conv]; ok {
		c.draft = text
	}
}
