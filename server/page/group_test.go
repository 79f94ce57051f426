package page

import (
	"fmt"
	"strings"
	"testing"

	"github.com/a-h/templ"
	"rsc.io/qr/coding"

	"kamachat/shared/chat"
)

// ofGroup is what the pages of a group begin with for somebody with a place in it.
func ofGroup(lang string, seat chat.Seat) GroupFrame {
	return GroupFrame{
		Common: common(lang), Me: chat.Person{ID: ann, Username: "ann", Nickname: "Lin Mei"}, Seat: seat, Invites: seat.Role >= chat.Admin, Adds: seat.Role >= chat.Admin, Waiting: 2,
		Group: chat.Group{
			Conv: hike, Name: "Weekend <hike>", Avatar: "/files/x/ridge.png", Notice: "Saturday, seven o’clock.\nBring <water>.", Owner: bob, Members: 10_000,
			Rules: chat.Rules{Joining: chat.JoinApproval, Slow: 45},
		},
		Picture: "/files/x/ridge.png",
	}
}

func groupPages(lang string) map[string]templ.Component {
	owner, admin, member := chat.Seat{In: true, Role: chat.Owner}, chat.Seat{In: true, Role: chat.Admin}, chat.Seat{In: true, Muted: chat.Endless}
	people := []chat.Member{
		{Person: chat.Person{ID: ann, Username: "ann", Nickname: "Lin Mei"}, Seat: owner},
		{Person: chat.Person{ID: bob, Username: "bob", Nickname: "Azhe"}, Seat: admin},
		{Person: chat.Person{ID: eve, Username: "eve", Nickname: "<Eve>", Disabled: true}, Seat: chat.Seat{In: true, Muted: noon.UnixMilli() + 3_600_000}},
	}
	ended := ofGroup(lang, owner)
	ended.Group.State = chat.Dismissed
	refused := ofGroup(lang, chat.Seat{})
	refused.Problem = chat.Refuse(chat.RateLimited, "the request was refused: ask again tomorrow")
	refused.Picture = "/g/" + string(hike) + "/picture"
	removed := ofGroup(lang, chat.Seat{Removed: true})
	removed.Group.Joining = chat.JoinDirect
	return map[string]templ.Component{
		"group.card.removed": Card(GroupCard{GroupFrame: removed}),
		"group.card":         Card(GroupCard{GroupFrame: ofGroup(lang, member), OwnerName: "Azhe"}),
		"group.card.own":     Card(GroupCard{GroupFrame: ended, OwnerName: "Lin Mei"}),
		"group.card.ask":     Card(GroupCard{GroupFrame: refused, Text: "please"}),
		"group.members":      Members(GroupMembers{GroupFrame: ofGroup(lang, owner), Query: "e", Members: people, Next: "next", Find: "ev", Found: []chat.Person{people[2].Person}, Within: map[chat.UserID]bool{eve: true}}),
		"group.requests":     Requests(GroupRequests{GroupFrame: ofGroup(lang, admin), Requests: []GroupRequest{{people[2].Person, "Let me <in>", noon.UnixMilli(), true}}, Next: "next"}),
		"group.invites": Invites(GroupInvites{GroupFrame: ofGroup(lang, admin), Links: []GroupLink{
			{chat.GroupInvite{Code: "ABC", Most: 5, Uses: 2, ExpiresAt: noon.UnixMilli() + 86_400_000}, "https://chat.example/join/ABC", "Azhe", true}, {chat.GroupInvite{Code: "OLD"}, "", "Azhe", false},
		}}),
		"group.edit": Edit(GroupEdit{GroupFrame: ofGroup(lang, admin), Edited: ofGroup(lang, admin).Group}),
		"group.hooks": Hooks(HooksPage{
			GroupFrame: ofGroup(lang, admin), In: []chat.InHook{{ID: "h1", Bot: eve, At: noon.UnixMilli()}}, Bots: map[chat.UserID]string{eve: "<Eve>"},
			Out: []chat.OutHook{{ID: "h2", URL: "https://example.org/<in>", Problem: "it answered 502", Fails: 3}}, Address: "https://chat.example/api/v1/hooks/h1/s", Secret: "s3cret",
		}),
		"settings.bots": Bots(BotsPage{
			SettingsFrame: SettingsFrame{Common: common(lang), Me: chat.Person{ID: ann}, At: "/settings/bots"}, Secret: "t0ken", Made: "<in>",
			Bots: []Bot{{chat.Person{ID: eve, Username: "eve", Nickname: "<Eve>", Bot: true}, []chat.Token{{ID: "t1", Name: "<in>", Scopes: []string{"messages:read"}}}}},
		}),
		"group.door.removed": Door(GroupDoor{Common: common(lang), Code: "ABC", Group: removed.Group, Inviter: "Azhe", Asks: true, Removed: true}),
		"group.door":         Door(GroupDoor{Common: common(lang), Code: "ABC", Group: ended.Group, Picture: "/join/ABC/picture", Inviter: "Azhe", Asks: true}),
	}
}

