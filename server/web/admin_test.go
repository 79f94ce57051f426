package web

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"kamachat/server/account"
	"kamachat/server/admin"
	"kamachat/shared/chat"
)

// administered is a house with an administrator, in a browser.
func administered(t *testing.T, limits ...account.Limits) (*house, chat.Person, *http.Client) {
	t.Helper()
	h := openHouse(t, func(h *house, c *Config) {
		if len(limits) > 0 {
			h.accounts = account.New(account.Config{Store: h.db, IDs: h.ids, Poster: h.hub, Cheap: true, Limits: limits[0]})
			c.Accounts = h.accounts
		}
		c.Admin = admin.New(admin.Config{Store: h.db, Passwords: h.accounts, Sockets: h.hub})
	})
	key, err := h.accounts.SetupKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	boss, err := h.accounts.Setup(t.Context(), key, "boss", "password1", "Boss")
	if err != nil {
		t.Fatal(err)
	}
	return h, boss, h.signedIn(boss)
}

// act has a browser do an act to people.
func (h *house) act(b *http.Client, act, password string, us ...chat.UserID) reply {
	h.t.Helper()
	kv := []string{"act", act, "password", password}
	for _, u := range us {
		kv = append(kv, "id", string(u))
	}
	return h.do(b, "POST", "/admin/people/act", form(kv...))
}

// deeds are what was done, newest first, as "what name".
func (h *house) deeds() (out []string) {
	h.t.Helper()
	ds, _, err := h.db.Deeds(h.t.Context(), chat.DeedAsk{Limit: 100})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, d := range ds {
		out = append(out, d.What+" "+d.Detail)
	}
	return out
}

func TestTheAdministrationIsNowhereForOthers(t *testing.T) {
	h, boss, b := administered(t)
	conv, err := h.accounts.MakeGroup(t.Context(), h.ann.ID, account.NewGroup{Name: "Walk", Members: []chat.UserID{h.bob.ID}})
	if err != nil {
		t.Fatal(err)
	}
	ann, gone := h.signedIn(h.ann), h.signedIn(h.bob)
	nowhere := h.do(ann, "GET", "/nowhere", nil)
	if err := h.db.SetDisabled(t.Context(), chat.Deed{What: "disable"}, h.bob.ID, true); err != nil {
		t.Fatal(err)
	}
	for route, want := range map[string]int{
		"GET /admin": 303, "GET /admin/nowhere": 404, "GET /admin/people": 200, "GET /admin/people?q=a&only=admins": 200, "GET /admin/people?after=nonsense": 400,
		"GET /admin/people/act?act=disable&id=" + string(h.ann.ID): 200, "GET /admin/people/act?act=nonsense": 400, "POST /admin/people/act": 403,
		"GET /admin/people/" + string(h.ann.ID): 200, "GET /admin/people/Unobody": 404, "GET /admin/people/%00": 404,
		"GET /admin/groups": 200, "GET /admin/groups?sort=members": 200, "GET /admin/groups/act?act=dismiss-group&id=" + string(conv): 200, "POST /admin/groups/act": 403,
		"GET /admin/groups/" + string(conv): 200, "GET /admin/groups/Gnowhere": 404,
		"GET /admin/audit": 200, "GET /admin/audit?by=boss&target=ann&since=2026-01-01&until=nonsense": 200, "POST /admin/audit": 404, "DELETE /admin/audit": 404,
	} {
		method, path, _ := strings.Cut(route, " ")
		if got := h.do(b, method, path, nil); got.status != want && !(want == 403 && got.status == 400) {
			t.Errorf("%s as an administrator: %d, want %d: %s", route, got.status, want, got.body)
		} else if got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be kept: %q", route, got.header.Get("Cache-Control"))
		}
		for name, c := range map[string]*http.Client{"nobody": h.browser(), "disabled": gone} {
			if got := h.do(c, method, path, nil); got.status != 303 || !strings.HasPrefix(got.header.Get("Location"), "/login") {
				t.Errorf("%s as %s: %d to %q", route, name, got.status, got.header.Get("Location"))
			}
		}
		if got := h.do(ann, method, path, nil); got.status != 404 || got.body != nowhere.body {
			t.Errorf("%s as somebody: %d %s", route, got.status, got.body)
		}
		if got := h.do(h.browser(), method, path, nil, bearerOf(h.token(boss))...); got.status != 404 {
			t.Errorf("%s with a program's token: %d", route, got.status)
		}
		if method == "POST" {
			for _, o := range [][]string{{"Origin", "https://evil.example"}, {"Sec-Fetch-Site", "cross-site"}} {
				if got := h.do(b, method, path, form("act", "enable"), o...); got.status != 403 || !strings.Contains(got.body, "Not allowed") {
					t.Errorf("%s from another site: %d", route, got.status)
				}
			}
		}
	}
	if got := h.do(h.browser(), "GET", "/admin/audit?by=x", nil); got.header.Get("Location") != "/login?next=%2Fadmin%2Faudit%3Fby%3Dx" {
		t.Errorf("signing in leads back to %q", got.header.Get("Location"))
	}
}

