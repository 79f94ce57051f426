package page

import (
	"regexp"
	"strings"
	"testing"

	"github.com/a-h/templ"

	"kamachat/shared/chat"
)

// adminPages are the pages of administrators, and those beside them, in one language.
func adminPages(lang string) map[string]templ.Component {
	day := int64(86_400_000)
	now := noon.UnixMilli()
	frame := func(at string) Admin {
		return Admin{Common: common(lang), Me: chat.Person{ID: ann, Username: "ann", Nickname: "Lin Mei", Admin: true}, At: at}
	}
	people := []chat.Account{
		{Person: chat.Person{ID: ann, Username: "ann", Nickname: "Lin Mei", Admin: true}, CreatedAt: now - 90*day, SeenAt: now - 60_000},
		{Person: chat.Person{ID: bob, Username: "bob", Nickname: "Azhe", Disabled: true}, CreatedAt: now - 400*day, SeenAt: now - 3*day},
		{Person: chat.Person{ID: eve, Username: chat.GoneUsername(eve), Nickname: "Deleted account", Disabled: true}, CreatedAt: now - 2*day},
		{Person: chat.Person{ID: "U2f8k1xq0zbot", Username: "weather", Nickname: "Weather"}, Bot: ann, Renewing: true, CreatedAt: now},
	}
	groups := []chat.GroupLine{
		{ID: hike, Name: "Weekend hike", Owner: ann, Members: 12, LastSeq: 204, LastAt: now - 120_000, CreatedAt: now - 30*day},
		{ID: "G2f8k1xq0dt9h", Name: "<Spam>", Owner: bob, Members: 1, State: 1, LastAt: now - 9*day, CreatedAt: now - 10*day},
		{ID: "G2f8k1xq0dt9j", Name: "Old", Owner: bob, State: 2, LastAt: now - 500*day, CreatedAt: now - 600*day},
	}
	deeds := []chat.Deed{
		{ID: 3, At: now - 60_000, By: ann, ByName: "ann", What: chat.ActDisable, Target: string(bob), Detail: "bob", Addr: "192.0.2.7"},
		{ID: 2, At: now - 4*day, ByName: "root", What: chat.ActDismissGroup, Target: "G2f8k1xq0dt9j", Detail: "Old", Addr: "shell (root)"},
		{ID: 1, At: now - 5*day, What: chat.ActErased, Target: string(eve)},
		{ID: 0, At: now - 5*day, By: ann, ByName: "ann", What: "of-tomorrow", Target: "a <thing>", Addr: "192.0.2.7"},
	}
	list := PeoplePage{Admin: frame("/admin/people"), People: people, Next: "n3xt", Acts: []string{chat.ActDisable, chat.ActDelete}}
	list.Waiting = map[string]int{"/admin/groups": 3}
	found := PeoplePage{Admin: frame("/admin/people"), Ask: chat.Ask{Query: "z&z", Only: chat.OnlyAdmins, After: "x"}}
	preview := ActPage{Admin: frame("/admin/people"), Act: chat.ActDelete, Danger: true, Cases: []ActCase{
		PersonCase(common(lang), people[1].Person, nil, ""), PersonCase(common(lang), people[0].Person, chat.Refuse(chat.Forbidden, "that is your own account"), ""),
	}}
	wrong := preview
	wrong.Problem, wrong.Erase = chat.Refuse(chat.Forbidden, "the password is wrong"), true
	over := ActPage{Admin: frame("/admin/people"), Act: chat.ActReset, Over: true, Cases: []ActCase{
		PersonCase(common(lang), people[1].Person, nil, "abcde-fghjk-mnpqr"), PersonCase(common(lang), people[3].Person, chat.Refuse(chat.Forbidden, "a bot has no password"), ""),
	}}
	many := ActPage{Admin: frame("/admin/groups"), Group: true, Act: chat.ActDisableGroup, Danger: true, Cases: []ActCase{
		GroupCase(common(lang), groups[0], nil), GroupCase(common(lang), groups[2], chat.Refuse(chat.Invalid, "the group is dismissed")), GroupCase(common(lang), groups[1], nil),
	}}
	many.Sure.Said = true
	return map[string]templ.Component{
		"admin-people":      People(list),
		"admin-people-none": People(found),
		"admin-person": Person(PersonPage{Admin: frame("/admin/people"), Account: people[1], Groups: groups, More: "m0re", Deeds: deeds[:1],
			SignIns: []chat.SignIn{{Kind: "browser", Agent: "Firefox on Linux", Addr: "192.0.2.9", CreatedAt: now - day, SeenAt: now}}, Acts: []string{chat.ActEnable, chat.ActDelete}}),
		"admin-person-gone": Person(PersonPage{Admin: frame("/admin/people"), Account: people[2]}),
		"admin-act":         Act(preview),
		"admin-act-wrong":   Act(wrong),
		"admin-act-over":    Act(over),
		"admin-act-groups":  Act(many),
		"admin-act-none":    Act(ActPage{Admin: frame("/admin/people"), Act: chat.ActEnable}),
		"admin-groups":      Groups(GroupsPage{Admin: frame("/admin/groups"), Ask: chat.Ask{Sort: chat.ByMost, After: "x"}, Groups: groups, Acts: []string{chat.ActDismissGroup}}),
		"admin-groups-none": Groups(GroupsPage{Admin: frame("/admin/groups")}),
		"admin-group": Group(GroupPage{Admin: frame("/admin/groups"), GroupLine: groups[0], OwnerName: "Lin Mei", People: people, Deeds: deeds[1:2],
			Acts: []string{chat.ActDisableGroup, chat.ActDismissGroup}}),
		"admin-audit":      Audit(AuditPage{Admin: frame("/admin/audit"), Whats: []string{chat.ActDisable, chat.ActEnable}, What: chat.ActDisable, By: "ann", Deeds: deeds, Next: "n3xt"}),
		"admin-audit-none": Audit(AuditPage{Admin: frame("/admin/audit"), After: "x"}),
		"renew":            Renew(RenewPage{Common: common(lang), Next: "/c/x", Username: "bob", Problem: chat.Refuse(chat.Invalid, "the two passwords differ")}),
	}
}

