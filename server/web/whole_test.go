package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"kamachat/server/account"
	"kamachat/server/inproc"
	"kamachat/server/room"
	"kamachat/shared/chat"
)

// withRealHub puts the hub of the program into the house.
func withRealHub(h *house, c *Config) {
	hub := room.NewHub(room.Config{
		Store: h.db, People: h.accounts, Build: "test", Log: c.Log,
		Carrier: inproc.NewCarrier(64, 1), Fanout: inproc.NewFanout(64), Presence: inproc.NewPresence(),
	})
	h.accounts.SetPoster(hub)
	c.Hub, h.real = hub, hub
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		hub.Run(ctx)
	}()
	h.t.Cleanup(func() {
		stop()
		<-done
	})
}

func TestGroupsOfOnePersonAreEachAnnouncedAndTheirsOnly(t *testing.T) {
	h := openHouse(t, withRealHub)
	ann, bob := bearerOf(h.token(h.ann)), bearerOf(h.token(h.bob))
	eve, err := h.accounts.Register(t.Context(), "eve", "password1", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Tea", "Coffee"} {
		got := h.do(http.DefaultClient, "POST", "/api/v1/groups", strings.NewReader(`{"name":"`+name+`","members":["`+string(h.bob.ID)+`"]}`), ann...)
		id := decode[struct{ Group struct{ ID string } }](t, got).Group.ID
		path := "/api/v1/conversations/" + id + "/messages"
		if got := h.do(http.DefaultClient, "POST", path, strings.NewReader(`{"text":"hello"}`), bob...); got.status != 200 {
			t.Fatalf("%s: %d %s", name, got.status, got.body)
		}
		page := decode[chat.Page](t, h.do(http.DefaultClient, "GET", path, nil, ann...))
		if len(page.Entries) != 2 || page.Entries[0].Content.Event == nil || page.Entries[0].Content.Event.Name != name {
			t.Errorf("%s: the log is %+v", name, page.Entries)
		}
		others := bearerOf(h.token(eve))
		for method, body := range map[string]string{"GET": "", "POST": `{"text":"let me in"}`} {
			if got := h.do(http.DefaultClient, method, path, strings.NewReader(body), others...); got.status != 404 {
				t.Errorf("%s by an outsider: %d %s", method, got.status, got.body)
			}
		}
	}
}

func TestEverybodyWhomThePageNamesIsNamed(t *testing.T) {
	h := openHouse(t, withRealHub)
	a := h.signedIn(h.ann)
	got := h.do(a, "POST", "/new", form("name", "Tea", "member", string(h.bob.ID)))
	path := got.header.Get("Location")
	for _, p := range []string{path, "/"} {
		got := h.do(a, "GET", p, nil)
		text, _, _ := strings.Cut(got.body, `<script`)
		if strings.Contains(strings.ReplaceAll(text, path, ""), string(h.bob.ID)) || !strings.Contains(text, "made the group “Tea”") {
			t.Errorf("%s: %s", p, text)
		}
	}
}

func TestNewDirectConversationIsEmptyAndThenShared(t *testing.T) {
	h := openHouse(t, withRealHub)
	a, b := h.signedIn(h.ann), h.signedIn(h.bob)
	if got := h.do(a, "GET", "/c/"+string(h.bob.ID), nil); got.status != 200 {
		t.Fatalf("before the first message: %d %s", got.status, got.body)
	}
	if got := h.do(a, "POST", "/c/"+string(h.bob.ID), form("text", "first words", "ref", "r1")); got.status != 303 {
		t.Fatalf("sending: %d %s", got.status, got.body)
	}
	if got := h.do(b, "GET", "/c/"+string(h.ann.ID), nil); got.status != 200 || !strings.Contains(got.body, "first words") {
		t.Errorf("at the other: %d %s", got.status, got.body)
	}
	list := decode[struct {
		Conversations []chat.Summary
		People        []chat.Person
	}](t, h.do(b, "GET", "/api/v1/conversations", nil))
	if len(list.Conversations) != 1 || list.Conversations[0].Unread != 1 || len(list.People) != 2 {
		t.Errorf("the list is %+v", list)
	}
}

// For who is not in it, a group by invitation answers as one that there is not.
func TestGroupByInvitationIsNotThereForStrangers(t *testing.T) {
	h := openHouse(t, withRealHub)
	eve, err := h.accounts.Register(t.Context(), "eve", "password1", "")
	if err != nil {
		t.Fatal(err)
	}
	conv, err := h.accounts.MakeGroup(t.Context(), h.ann.ID, account.NewGroup{Name: "Secret", Members: []chat.UserID{h.bob.ID}})
	if err != nil {
		t.Fatal(err)
	}
	api, pages := bearerOf(h.token(eve)), h.signedIn(eve)
	for _, c := range []struct{ method, path, body string }{
		{"GET", "/api/v1/groups/ID", ""}, {"GET", "/api/v1/groups/ID/members", ""}, {"GET", "/api/v1/groups/ID/invites", ""}, {"POST", "/api/v1/groups/ID/join", "{}"},
		{"GET", "/api/v1/conversations/ID/messages", ""}, {"POST", "/api/v1/conversations/ID/messages", `{"text":"x"}`}, {"PATCH", "/api/v1/groups/ID", `{"name":"x"}`},
		{"GET", "/g/ID", ""}, {"GET", "/g/ID/members", ""}, {"GET", "/g/ID/picture", ""}, {"GET", "/c/ID", ""},
	} {
		var answers [2]string
		for i, id := range []string{string(conv), "Gnone"} {
			client, extra := http.DefaultClient, api
			if !strings.HasPrefix(c.path, "/api/") {
				client, extra = pages, nil
			}
			got := h.do(client, c.method, strings.ReplaceAll(c.path, "ID", id), strings.NewReader(c.body), extra...)
			answers[i] = fmt.Sprint(got.status, strings.ReplaceAll(got.body, id, "ID"))
		}
		if answers[0] != answers[1] || !strings.HasPrefix(answers[0], "404") {
			t.Errorf("%s %s: %s,\nof none %s", c.method, c.path, answers[0], answers[1])
		}
	}
}
