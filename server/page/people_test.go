package page

import (
	"strings"
	"testing"

	"github.com/a-h/templ"

	"kamachat/shared/chat"
)

func peoplePages(lang string) map[string]templ.Component {
	c := common(lang)
	mei, azhe := chat.Person{ID: ann, Username: "ann", Nickname: "Lin <Mei>"}, chat.Person{ID: bob, Username: "bob", Nickname: "Azhe", Avatar: "/files/ABCDEFGHIJKLMNOPQRSTUVWXYZ/avatar"}
	odd := chat.Person{ID: eve, Username: "eve", Nickname: "<Eve>", Disabled: true}
	bot := chat.Person{ID: eve, Username: "build", Nickname: "Build", Bot: true}
	own := chat.Profile{Signature: "In the <hills>", Gender: "female", Birthday: "1990-02-03", Email: "mei@example.org", Phone: "+8613800138000", Unseen: true}
	frame := func(at string) SettingsFrame { return SettingsFrame{Common: c, Me: azhe, At: at} }
	wrong := frame("/settings/profile")
	wrong.Problem = chat.Refuse(chat.Invalid, "that is no birthday")
	done := frame("/settings/privacy")
	done.Said = "profile.saved"
	return map[string]templ.Component{
		"contacts": Contacts(ContactsPage{
			Common: c, Me: mei, Query: "<a", Found: []chat.Person{azhe}, Asking: []PersonAsk{{azhe, "It is me, <Azhe>"}, {odd, ""}}, Asked: []PersonAsk{{odd, "Hello?"}},
			People: []chat.Person{azhe, odd}, Online: map[chat.UserID]bool{bob: true}, After: "x", Next: "y", Said: "people.done.refuse",
		}),
		"contacts-none":    Contacts(ContactsPage{Common: c, Me: mei}),
		"contacts-blocked": Contacts(ContactsPage{Common: c, Me: mei, Blocked: true, People: []chat.Person{odd}, Next: "y"}),
		"contacts-busy":    Contacts(ContactsPage{Common: c, Me: mei, Query: "a", Problem: chat.Refuse(chat.RateLimited, "too many tries")}),
		"person":           PersonOf(PersonCard{Common: c, Person: mei, Profile: own.Public(), SeenAt: noon.UnixMilli() - 3_600_000, Reports: true}),
		"person-contact":   PersonOf(PersonCard{Common: c, Person: azhe, Contact: true, Online: true, Groups: []chat.Group{{Conv: hike, Name: "Weekend <hike>"}}, Said: "people.done.accept"}),
		"person-asked":     PersonOf(PersonCard{Common: c, Person: azhe, Asked: true, Text: "<please>", Problem: chat.Refuse(chat.TooLong, "the message has at most 100 characters")}),
		"person-asks":      PersonOf(PersonCard{Common: c, Person: azhe, Waiting: true, Asks: "It is me, <Azhe>"}),
		"person-blocked":   PersonOf(PersonCard{Common: c, Person: azhe, Blocking: true, Reports: true}),
		"person-self":      PersonOf(PersonCard{Common: c, Person: mei, Profile: own, Self: true, Reports: true}),
		"person-off":       PersonOf(PersonCard{Common: c, Person: odd, Reports: true}),
		"person-bot":       PersonOf(PersonCard{Common: c, Person: bot}),
		"profile":          Profile(ProfilePage{SettingsFrame: frame("/settings/profile"), Nickname: "Azhe", Profile: own}),
		"profile-wrong":    Profile(ProfilePage{SettingsFrame: wrong, Nickname: "<Azhe>", Profile: chat.Profile{Birthday: "2999-01-01"}}),
		"privacy":          Privacy(PrivacyPage{SettingsFrame: done, Profile: own}),
	}
}

func TestPagesOfPeopleEscapeAndSayEverything(t *testing.T) {
	for _, lang := range []string{"en", "zh"} {
		for name, c := range peoplePages(lang) {
			got := drawn(t, c)
			for _, never := range []string{"<hike>", "<Eve>", "<Mei>", "<hills>", "<Azhe>", "<please>", ">people.", ">profile.", ">contacts.", "\"people."} {
				if strings.Contains(got, never) {
					t.Errorf("%s in %s holds %q", name, lang, never)
				}
			}
		}
	}
}

// What one may do with somebody follows from what the two are to each other.
func TestPersonHasTheFormsThatFit(t *testing.T) {
	azhe := chat.Person{ID: bob, Username: "bob", Nickname: "Azhe"}
	for name, c := range map[string]struct {
		card PersonCard
		want string // the acts, in the order of the page
	}{
		"a stranger":         {PersonCard{}, "write ask block"},
		"asked":              {PersonCard{Asked: true}, "write ask block"},
		"asks":               {PersonCard{Waiting: true}, "write accept refuse block"},
		"a contact":          {PersonCard{Contact: true}, "write end block"},
		"blocked":            {PersonCard{Blocking: true}, "unblock"},
		"blocked, a contact": {PersonCard{Blocking: true, Contact: true}, "end unblock"},
		"oneself":            {PersonCard{Self: true}, ""},
		"disabled":           {PersonCard{Person: chat.Person{Disabled: true}}, "block"},
	} {
		p := c.card
		p.Common, azhe.Disabled = common("en"), p.Person.Disabled
		p.Person = azhe
		got, acts := drawn(t, PersonOf(p)), ""
		for _, act := range []string{"write", "ask", "accept", "refuse", "end", "unblock", "block"} {
			mark := `action="/people/` + string(bob) + "/" + act + `"`
			if act == "write" {
				mark = `href="/c/` + string(bob)
			}
			if strings.Contains(got, mark) {
				acts += " " + act
			}
		}
		if acts = strings.TrimSpace(acts); acts != c.want {
			t.Errorf("%s: %q, want %q", name, acts, c.want)
		}
	}
}
