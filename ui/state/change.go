package state

import (
	"maps"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// A Change says what to redraw and what to send after something was folded.
type Change struct {
	List  bool                 // the conversation list: order, names, unread counts
	Link  bool                 // Status
	Me    bool                 // one's own person
	Asked bool                 // who waits for the person's answer
	Anew  bool                 // nothing that was here of the server's is any more: it is in another epoch
	Convs map[chat.ConvID]bool // conversations whose rows, header, typing or ticks may differ
	Need  []wire.Frame         // questions for the server, to be sent now in this order
	// Amended are entries held that have changed, as they are now, and amendments
	// of entries that are not held.
	Amended []chat.Message
	Gone    bool          // the server keeps less than it did: see State.Gone
	Cleared []chat.ConvID // conversations of which more is deleted than was
	Parted  []chat.ConvID // groups that the person is no longer in, and of which nothing is to stay
}

// Has reports whether conv may look different.
func (c Change) Has(conv chat.ConvID) bool { return c.Convs[conv] }

// Empty reports whether there is nothing to redraw and nothing to send.
func (c Change) Empty() bool {
	return !c.List && !c.Link && !c.Me && !c.Asked && len(c.Convs) == 0 && len(c.Need) == 0
}

// Merge returns both changes in one.
func (c Change) Merge(o Change) Change {
	m := Change{List: c.List || o.List, Link: c.Link || o.Link, Me: c.Me || o.Me, Anew: c.Anew || o.Anew, Gone: c.Gone || o.Gone, Asked: c.Asked || o.Asked}
	if len(c.Convs)+len(o.Convs) > 0 {
		m.Convs = make(map[chat.ConvID]bool, len(c.Convs)+len(o.Convs))
		maps.Copy(m.Convs, c.Convs)
		maps.Copy(m.Convs, o.Convs)
	}
	if len(c.Need)+len(o.Need) > 0 {
		m.Need = append(append([]wire.Frame{}, c.Need...), o.Need...)
	}
	if len(c.Amended)+len(o.Amended) > 0 {
		m.Amended = append(append([]chat.Message{}, c.Amended...), o.Amended...)
	}
	if len(c.Parted)+len(o.Parted) > 0 {
		m.Parted = append(append([]chat.ConvID{}, c.Parted...), o.Parted...)
	}
	if len(c.Cleared)+len(o.Cleared) > 0 {
		m.Cleared = append(append([]chat.ConvID{}, c.Cleared...), o.Cleared...)
	}
	return m
}

// touch marks a conversation and, since its line shows there, the list.
func (c *Change) touch(id chat.ConvID) {
	if c.Convs == nil {
		c.Convs = map[chat.ConvID]bool{}
	}
	c.Convs[id], c.List = true, true
}