func TestPagesOfGroupsEscapeAndSayEverything(t *testing.T) {
	for _, lang := range []string{"en", "zh"} {
		for name, c := range groupPages(lang) {
			got := drawn(t, c)
			for _, never := range []string{"<hike>", "<Eve>", "<water>", "<in>", ">group.", "head.members"} {
				if strings.Contains(got, never) {
					t.Errorf("%s in %s holds %q", name, lang, never)
				}
			}
		}
	}
}

func TestOnlyThoseWhoMaySeeTheForms(t *testing.T) {
	for name, c := range map[string]struct {
		seat   chat.Seat
		manage int // of an administrator and a plain member beside oneself
		role   bool
	}{
		"member": {chat.Seat{In: true}, 0, false}, "administrator": {chat.Seat{In: true, Role: chat.Admin}, 1, false}, "owner": {chat.Seat{In: true, Role: chat.Owner}, 2, true},
	} {
		p := GroupMembers{GroupFrame: ofGroup("en", c.seat), Members: []chat.Member{
			{Person: chat.Person{ID: ann}, Seat: c.seat}, {Person: chat.Person{ID: bob}, Seat: chat.Seat{In: true, Role: chat.Admin}}, {Person: chat.Person{ID: eve}, Seat: chat.Seat{In: true}},
		}}
		got := drawn(t, Members(p))
		if n := strings.Count(got, `class="manage"`); n != c.manage || strings.Contains(got, `value="hand"`) != c.role {
			t.Errorf("%s: %d forms, handing over %v", name, n, strings.Contains(got, `value="hand"`))
		}
		p.Group.State = chat.Off
		if got := drawn(t, Members(p)); strings.Contains(got, `class="manage"`) {
			t.Errorf("%s has forms in a closed group", name)
		}
	}
}

// The path is read back as the squares that it fills.
func TestQRCodeIsDrawnAsItIs(t *testing.T) {
	const text = "https://chat.example/join/ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	q := qrOf(text)
	filled := map[[2]int]bool{}
	for _, run := range strings.Split(strings.Trim(q.Path, "Mz"), "zM") {
		var x, y, n, back int
		if _, err := fmt.Sscanf(run, "%d %dh%dv1h-%d", &x, &y, &n, &back); err != nil || n != back || n < 1 {
			t.Fatalf("%q: %v", run, err)
		}
		for i := range n {
			filled[[2]int{x + i, y}] = true
		}
	}
	plan, err := coding.NewPlan(coding.Version((q.Side-2*quiet-17)/4), coding.M, 0)
	if err != nil {
		t.Fatal(err)
	}
	// The finder patterns are in three corners, inside the quiet zone.
	for _, at := range [][2]int{{quiet, quiet}, {q.Side - quiet - 7, quiet}, {quiet, q.Side - quiet - 7}} {
		for i := range 7 {
			if !filled[[2]int{at[0] + i, at[1]}] || !filled[[2]int{at[0], at[1] + i}] {
				t.Fatalf("there is no finder pattern at %v", at)
			}
		}
	}
	for p := range filled {
		if p[0] < quiet || p[1] < quiet || p[0] >= q.Side-quiet || p[1] >= q.Side-quiet {
			t.Errorf("the quiet zone holds %v", p)
		}
	}
	if len(plan.Pixel) != q.Side-2*quiet {
		t.Errorf("the code is %d wide, and drawn %d", len(plan.Pixel), q.Side-2*quiet)
	}
	if q := qrOf(strings.Repeat("x", 3000)); q.Side != 0 {
		t.Error("too long a text has a code")
	}
}
