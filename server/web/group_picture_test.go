package web

import (
	"strings"
	"testing"

	"kamachat/server/account"
	"kamachat/shared/chat"
)

// A picture of a group is for its members, and for those who may come in.
func TestGroupsPictureIsShownToThoseWhoMayComeIn(t *testing.T) {
	a := openArchive(t)
	eve, err := a.accounts.Register(t.Context(), "eve", "password1", "")
	if err != nil {
		t.Fatal(err)
	}
	ann, bob, stranger := a.signedIn(a.ann), a.signedIn(a.bob), a.signedIn(eve)
	conv, err := a.accounts.MakeGroup(t.Context(), a.ann.ID, account.NewGroup{Name: "Tea", Members: []chat.UserID{a.bob.ID}})
	if err != nil {
		t.Fatal(err)
	}
	at := "/g/" + string(conv)
	save := func(kv ...string) reply {
		body, kind := formOf(t, append([]string{"name", "Tea", "notice", "at four", "joining", "invite", "slow", "0"}, kv...)...)
		return a.do(ann, "POST", at+"/edit", body, kind...)
	}
	if got := save("picture", "@run.html:<script>alert(1)</script>"); got.status != 400 || !strings.Contains(got.body, "Choose a picture") || !strings.Contains(got.body, "at four") {
		t.Errorf("no picture: %d %s", got.status, got.body)
	}
	if got := save("picture", "@cup.png:"+pngHead+"and more"); got.status != 303 {
		t.Fatalf("a picture: %d %s", got.status, got.body)
	}
	g, err := a.db.Group(t.Context(), conv)
	if err != nil || !strings.HasPrefix(g.Avatar, "/files/") || g.Notice != "at four" {
		t.Fatalf("the group is %+v, %v", g, err)
	}
	link, err := a.accounts.MakeInvite(t.Context(), a.ann, conv, 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string][2]int{ // of a member and of a stranger
		g.Avatar: {200, 404}, at + "/picture": {200, 404}, "/join/" + link.Code + "/picture": {200, 200}, "/join/nothing/picture": {404, 404},
	} {
		if got := a.do(bob, "GET", path, nil); got.status != want[0] {
			t.Errorf("%s for a member: %d", path, got.status)
		}
		got := a.do(stranger, "GET", path, nil)
		if got.status != want[1] {
			t.Errorf("%s for a stranger: %d", path, got.status)
		}
		if got.status == 200 && (got.header.Get("Content-Type") != "image/png" || got.header.Get("Content-Security-Policy") != fileCSP) {
			t.Errorf("%s is served as %v", path, got.header)
		}
	}
	// What only somebody else may see is no picture for a group.
	other := a.sent(stranger, "mine.png", "image/png", pngHead)
	if got := a.do(ann, "PATCH", "/api/v1/groups/"+string(conv), strings.NewReader(`{"avatar":"`+other.URL+`"}`)); decode[problem](t, got).Code != chat.NoFile {
		t.Errorf("somebody else's file: %d %s", got.status, got.body)
	}
	if got := save("unpicture", "1"); got.status != 303 {
		t.Errorf("no picture any more: %d", got.status)
	}
	if g, err := a.db.Group(t.Context(), conv); err != nil || g.Avatar != "" {
		t.Errorf("the picture is %q, %v", g.Avatar, err)
	}
}
