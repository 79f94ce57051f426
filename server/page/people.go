package page

import (
	"net/url"
	"slices"

	"kamachat/shared/chat"
)

// A PersonAsk is somebody of a request, and what it says.
type PersonAsk struct {
	chat.Person
	Text string
}

// ContactsPage lists whom somebody knows, and finds others.
type ContactsPage struct {
	Common
	Me      chat.Person
	Query   string
	Found   []chat.Person // by Query
	Asking  []PersonAsk   // who asks
	Asked   []PersonAsk   // who was asked
	People  []chat.Person // a page of contacts, or of those who are blocked
	Online  map[chat.UserID]bool
	Blocked bool   // the latter
	After   string // where this page begins
	Next    string // and the next
	Said    string // what was just done, as a key of the catalogue; empty: nothing
	Problem *chat.Refusal
}

// PersonCard is somebody as another sees them.
type PersonCard struct {
	Common
	Person         chat.Person
	Profile        chat.Profile
	Self           bool // it is who looks
	Contact        bool
	Blocking       bool // who looks has blocked them
	Asked, Waiting bool // has asked them; they have asked
	Asks           string
	Online         bool
	SeenAt         int64 // 0: not told
	Groups         []chat.Group
	Reports        bool   // one may report people
	Text           string // a message that was typed and refused
	Said           string
	Problem        *chat.Refusal
}

// ProfilePage changes what somebody says of themselves.
type ProfilePage struct {
	SettingsFrame
	Nickname string
	Profile  chat.Profile
}

// PrivacyPage changes what others are told without being told it.
type PrivacyPage struct {
	SettingsFrame
	Profile chat.Profile
}

// genders are what one may say of that; the first is nothing.
var genders = []string{"", "female", "male", "other"}

func (c Common) gender(g string) string {
	if g == "" || !slices.Contains(genders, g) {
		return c.say("profile.gender.none")
	}
	return c.say("profile.gender." + g)
}

// at is the address of what is done with the person.
func (p PersonCard) at(act string) string { return "/people/" + string(p.Person.ID) + "/" + act }

// last says when the person was here, "" where that is not told.
func (p PersonCard) last() string {
	switch {
	case p.Online:
		return p.say("profile.online")
	case p.SeenAt > 0:
		return p.say("people.seen", p.listTime(p.SeenAt))
	}
	return ""
}

// next and first are the addresses of the next page and of the first, "" where
// there is none, or this is it.
func (p ContactsPage) next() string {
	if p.Next == "" {
		return ""
	}
	return p.page(url.Values{"after": {p.Next}})
}

func (p ContactsPage) first() string {
	if p.After == "" {
		return ""
	}
	return p.page(url.Values{})
}

func (p ContactsPage) page(q url.Values) string {
	if p.Blocked {
		q.Set("only", "blocked")
	}
	return "/contacts?" + q.Encode()
}
