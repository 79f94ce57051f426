package web

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"kamachat/shared/chat"
)

// SetLine keeps the last change, and refuses where h.fail says so.
func (h *hub) SetLine(_ context.Context, u chat.UserID, conv chat.ConvID, c chat.LineChange) (chat.Line, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := c.Validate(); err != nil {
		return chat.Line{}, err
	}
	h.lined = append(h.lined, string(u)+" "+string(conv))
	h.line = h.line.With(c, 5, 100)
	return h.line, h.fail
}

// StandingIn knows no bonds but those in h.bonds.
func (h *hub) StandingIn(_ context.Context, u chat.UserID, conv chat.ConvID) (chat.Standing, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return chat.Laws{Bonds: h.bonds}.Of(u, true), h.fail
}

func TestLinesAreSetByTheAPIAndByAForm(t *testing.T) {
	h := open(t)
	b, conv := h.signedIn(h.ann), chat.Direct(h.ann.ID, h.bob.ID)
	path := "/api/v1/conversations/" + string(h.bob.ID) + "/line"
	got := h.do(b, "PUT", path, strings.NewReader(`{"pin":true}`))
	if l := decode[lineAnswer](t, got); got.status != 200 || l != (lineAnswer{Conv: conv, Pinned: 5}) {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if got := h.do(b, "PUT", path, strings.NewReader(`{}`)); got.status != 400 {
		t.Errorf("nothing: %d %s", got.status, got.body)
	}
	for do, want := range map[string]struct {
		line chat.Line
		to   string
	}{
		"mark": {chat.Line{Pinned: 3, Marked: true}, "/"}, "unmark": {chat.Line{Pinned: 3}, "/"},
		"hush -1": {chat.Line{Pinned: 3, Hushed: chat.Forever}, "/c/" + string(conv)}, "hush 0": {chat.Line{Pinned: 3}, "/c/" + string(conv)},
		"unpin": {chat.Line{}, "/c/" + string(conv)}, "archive": {chat.Line{Archived: true}, "/c/" + string(conv)}, "delete": {chat.Line{Cleared: 7}, "/"},
	} {
		h.hub.line = chat.Line{Pinned: 3}
		got := h.do(b, "POST", "/c/"+string(conv)+"/line", form("do", do, "seq", "7"))
		if got.status != 303 || got.header.Get("Location") != want.to || h.hub.line != want.line {
			t.Errorf("%s: %d to %s, %+v", do, got.status, got.header.Get("Location"), h.hub.line)
		}
	}
	before := time.Now().UnixMilli()
	got = h.do(b, "POST", "/c/"+string(conv)+"/line", form("do", "hush 8"))
	if until := h.hub.line.Hushed - 8*time.Hour.Milliseconds(); got.status != 303 || until < before || until > time.Now().UnixMilli() {
		t.Errorf("muted for 8 hours: %d, until %d", got.status, h.hub.line.Hushed)
	}
	for _, do := range []string{"dance", "hush", "hush -2", "hush 1e9", ""} {
		if got := h.do(b, "POST", "/c/"+string(conv)+"/line", form("do", do)); got.status != 400 {
			t.Errorf("%q: %d", do, got.status)
		}
	}
	for _, l := range h.hub.lined {
		if l != string(h.ann.ID)+" "+string(conv) {
			t.Errorf("set was the line of %s", l)
		}
	}
	n := len(h.hub.lined)
	other := chat.Direct(h.bob.ID, "Ucy")
	for name, got := range map[string]reply{
		"nobody's form":  h.do(h.browser(), "POST", "/c/"+string(conv)+"/line", form("do", "pin")),
		"nobody":         h.do(http.DefaultClient, "PUT", path, strings.NewReader(`{"pin":true}`)),
		"others' form":   h.do(b, "POST", "/c/"+string(other)+"/line", form("do", "pin")),
		"others'":        h.do(b, "PUT", "/api/v1/conversations/"+string(other)+"/line", strings.NewReader(`{"pin":true}`)),
		"from elsewhere": h.do(b, "POST", "/c/"+string(conv)+"/line", form("do", "pin"), "Origin", "https://evil.example"),
	} {
		if got.status < 301 || got.status == 303 && got.header.Get("Location") == "/c/"+string(conv) || len(h.hub.lined) > n {
			t.Errorf("%s: %d, and set were %v", name, got.status, h.hub.lined[n:])
		}
	}
}

func TestOpeningSaysWhetherOneMayWriteAndWhyNot(t *testing.T) {
	h := open(t)
	b, conv := h.signedIn(h.ann), chat.Direct(h.ann.ID, h.bob.ID)
	ask := func(id string) reply { return h.do(b, "GET", "/api/v1/conversations/open?person="+id, nil) }
	for name, c := range map[string]struct {
		bond chat.Bond
		want openAnswer
	}{
		"strangers": {chat.Bond{}, openAnswer{conv, true, ""}},
		"blocked":   {chat.Bond{Blocked: true}, openAnswer{conv, false, chat.Blocked}},
		"blocking":  {chat.Bond{Blocking: true}, openAnswer{conv, false, chat.Blocked}},
	} {
		h.hub.bonds = map[chat.UserID]chat.Bond{h.ann.ID: c.bond}
		if got := ask(string(h.bob.ID)); got.status != 200 || decode[openAnswer](t, got) != c.want {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	for id, want := range map[string]int{"Unobody": 404, "x": 400, string(h.ann.ID): 400, "": 400} {
		if got := ask(id); got.status != want {
			t.Errorf("%q: %d %s", id, got.status, got.body)
		}
	}
	if got := h.do(http.DefaultClient, "GET", "/api/v1/conversations/open?person="+string(h.bob.ID), nil); got.status != 401 {
		t.Errorf("nobody: %d", got.status)
	}
}
