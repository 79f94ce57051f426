package main

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"testing"
	"time"

	"kamachat/shared/chat"
	"kamachat/ui/state"
)

// Who deletes their account is seen leaving, at once, by those in their groups on
// whichever node they are; what they owned passes to somebody there.
func TestMembersSeeWhoDeletesTheirAccountLeave(t *testing.T) {
	urlA, urlB, _ := twoNodes(t)
	a, b, c := join(t, urlA, "ann"), join(t, urlB, "bob"), join(t, urlA, "cat")
	var made struct{ Group struct{ ID chat.ConvID } }
	call(t, "POST", urlB+"/api/v1/groups", b.token, map[string]any{"name": "ours", "members": []chat.UserID{a.ID, c.ID}}, &made)
	conv := made.Group.ID
	if got, code := status(t, "PUT", urlB+"/api/v1/groups/"+string(conv)+"/members/"+string(c.ID)+"/role", b.token, map[string]string{"role": "admin"}); got != http.StatusNoContent {
		t.Fatalf("promote: %d %s", got, code)
	}
	said := func(s *someone) (whats []string) {
		s.Do(func(st *state.State) {
			for _, r := range st.Rows(conv, time.UTC) {
				if e := r.Message.Content.Event; e != nil {
					whats = append(whats, e.What)
				}
			}
		})
		return whats
	}
	place := func(s *someone) (p chat.Place, members int) {
		s.Do(func(st *state.State) {
			v, _ := st.Conv(conv)
			p, members = v.Place, v.Members
		})
		return p, members
	}
	for _, p := range []*someone{a, c} {
		p.Open(conv)
		eventually(t, func() string { return p.Name() + " sees the group" }, func() bool { return slices.Equal(said(p), []string{chat.Made, chat.Promoted}) })
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, Transport: &http.Transport{}}
	defer browser.CloseIdleConnections()
	res, err := browser.PostForm(urlB+"/login", url.Values{"username": {"bob"}, "password": {"correct horse bob"}})
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("signing in: %v %v", res, err)
	}
	_ = res.Body.Close()
	res, err = browser.PostForm(urlB+"/settings/leave", url.Values{"password": {"correct horse bob"}, "meant": {"1"}})
	if err != nil || res.Request.URL.Path != "/login" {
		t.Fatalf("deleting the account: %v %v", res, err)
	}
	_ = res.Body.Close()
	want := []string{chat.Made, chat.Promoted, chat.Handed, chat.Left}
	for _, p := range []*someone{a, c} {
		eventually(t, func() string { return p.Name() + " sees them leave" }, func() bool { return slices.Equal(said(p), want) })
		if pl, members := place(p); members != 2 || (pl.Role == chat.Owner) != (p == c) {
			t.Errorf("%s is %v in a group of %d", p.Name(), pl.Role, members)
		}
	}
	a.say(conv, "ann 0")
	agree(t, urlA, conv, 1, a, c)
}