// The audit log can be read and filtered: no form, link or button of it changes anything.
func TestTheAuditLogOffersNoChange(t *testing.T) {
	got := drawn(t, adminPages("en")["admin-audit"])
	if strings.Contains(got, `method="post"`) || strings.Contains(got, "formmethod") {
		t.Error("something on the page changes something")
	}
	if !strings.Contains(got, "shell (root)") || !strings.Contains(got, "a &lt;thing&gt;") {
		t.Errorf("not all is shown: %s", got)
	}
}

// Each act says what happens before it happens, and each form that does something
// dangerous asks for the password unless it was asked for a moment ago.
func TestActsSayWhatTheyDo(t *testing.T) {
	for _, lang := range []string{"en", "zh"} {
		for _, act := range []string{
			chat.ActDisable, chat.ActEnable, chat.ActReset, chat.ActMakeAdmin, chat.ActRemoveAdmin, chat.ActDelete,
			chat.ActDisableGroup, chat.ActEnableGroup, chat.ActDismissGroup,
		} {
			p := ActPage{Admin: Admin{Common: common(lang)}, Act: act, Danger: true, Cases: []ActCase{{ID: string(bob), Name: "Azhe"}}}
			got := drawn(t, Act(p))
			if strings.Contains(got, "admin.") {
				t.Errorf("%s %s: words are missing: %s", lang, act, regexp.MustCompile(`admin\.[a-z.-]+`).FindString(got))
			}
			if !strings.Contains(got, `type="password"`) {
				t.Errorf("%s %s does not ask for the password", lang, act)
			}
			if p.Sure.Said = true; strings.Contains(drawn(t, Act(p)), `type="password"`) {
				t.Errorf("%s %s asks for the password again", lang, act)
			}
			if p.say("admin.what."+act) == "admin.what."+act {
				t.Errorf("%s: the audit log has no words for %s", lang, act)
			}
		}
	}
}
