package page

import (
	"net/url"
	"strconv"
	"strings"

	"kamachat/shared/chat"
)

// A GroupFrame is what every page of a group gets.
type GroupFrame struct {
	Common
	Hooks   bool // groups have webhooks here
	Me      chat.Person
	Group   chat.Group
	Picture string    // the address of its picture, where who looks may see it; empty: none
	Seat    chat.Seat // of who looks
	Invites bool      // who looks may make links
	Adds    bool      // and may add people
	Waiting int       // requests that wait
	Said    string    // what was just done: the end of a key "group.done."; empty: nothing
	Problem *chat.Refusal
}

// GroupCard is a group, for those in it and those who may ask to come in.
type GroupCard struct {
	GroupFrame
	OwnerName string
	Asked     bool   // who looks waits to be let in
	Text      string // what was typed into the request
}

// GroupMembers is one page of a group's members.
type GroupMembers struct {
	GroupFrame
	Query   string
	Members []chat.Member
	After   string // where this page begins
	Next    string
	Find    string               // who was looked for to be added
	Found   []chat.Person        // those who were found
	Within  map[chat.UserID]bool // which of them are in
}

// GroupRequests is one page of those who ask to come in.
type GroupRequests struct {
	GroupFrame
	Requests []GroupRequest
	Next     string
}

// A GroupRequest is somebody who asks to come into a group.
type GroupRequest struct {
	Person  chat.Person
	Message string
	At      int64
	Removed bool // they were removed from it before
}

// GroupInvites are the links into a group.
type GroupInvites struct {
	GroupFrame
	Links []GroupLink
}

// A GroupLink is a link into a group.
type GroupLink struct {
	chat.GroupInvite
	URL    string
	ByName string
	Works  bool
}

// GroupEdit changes a group.
type GroupEdit struct {
	GroupFrame
	Edited chat.Group // as it was typed
}

// GroupDoor is where a link into a group leads.
type GroupDoor struct {
	Common
	Code    string
	Group   chat.Group
	Picture string // the address of its picture; empty: none
	Inviter string
	In      bool // who looks is in the group
	Asks    bool // the link leads to a request
	Asked   bool // which waits
	Removed bool // since who looks was removed from the group
	Text    string
	Problem *chat.Refusal
}

func (f GroupFrame) rules() bool { return f.Seat.In && f.Seat.Role >= chat.Admin }
func (f GroupFrame) owns() bool  { return f.Seat.In && f.Seat.Role == chat.Owner }

// at is the address of a page of the group.
func (f GroupFrame) at(path string) string { return "/g/" + string(f.Group.Conv) + path }

// entries is the navigation between the pages of the group.
func (f GroupFrame) entries() []entry {
	es := []entry{{f.at(""), "group.card"}}
	if !f.Seat.In {
		return nil
	}
	es = append(es, entry{f.at("/members"), "group.list"})
	if f.rules() {
		es = append(es, entry{f.at("/requests"), "group.asks"})
	}
	if f.Invites {
		es = append(es, entry{f.at("/invites"), "group.links"})
	}
	if f.rules() && f.Group.State == chat.InUse {
		es = append(es, entry{f.at("/edit"), "group.settings"})
		if f.Hooks {
			es = append(es, entry{f.at("/hooks"), "hooks.title"})
		}
	}
	return es
}

func (f GroupFrame) waiting() map[string]int { return map[string]int{f.at("/requests"): f.Waiting} }

// said is what was just done, as a key, "" for nothing.
func (f GroupFrame) said() string {
	if f.Said == "" {
		return ""
	}
	return "group.done." + f.Said
}

// members says how many there are.
func (f GroupFrame) members() string { return f.say("head.members", f.Group.Members) }

// rulesOver reports whether who looks may do to m what the owner and administrators do.
func (f GroupFrame) rulesOver(m chat.Member) bool {
	return f.rules() && f.Group.State == chat.InUse && m.ID != f.Me.ID && m.Role < f.Seat.Role
}

// muted says until when somebody may not speak, "" where they may.
func (c Common) muted(until int64) string {
	switch {
	case until >= chat.Endless:
		return c.say("group.muted")
	case until > c.Now.UnixMilli():
		return c.say("group.muted.until", c.moment(until))
	}
	return ""
}

// muteFor are how long somebody may be muted, in seconds; 0 is without an end.
var muteFor = []string{"600", "3600", "86400", "604800", "0"}

// joinings are the ways into a group.
var joinings = []chat.Joining{chat.JoinDirect, chat.JoinApproval, chat.JoinInvite}

// slows are the waits that there are to choose from, and the one that is set.
func (p GroupEdit) slows() []int {
	all := []int{0, 5, 10, 30, 60, 300, 3600}
	for i, n := range all {
		switch {
		case n == p.Edited.Slow:
			return all
		case n > p.Edited.Slow:
			return append(all[:i:i], append([]int{p.Edited.Slow}, all[i:]...)...)
		}
	}
	return all
}

func (c Common) slow(n int) string {
	key := "group.slow." + strconv.Itoa(n)
	if s := c.say(key); s != key {
		return s
	}
	return c.say("group.slow.other", n)
}

// linkMost and linkHours are what a new link may be for.
var (
	linkMost  = []string{"0", "1", "5", "10", "50", "100"}
	linkHours = []string{"1", "24", "168", "720", "0"}
)

func (c Common) linkMost(n string) string {
	if n == "0" {
		return c.say("group.link.any")
	}
	return n
}

// uses says how often a link was used, and until when it works.
func (c Common) uses(l GroupLink) string {
	parts := []string{c.say("group.link.uses", l.Uses)}
	if l.Most > 0 {
		parts[0] = c.say("group.link.used", l.Uses, l.Most)
	}
	if l.ExpiresAt > 0 && l.Works {
		parts = append(parts, c.say("group.link.until", c.moment(l.ExpiresAt)))
	}
	return strings.Join(append(parts, c.say("group.link.by", l.ByName)), " · ")
}

// next is the address of the next page of members, "" at the end.
func (p GroupMembers) next() string {
	if p.Next == "" {
		return ""
	}
	return p.at("/members?" + url.Values{"q": {p.Query}, "after": {p.Next}}.Encode())
}

// first is the address of the first page, "" where this is it.
func (p GroupMembers) first() string {
	if p.After == "" {
		return ""
	}
	return p.at("/members?" + url.Values{"q": {p.Query}}.Encode())
}

func (p GroupRequests) next() string {
	if p.Next == "" {
		return ""
	}
	return p.at("/requests?" + url.Values{"after": {p.Next}}.Encode())
}

// lines are the lines of a text.
func lines(s string) []string { return strings.Split(s, "\n") }
