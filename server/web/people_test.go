package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"kamachat/server/account"
	"kamachat/shared/chat"
)

// A town is an archive with people who are each something else to Ann.
type town struct {
	*archive
	people map[string]chat.Person
}

// relations are what somebody may be to Ann. A stranger, who asks, who was asked, a
// contact, somebody whom she has blocked, who has blocked her, herself, one who is
// disabled, a stranger who does not want to be found, and one who is not there.
var relations = []string{"stranger", "asks", "asked", "contact", "blocked", "blocks", "self", "disabled", "unlisted", "gone"}

// goneID is of nobody.
const goneID chat.UserID = "Ugone"

func newTown(t *testing.T) *town {
	t.Helper()
	w := &town{archive: openArchive(t), people: map[string]chat.Person{}}
	ctx, s, ann := t.Context(), w.accounts, w.ann.ID
	for _, kind := range relations {
		if kind == "self" || kind == "gone" {
			continue
		}
		p, err := s.Register(ctx, kind, "password1", "")
		if err != nil {
			t.Fatal(err)
		}
		w.people[kind] = p
	}
	w.people["self"], w.people["gone"] = w.ann, chat.Person{ID: goneID}
	id := func(kind string) chat.UserID { return w.people[kind].ID }
	_, err := s.AskContact(ctx, id("asks"), ann, "let me <in>")
	if err == nil {
		_, err = s.AskContact(ctx, ann, id("asked"), "")
	}
	if err == nil {
		_, err = s.AskContact(ctx, ann, id("contact"), "")
	}
	for _, err := range []error{
		err, s.AcceptContact(ctx, id("contact"), ann), s.Block(ctx, ann, id("blocked"), true), s.Block(ctx, id("blocks"), ann, true),
		s.SaveProfile(ctx, id("unlisted"), "unlisted", "", chat.Profile{Unlisted: true}),
		w.db.SetDisabled(ctx, chat.Deed{What: chat.ActDisable, By: ann}, id("disabled"), true),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// Every route about people, with everybody, by the pages and by the API, and by nobody.
func TestEveryRouteWithEverybody(t *testing.T) {
	// By kind, as above: the API's status.
	for act, c := range map[string]struct {
		method, path string
		want         []int
	}{
		"see":     {"GET", "/api/v1/people/{id}", []int{200, 200, 200, 200, 200, 200, 200, 200, 404, 404}},
		"open":    {"GET", "/api/v1/conversations/open?person={id}", []int{200, 200, 200, 200, 200, 200, 400, 200, 404, 404}},
		"ask":     {"PUT", "/api/v1/requests/{id}", []int{200, 200, 200, 409, 403, 403, 400, 404, 404, 404}},
		"accept":  {"POST", "/api/v1/requests/{id}/accept", []int{404, 204, 404, 404, 404, 404, 400, 404, 404, 404}},
		"refuse":  {"POST", "/api/v1/requests/{id}/refuse", []int{404, 204, 404, 404, 404, 404, 400, 404, 404, 404}},
		"end":     {"DELETE", "/api/v1/contacts/{id}", []int{204, 204, 204, 204, 204, 204, 400, 204, 404, 404}},
		"block":   {"PUT", "/api/v1/blocks/{id}", []int{204, 204, 204, 204, 204, 204, 400, 204, 404, 404}},
		"unblock": {"DELETE", "/api/v1/blocks/{id}", []int{204, 204, 204, 204, 204, 204, 400, 204, 404, 404}},
	} {
		t.Run(act, func(t *testing.T) {
			api, pages, answers := newTown(t), newTown(t), map[string]string{}
			tok, ann := bearerOf(api.token(api.ann)), pages.signedIn(pages.ann)
			for i, kind := range relations {
				path := strings.ReplaceAll(c.path, "{id}", string(api.people[kind].ID))
				body := ""
				if c.method == "PUT" && act == "ask" {
					body = `{"message":"hello"}`
				}
				if got := api.do(http.DefaultClient, c.method, path, strings.NewReader(body)); got.status != 401 {
					t.Errorf("%s by nobody: %d", kind, got.status)
				}
				got := api.do(http.DefaultClient, c.method, path, strings.NewReader(body), tok...)
				if got.status != c.want[i] {
					t.Errorf("%s: %d, want %d: %s", kind, got.status, c.want[i], got.body)
				}
				answers[kind] = strings.ReplaceAll(fmt.Sprint(got.status, got.header["Content-Type"], got.body), string(api.people[kind].ID), "ID")
				if act == "open" {
					continue
				}
				// By the page it is the same, but that it leads on and draws what is wrong.
				method, at, want := "POST", "/people/"+string(pages.people[kind].ID)+"/"+act, c.want[i]
				if act == "see" {
					method, at = "GET", "/people/"+string(pages.people[kind].ID)
				} else if want < 300 {
					want = 303
				}
				if got := pages.do(pages.browser(), method, at, form("message", "hello")); got.status != 303 || !strings.HasPrefix(got.header.Get("Location"), "/login") {
					t.Errorf("%s by nobody: %d %s", kind, got.status, got.header.Get("Location"))
				}
				got = pages.do(ann, method, at, form("message", "hello"))
				if got.status != want {
					t.Errorf("page, %s: %d, want %d: %s", kind, got.status, want, got.body)
				}
				answers["page of "+kind] = strings.ReplaceAll(got.body, string(pages.people[kind].ID), "ID")
			}
			for _, of := range []string{"", "page of "} {
				if x, y := answers[of+"unlisted"], answers[of+"gone"]; x != y || y == "" != (act == "open" && of != "") {
					t.Errorf("%swho does not want to be found: %s\n%swho is not there: %s", of, x, of, y)
				}
			}
		})
	}
}

func TestListsOfPeopleAreOnesOwn(t *testing.T) {
	w := newTown(t)
	names := func(who chat.Person, path string) (out []string) {
		t.Helper()
		got := w.do(http.DefaultClient, "GET", path, nil, bearerOf(w.token(who))...)
		for _, kind := range relations[:len(relations)-1] {
			if strings.Contains(got.body, string(w.people[kind].ID)) && w.people[kind].ID != who.ID {
				out = append(out, kind)
			}
		}
		if got.status != 200 {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
		return out
	}
	for path, want := range map[string][]string{"/api/v1/contacts": {"contact"}, "/api/v1/blocks": {"blocked"}, "/api/v1/requests": {"asks", "asked"}} {
		if got := names(w.ann, path); !slices.Equal(got, want) {
			t.Errorf("%s of ann: %v, want %v", path, got, want)
		}
		if got := names(w.people["stranger"], path); len(got) != 0 {
			t.Errorf("%s of a stranger: %v", path, got)
		}
		if got := w.do(http.DefaultClient, "GET", path, nil); got.status != 401 {
			t.Errorf("%s of nobody: %d", path, got.status)
		}
	}
	if got := w.do(http.DefaultClient, "GET", "/api/v1/requests/waiting", nil, bearerOf(w.token(w.ann))...); strings.TrimSpace(got.body) != `{"waiting":1,"groups":[]}` {
		t.Errorf("waiting: %s", got.body)
	}
	ann := w.signedIn(w.ann)
	got := w.do(ann, "GET", "/contacts?q=str", nil)
	if got.status != 200 || !strings.Contains(got.body, "let me &lt;in&gt;") || !strings.Contains(got.body, "/people/"+string(w.people["stranger"].ID)) || !strings.Contains(got.body, `"/c/`+string(w.people["contact"].ID)) {
		t.Errorf("the page of contacts: %d %s", got.status, got.body)
	}
	if got := w.do(ann, "GET", "/contacts?after=x", nil); got.status != 400 {
		t.Errorf("a page that is none: %d", got.status)
	}
	// What a form leads back to.
	id := string(w.people["asks"].ID)
	if got := w.do(ann, "POST", "/people/"+id+"/accept", form("back", "contacts")); got.header.Get("Location") != "/contacts?done=accept" {
		t.Errorf("back to %q", got.header.Get("Location"))
	}
	if got := w.do(ann, "POST", "/people/"+id+"/accept", form("back", "//evil.example")); got.header.Get("Location") != "/people/"+id+"?done=accept" {
		t.Errorf("back to %q", got.header.Get("Location"))
	}
	if got := w.do(ann, "POST", "/people/"+id+"/dance", form()); got.status != 404 {
		t.Errorf("an act that there is not: %d", got.status)
	}
	if got := w.do(ann, "POST", "/people/"+id+"/block", form(), "Sec-Fetch-Site", "cross-site"); got.status != 403 {
		t.Errorf("from another site: %d", got.status)
	}
	long := strings.Repeat("字", 101)
	if got := w.do(ann, "POST", "/people/"+string(w.people["stranger"].ID)+"/ask", form("message", long)); got.status != 413 || !strings.Contains(got.body, long) {
		t.Errorf("a message that is too long: %d, and what was typed is kept: %v", got.status, strings.Contains(got.body, long))
	}
}

func TestProfileIsChangedWithoutAScript(t *testing.T) {
	w := newTown(t)
	ann := w.signedIn(w.ann)
	mine := func() chat.Profile {
		t.Helper()
		p, err := w.accounts.Profile(t.Context(), w.ann.ID)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for _, path := range []string{"/settings/profile", "/settings/privacy", "/contacts", "/people/" + string(w.ann.ID)} {
		if got := w.do(w.browser(), "GET", path, nil); got.status != 303 || !strings.HasPrefix(got.header.Get("Location"), "/login") {
			t.Errorf("%s by nobody: %d", path, got.status)
		}
		if got := w.do(ann, "GET", path, nil); got.status != 200 || got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	if got := w.do(ann, "POST", "/settings/privacy", form("unseen", "1", "unlisted", "1")); got.status != 303 {
		t.Fatalf("privacy: %d %s", got.status, got.body)
	}
	want := chat.Profile{Signature: "in the hills", Gender: "other", Birthday: "1990-02-03", Email: "ann@example.org", Phone: "+49123456", Unlisted: true, Unseen: true}
	if got := w.do(ann, "POST", "/settings/profile", form("nickname", "Ann B.", "signature", " in the  hills", "gender", "other", "birthday", "1990-02-03", "email", "ann@example.org", "phone", "+49 (123) 456")); got.status != 303 || got.header.Get("Location") != "/settings/profile?done=saved" {
		t.Fatalf("profile: %d %s", got.status, got.body)
	}
	if got := mine(); got != want {
		t.Errorf("stored is %+v, want %+v", got, want)
	}
	got := w.do(ann, "POST", "/settings/profile", form("nickname", "Ann C.", "birthday", "soon", "signature", "typed"))
	if got.status != 400 || !strings.Contains(got.body, "That can’t be a birthday.") && !strings.Contains(got.body, "That can&#39;t be a birthday.") || !strings.Contains(got.body, `value="typed"`) {
		t.Errorf("refused: %d %s", got.status, got.body)
	}
	if got := mine(); got != want {
		t.Errorf("what was refused is stored: %+v", got)
	}
	if got := w.do(ann, "POST", "/settings/privacy", form()); got.status != 303 || mine().Unseen || mine().Unlisted || mine().Phone == "" {
		t.Errorf("privacy: %d, stored is %+v", got.status, mine())
	}
	// E-mail and phone are told to nobody.
	for _, path := range []string{"/people/" + string(w.ann.ID), "/api/v1/people/" + string(w.ann.ID)} {
		got := w.do(w.signedIn(w.people["contact"]), "GET", path, nil)
		if got.status != 200 || strings.Contains(got.body, "ann@example.org") || strings.Contains(got.body, "49123456") || !strings.Contains(got.body, "in the hills") {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
}

func TestPictureOfAPersonIsForAllWhoAreSignedIn(t *testing.T) {
	w := newTown(t)
	ann, eve := w.signedIn(w.ann), w.signedIn(w.people["stranger"])
	avatar := func() string {
		t.Helper()
		p, err := w.accounts.Person(t.Context(), w.ann.ID)
		if err != nil {
			t.Fatal(err)
		}
		return p.Avatar
	}
	send := func(file string) reply {
		t.Helper()
		body, kind := formOf(t, "picture", file)
		return w.do(ann, "POST", "/settings/profile/picture", body, kind...)
	}
	for name, file := range map[string]string{"a text": "@a.txt:hello", "a text called a picture": "@a.png:hello", "nothing": "@:"} {
		if got := send(file); got.status != 400 || avatar() != "" {
			t.Errorf("%s: %d, the picture is %q", name, got.status, avatar())
		}
	}
	if got := send("@me.png:" + pngHead + strings.Repeat("x", maxFile)); got.status != 413 || avatar() != "" {
		t.Errorf("too large: %d", got.status)
	}
	if got := send("@me.png:" + pngHead); got.status != 303 {
		t.Fatalf("a picture: %d %s", got.status, got.body)
	}
	first := avatar()
	if got := w.do(eve, "GET", first, nil); got.status != 200 || got.header.Get("Content-Type") != "image/png" || !strings.Contains(got.header.Get("Content-Disposition"), "inline") {
		t.Errorf("a stranger sees %q: %d %v", first, got.status, got.header)
	}
	if got := w.do(http.DefaultClient, "GET", first, nil); got.status != 401 {
		t.Errorf("nobody sees it: %d", got.status)
	}
	if got := w.do(eve, "GET", "/people/"+string(w.ann.ID), nil); !strings.Contains(got.body, `src="`+first+`"`) {
		t.Errorf("the card is without it: %s", got.body)
	}
	// Another's picture, or a file of theirs, is not to be had by its address.
	theirs := w.sent(eve, "eve.png", "image/png", pngHead)
	if got := w.do(http.DefaultClient, "PUT", "/api/v1/me/profile", strings.NewReader(`{"nickname":"Ann","avatar":"`+theirs.URL+`","profile":{"signature":""}}`), bearerOf(w.token(w.ann))...); got.status != 400 || avatar() != first {
		t.Errorf("another's file: %d, the picture is %q", got.status, avatar())
	}
	if got := w.do(ann, "POST", "/settings/profile/picture/remove", form()); got.status != 303 || avatar() != "" {
		t.Errorf("removed: %d, the picture is %q", got.status, avatar())
	}
	if got := w.do(eve, "GET", first, nil); got.status != 404 {
		t.Errorf("a stranger sees it still: %d", got.status)
	}
}

// Who waits for an answer is told to programs, and above the list without a script.
func TestWhoWaitsForAnAnswerIsThere(t *testing.T) {
	h := openHouse(t, withRealHub)
	ctx := t.Context()
	conv, err := h.accounts.MakeGroup(ctx, h.ann.ID, account.NewGroup{Name: "Tea <3", Joining: chat.JoinApproval})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.accounts.AskContact(ctx, h.bob.ID, h.ann.ID, "hello"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.accounts.JoinGroup(ctx, h.bob, conv, "me, too"); err != nil {
		t.Fatal(err)
	}
	ann, bob := h.signedIn(h.ann), h.signedIn(h.bob)
	waiting := func(b *http.Client) waitingAnswer {
		t.Helper()
		return decode[waitingAnswer](t, h.do(b, "GET", "/api/v1/requests/waiting", nil))
	}
	if got := waiting(ann); got.Waiting != 1 || !slices.Equal(got.Groups, []chat.GroupAsked{{Conv: conv, Name: "Tea <3", Waiting: 1}}) {
		t.Errorf("for her wait %+v", got)
	}
	if got := waiting(bob); got.Waiting != 0 || len(got.Groups) != 0 {
		t.Errorf("for him wait %+v", got)
	}
	links := []string{`<a class="link" href="/contacts">`, `<a class="link" href="/g/` + string(conv) + `/requests">`, "Tea &lt;3"}
	for _, path := range []string{"/", "/c/" + string(h.bob.ID)} {
		for _, want := range links {
			if got := h.do(ann, "GET", path, nil); !strings.Contains(got.body, want) {
				t.Errorf("%s: there is no %s in %s", path, want, got.body)
			}
		}
	}
	if got := h.do(bob, "GET", "/", nil); strings.Contains(got.body, "/contacts\">See") || strings.Contains(got.body, "/requests") {
		t.Errorf("he is told of others' requests: %s", got.body)
	}
}

// Who does not want to be found is not there for strangers, by whatever way these go
// through the ids, and there for all who know them.
func TestWhoIsUnlistedIsNotThereForStrangers(t *testing.T) {
	for name, c := range map[string]struct {
		method, path, body string
	}{
		"card":            {"GET", "/api/v1/people/ID", ""},
		"history":         {"GET", "/api/v1/conversations/ID/messages", ""},
		"a message":       {"POST", "/api/v1/conversations/ID/messages", `{"text":"hello"}`},
		"line":            {"PUT", "/api/v1/conversations/ID/line", `{"pin":true}`},
		"at":              {"GET", "/api/v1/conversations/ID/at?time=1", ""},
		"opening":         {"GET", "/api/v1/conversations/open?person=ID", ""},
		"a group of":      {"POST", "/api/v1/groups", `{"name":"g","members":["ID"]}`},
		"adding":          {"POST", "/api/v1/groups/GROUP/members", `{"people":["ID"]}`},
		"page of a chat":  {"GET", "/c/ID", ""},
		"page of a group": {"GET", "/new?member=ID", ""},
		"by full id":      {"GET", "/api/v1/conversations/DIRECT/messages", ""},
		"search":          {"GET", "/api/v1/people?q=ID", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t)
			ask := func(by chat.Person, id chat.UserID) string {
				t.Helper()
				g, err := w.accounts.MakeGroup(t.Context(), by.ID, account.NewGroup{Name: "mine"})
				if err != nil {
					t.Fatal(err)
				}
				fill := strings.NewReplacer("ID", string(id), "GROUP", string(g), "DIRECT", string(chat.Direct(by.ID, id)))
				back := strings.NewReplacer(string(chat.Direct(by.ID, id)), "DIRECT", string(id), "ID", string(g), "GROUP")
				client, headers := http.DefaultClient, append(bearerOf(w.token(by)), "Content-Type", "application/json")
				if !strings.HasPrefix(c.path, "/api/") {
					client, headers = w.signedIn(by), nil
				}
				got := w.do(client, c.method, fill.Replace(c.path), strings.NewReader(fill.Replace(c.body)), headers...)
				return fmt.Sprint(got.status, got.header["Content-Type"], back.Replace(got.body))
			}
			hidden := w.people["unlisted"].ID
			strange, nobody := ask(w.ann, hidden), ask(w.ann, goneID)
			if strange != nobody {
				t.Errorf("a stranger is told %s,\nof nobody %s", strange, nobody)
			}
			if strings.Contains(strange, "unlisted") && !strings.Contains(c.path, "/new") {
				t.Errorf("a stranger is told of them: %s", strange)
			}
			if name == "search" || name == "line" { // found by contacts alone, and there once something was written
				return
			}
			for how, make := range map[string]func(p chat.Person) error{
				"an administrator": func(p chat.Person) error {
					return w.db.SetAdmin(t.Context(), chat.Deed{What: chat.ActMakeAdmin}, p.ID, true)
				},
				"was asked": func(p chat.Person) error { _, err := w.accounts.AskContact(t.Context(), hidden, p.ID, ""); return err },
				"in one group": func(p chat.Person) error {
					_, err := w.accounts.MakeGroup(t.Context(), hidden, account.NewGroup{Name: "ours", Members: []chat.UserID{p.ID}})
					return err
				},
				"was written to": func(p chat.Person) error {
					if got := w.do(w.signedIn(w.people["unlisted"]), "POST", "/api/v1/conversations/"+string(p.ID)+"/messages", strings.NewReader(`{"text":"hi"}`)); got.status != 200 {
						return fmt.Errorf("write: %d %s", got.status, got.body)
					}
					return nil
				},
			} {
				p, err := w.accounts.Register(t.Context(), strings.ReplaceAll(how, " ", "."), "password1", "")
				if err == nil {
					err = make(p)
				}
				if err != nil {
					t.Fatal(how, err)
				}
				if p, err = w.accounts.Person(t.Context(), p.ID); err != nil {
					t.Fatal(err)
				}
				if got := ask(p, hidden); got == nobody || strings.HasPrefix(got, "404") {
					t.Errorf("%s: %s", how, got)
				}
			}
		})
	}
}

func TestIdsAreTriedInVainOnlySoOften(t *testing.T) {
	w := newTown(t)
	const most = 6
	s := account.New(account.Config{Store: w.db, Now: func() time.Time { return time.UnixMilli(0) }, Limits: account.Limits{Find: 1, FindBurst: most}})
	for i := range most + 1 {
		_, err := s.PersonFor(t.Context(), w.ann.ID, []chat.UserID{w.people["unlisted"].ID, goneID}[i%2])
		if limited := err != nil && chat.AsRefusal(err).Code == chat.RateLimited; limited != (i == most) || err == nil {
			t.Errorf("look %d: %v", i, err)
		}
	}
	if _, err := s.Card(t.Context(), w.bob.ID, goneID); chat.AsRefusal(err).Code != chat.NotFound {
		t.Errorf("another person: %v", err)
	}
	if _, err := s.PersonFor(t.Context(), w.ann.ID, w.bob.ID); err != nil {
		t.Errorf("who is there: %v", err)
	}
}
