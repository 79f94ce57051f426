package web

import (
	"html"
	"regexp"
	"strings"
	"testing"

	"kamachat/shared/chat"
)

// All that a group can be made with is there without a script, and what was typed
// stays while more people are looked for.
func TestGroupIsMadeWithAllThereIsWithoutAScript(t *testing.T) {
	a := openArchive(t)
	cy, err := a.accounts.Register(t.Context(), "cyrus", "password1", "")
	if err != nil {
		t.Fatal(err)
	}
	ann := a.signedIn(a.ann)
	befriend(t, a.house, a.ann.ID, a.bob.ID)
	if got := a.do(ann, "GET", "/new", nil); !strings.Contains(got.body, `value="`+string(a.bob.ID)+`"`) || strings.Contains(got.body, string(cy.ID)) {
		t.Errorf("contacts are to be chosen from first: %s", got.body)
	}
	send := func(kv ...string) reply {
		body, kind := formOf(t, kv...)
		return a.do(ann, "POST", "/new", body, kind...)
	}
	typed := []string{"name", "Tea", "notice", "At four.", "joining", "approval", "member", string(a.bob.ID), "q", "cyr"}
	got := send(append(typed, "act", "find", "picture", "@cup.png:"+pngHead+"and more")...)
	picture := regexp.MustCompile(`name="avatar" value="([^"]+)"`).FindStringSubmatch(got.body)
	for _, want := range []string{
		`value="` + string(a.bob.ID) + `" aria-label="bob" checked`, `value="` + string(cy.ID) + `"`, `value="Tea"`, ">At four.</textarea>", `value="approval" selected`,
	} {
		if got.status != 200 || !strings.Contains(got.body, want) || picture == nil {
			t.Fatalf("after a search: %d, want %s in %s", got.status, want, got.body)
		}
	}
	typed = append(typed, "member", string(cy.ID), "act", "make", "avatar", html.UnescapeString(picture[1]))
	theirs := a.sent(a.signedIn(a.bob), "mine.png", "image/png", pngHead)
	for what, wrong := range map[string][]string{
		"too long a notice": {"name", "Tea", "notice", strings.Repeat("x", chat.MaxNotice+1), "joining", "invite"},
		"no name":           {"name", " ", "notice", "At four.", "joining", "invite"},
		"no way in":         {"name", "Tea", "joining", "magic"},
		"no picture":        {"name", "Tea", "joining", "invite", "picture", "@run.html:<script>alert(1)</script>"},
		"a foreign picture": {"name", "Tea", "joining", "invite", "avatar", "https://evil.example/x.png"},
		"another's picture": {"name", "Tea", "joining", "invite", "avatar", theirs.URL},
		"nobody":            {"name", "Tea", "joining", "invite", "member", "Unobody"},
	} {
		if got := send(append(wrong, "act", "make")...); got.status < 400 || got.status > 499 || !strings.Contains(got.body, `role="alert"`) || strings.Contains(got.body, "evil.example") {
			t.Errorf("%s: %d %s", what, got.status, got.body)
		}
	}
	if all, err := a.db.Summaries(t.Context(), a.ann.ID, 10); err != nil || len(all) != 1 || all[0].Conv.IsGroup() {
		t.Fatalf("made what was refused: %v, %v", all, err)
	}
	got = send(typed...)
	conv, ok := strings.CutPrefix(got.header.Get("Location"), "/c/")
	if got.status != 303 || !ok {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	g, err := a.db.Group(t.Context(), chat.ConvID(conv))
	if err != nil || g.Name != "Tea" || g.Notice != "At four." || g.Joining != chat.JoinApproval || g.Avatar != html.UnescapeString(picture[1]) || g.Members != 3 {
		t.Errorf("made %+v, %v", g, err)
	}
	if got := a.do(a.signedIn(a.bob), "GET", g.Avatar, nil); got.status != 200 {
		t.Errorf("a member does not see the picture: %d", got.status)
	}
}

// befriend makes two people contacts.
func befriend(t *testing.T, h *house, x, y chat.UserID) {
	t.Helper()
	if _, err := h.accounts.AskContact(t.Context(), x, y, ""); err != nil {
		t.Fatal(err)
	}
	if err := h.accounts.AcceptContact(t.Context(), y, x); err != nil {
		t.Fatal(err)
	}
}