func TestDangerousActsAskForThePassword(t *testing.T) {
	h, _, b := administered(t)
	if got := h.act(b, chat.ActDisable, "", h.ann.ID); got.status != 403 || !strings.Contains(got.body, "Enter your password") {
		t.Errorf("without: %d %s", got.status, got.body)
	}
	if got := h.act(b, chat.ActDisable, "password2", h.ann.ID); got.status != 403 || !strings.Contains(got.body, "The password is wrong") {
		t.Errorf("a wrong one: %d %s", got.status, got.body)
	}
	if ds := h.deeds(); len(ds) != 0 {
		t.Fatalf("done: %v", ds)
	}
	if got := h.act(b, chat.ActDisable, "password1", h.ann.ID); got.status != 200 {
		t.Errorf("the right one: %d %s", got.status, got.body)
	}
	if got := h.do(b, "GET", "/admin/people/act?act=delete&id="+string(h.bob.ID), nil); strings.Contains(got.body, `type="password"`) {
		t.Error("it is asked for again at once")
	}
	if got := h.act(b, chat.ActMakeAdmin, "", h.bob.ID); got.status != 200 {
		t.Errorf("a moment later: %d", got.status)
	}
	// That is true of this sign-in alone.
	if got := h.act(h.signedIn(chat.Person{Username: "boss"}), chat.ActRemoveAdmin, "", h.bob.ID); got.status != 403 {
		t.Errorf("in another browser: %d", got.status)
	}
	if ds := h.deeds(); !slices.Equal(ds, []string{"make-admin bob", "disable ann"}) {
		t.Errorf("done: %v", ds)
	}
}

func TestGuessingThePasswordOfAnActIsLimited(t *testing.T) {
	few := account.NoLimits
	few.Name, few.NameBurst = 0.001, 4
	h, _, b := administered(t, few)
	last := reply{}
	for range 8 {
		last = h.act(b, chat.ActDisable, "wrong one", h.ann.ID)
	}
	if last.status != 429 {
		t.Errorf("the eighth guess: %d", last.status)
	}
}

func TestWhoIsDisabledIsOutAtOnce(t *testing.T) {
	h, _, b := administered(t)
	ann := h.signedIn(h.ann)
	tok := h.token(h.ann)
	if got := h.act(b, chat.ActDisable, "password1", h.ann.ID); got.status != 200 {
		t.Fatal(got.status, got.body)
	}
	if !slices.Contains(h.hub.users, h.ann.ID) {
		t.Error("the sockets are not closed")
	}
	if got := h.do(ann, "GET", "/", nil); got.status != 303 || got.header.Get("Location") != "/login" {
		t.Errorf("the page: %d to %q", got.status, got.header.Get("Location"))
	}
	if got := h.do(h.browser(), "GET", "/api/v1/me", nil, bearerOf(tok)...); got.status != 401 {
		t.Errorf("the API: %d", got.status)
	}
	if got := h.act(b, chat.ActEnable, "", h.ann.ID); got.status != 200 {
		t.Fatal(got.status)
	}
	if got := h.do(ann, "GET", "/", nil); got.status != 303 {
		t.Errorf("after enabling, the old sign-in: %d", got.status)
	}
	if got := h.do(h.signedIn(h.ann), "GET", "/", nil); got.status != 200 {
		t.Errorf("signing in again: %d", got.status)
	}
}

