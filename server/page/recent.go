package page

import (
	"cmp"
	"math"
	"slices"

	"kamachat/shared/chat"
)

// linesAtOnce is how many conversations are drawn. The socket brings the
// others, and nobody sees so far down before.
const linesAtOnce = 60

// recent returns the page with only the conversations that are pinned, the latest
// ones, the one that is shown, and the people in them.
func (p ChatPage) recent() ChatPage {
	if p.Me == nil || len(p.Convs) <= linesAtOnce {
		return p
	}
	at := func(s chat.Summary) int64 {
		switch {
		case s.Pinned > 0:
			return math.MaxInt64
		case s.Last == nil:
			return 0
		}
		return s.Last.At
	}
	all := slices.Clone(p.Convs)
	slices.SortStableFunc(all, func(a, b chat.Summary) int { return cmp.Compare(at(b), at(a)) })
	p.Convs = all[:linesAtOnce:linesAtOnce]
	for _, s := range all[linesAtOnce:] {
		if p.shows(s.Conv) {
			p.Convs = append(p.Convs, s)
		}
	}
	named := p.named()
	p.People = slices.DeleteFunc(slices.Clone(p.People), func(x chat.Person) bool { return !named[x.ID] })
	return p
}

// named returns everybody whom the page names.
func (p ChatPage) named() map[chat.UserID]bool {
	who := map[chat.UserID]bool{}
	conv := func(c chat.ConvID) {
		if peer, ok := c.Peer(p.Me.ID); ok {
			who[peer] = true
		}
	}
	entry := func(m chat.Message) {
		who[m.Author] = true
		if m.Content.Re != nil {
			who[m.Content.Re.Author] = true
		}
		for _, r := range m.Content.Reactions() {
			for _, u := range r.People {
				who[u] = true
			}
		}
		if m.Content.Event != nil {
			for _, u := range m.Content.Event.Who {
				who[u] = true
			}
		}
	}
	for _, s := range p.Convs {
		conv(s.Conv)
		if s.Last != nil {
			entry(*s.Last)
		}
	}
	if p.Open != nil {
		conv(p.Open.Summary.Conv)
		for _, m := range p.Open.Page.Entries {
			entry(m)
		}
	}
	return who
}