func TestAResetPasswordMustBeChanged(t *testing.T) {
	h, _, b := administered(t)
	got := h.act(b, chat.ActReset, "password1", h.ann.ID)
	m := regexp.MustCompile(`class="secret">([a-z0-9]{5}-[a-z0-9]{5}-[a-z0-9]{5})<`).FindStringSubmatch(got.body)
	if m == nil {
		t.Fatalf("no password is shown: %d %s", got.status, got.body)
	}
	ann := h.browser()
	if got := h.do(ann, "POST", "/login", form("username", "ann", "password", "password1")); got.status == 303 {
		t.Error("the old password works")
	}
	if got := h.do(ann, "POST", "/login", form("username", "ann", "password", m[1])); got.status != 303 {
		t.Fatalf("the new one: %d", got.status)
	}
	if got := h.do(ann, "GET", "/new", nil); got.status != 303 || got.header.Get("Location") != "/renew?next=%2Fnew" {
		t.Errorf("a page: %d to %q", got.status, got.header.Get("Location"))
	}
	for _, path := range []string{"/api/v1/me", "/ws"} {
		if got := h.do(ann, "GET", path, nil, "Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Protocol", "kamachat.v1", "Sec-WebSocket-Key", "MDEyMzQ1Njc4OWFiY2RlZg=="); got.status != 403 {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	if got := h.do(ann, "GET", "/renew?next=%2Fnew", nil); got.status != 200 || !strings.Contains(got.body, "Choose a new password") {
		t.Errorf("the page for it: %d", got.status)
	}
	for name, c := range map[string][2]string{"short": {"short", "short"}, "the old one": {m[1], m[1]}, "two": {"password3", "password4"}} {
		if got := h.do(ann, "POST", "/renew", form("password", c[0], "again", c[1])); got.status != 400 {
			t.Errorf("%s: %d", name, got.status)
		}
	}
	if got := h.do(ann, "POST", "/renew", form("password", "password3", "again", "password3", "next", "/new")); got.status != 303 || got.header.Get("Location") != "/new" {
		t.Errorf("chosen: %d to %q", got.status, got.header.Get("Location"))
	}
	if got := h.do(ann, "GET", "/new", nil); got.status != 200 {
		t.Errorf("then: %d", got.status)
	}
	if got := h.do(ann, "POST", "/renew", form("password", "password5", "again", "password5")); got.status != 403 {
		t.Errorf("once more: %d", got.status)
	}
}

func TestABulkActTellsOfEachAndStopsAtTheLastAdministrator(t *testing.T) {
	h, boss, b := administered(t)
	if got := h.act(b, chat.ActMakeAdmin, "password1", h.ann.ID); got.status != 200 {
		t.Fatal(got.status)
	}
	ann := h.signedIn(h.ann)
	got := h.act(ann, chat.ActRemoveAdmin, "password1", h.bob.ID, boss.ID, h.ann.ID, h.ann.ID, "Unobody")
	if got.status != 200 || strings.Count(got.body, ">done<") != 1 || strings.Count(got.body, ">not done<") != 2 {
		t.Errorf("%d: %s", got.status, got.body)
	}
	if !strings.Contains(got.body, "This is the last administrator") || !strings.Contains(got.body, "Not an administrator") {
		t.Errorf("it does not say why: %s", got.body)
	}
	if got := h.do(b, "GET", "/admin/people", nil); got.status != 404 {
		t.Errorf("who was removed still sees: %d", got.status)
	}
	if got := h.act(ann, chat.ActDelete, "", h.ann.ID); !strings.Contains(got.body, "That is your own account") {
		t.Errorf("of oneself: %s", got.body)
	}
	many := make([]chat.UserID, 51)
	if got := h.act(ann, chat.ActEnable, "", many...); got.status != 413 {
		t.Errorf("51 at once: %d", got.status)
	}
}

func TestGroupsAreDisabledAndDismissed(t *testing.T) {
	h, _, b := administered(t)
	conv, err := h.accounts.MakeGroup(t.Context(), h.ann.ID, account.NewGroup{Name: "Walk", Members: []chat.UserID{h.bob.ID}})
	if err != nil {
		t.Fatal(err)
	}
	do := func(act, password string) reply {
		return h.do(b, "POST", "/admin/groups/act", form("act", act, "password", password, "id", string(conv)))
	}
	if got := do(chat.ActDisableGroup, ""); got.status != 403 {
		t.Errorf("without the password: %d", got.status)
	}
	for _, c := range []struct {
		act   string
		state int
		says  string
	}{
		{chat.ActDisableGroup, 1, ">done<"}, {chat.ActDisableGroup, 1, "Disabled already"}, {chat.ActEnableGroup, 0, ">done<"},
		{chat.ActDismissGroup, 2, ">done<"}, {chat.ActEnableGroup, 2, "The group is dismissed"},
	} {
		got := do(c.act, "password1")
		g, err := h.db.GroupLine(t.Context(), conv)
		if err != nil || g.State != c.state || !strings.Contains(got.body, c.says) {
			t.Errorf("%s: state %d, %v: %s", c.act, g.State, err, got.body)
		}
	}
	if got := h.do(b, "GET", "/admin/audit?what=dismiss-group", nil); !strings.Contains(got.body, "dismissed a group") || !strings.Contains(got.body, ">Walk<") {
		t.Errorf("the audit log: %s", got.body)
	}
}
