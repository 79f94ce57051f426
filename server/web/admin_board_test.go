package web

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"kamachat/server/account"
	"kamachat/server/admin"
	"kamachat/server/board"
	"kamachat/server/page"
	"kamachat/server/settings"
	"kamachat/shared/chat"
)

// overseen is a house with an administrator in a browser, and all that they oversee.
func overseen(t *testing.T, change ...func(*house, *Config)) (*house, chat.Person, *http.Client, *settings.Service) {
	t.Helper()
	var set *settings.Service
	h := openHouse(t, func(h *house, c *Config) {
		withRealHub(h, c)
		set = settings.New(h.db, nil)
		h.accounts = account.New(account.Config{Store: h.db, IDs: h.ids, Poster: c.Hub, Cheap: true, Limits: account.NoLimits, Policy: func() account.Policy {
			return account.Policy{Registration: set.Get().Registration}
		}})
		bc := board.Config{Store: h.db, Log: c.Hub.(board.Log), Node: "0", Live: func() board.Live { return board.Live{People: 7} }}
		c.Accounts, c.Settings, c.Board = h.accounts, set, board.New(bc)
		c.Admin = admin.New(admin.Config{Store: h.db, Passwords: h.accounts, Sockets: h.hub})
		for _, f := range change {
			f(h, c)
		}
	})
	boss := h.admin()
	return h, boss, h.signedIn(boss), set
}

func TestTheInstallationIsForAdministratorsAlone(t *testing.T) {
	h, boss, b, _ := overseen(t)
	nowhere := h.do(h.signedIn(h.ann), "GET", "/nowhere", nil)
	for route, want := range map[string]int{
		"GET /admin": 303, "GET /admin/overview": 200, "GET /admin/overview?span=7d&node=4": 200, "GET /admin/overview?span=x": 200,
		"GET /admin/settings": 200, "POST /admin/settings": 403, "GET /admin/invitations": 200, "POST /admin/invitations": 400, "POST /admin/invitations/withdraw": 404,
		"GET /admin/reports": 200, "GET /admin/reports?closed&after=5": 200, "GET /admin/reports?after=x": 404, "GET /admin/reports/5": 404, "GET /admin/reports/x": 404,
		"POST /admin/reports/5/close": 404, "POST /admin/reports/5/remove": 403,
	} {
		method, path, _ := strings.Cut(route, " ")
		if got := h.do(b, method, path, form()); got.status != want && route != "POST /admin/reports/5/remove" && route != "POST /admin/reports/5/close" {
			t.Errorf("%s as an administrator: %d, want %d", route, got.status, want)
		}
		if got := h.do(h.browser(), method, path, form()); got.status != 303 || !strings.HasPrefix(got.header.Get("Location"), "/login") {
			t.Errorf("%s as nobody: %d to %q", route, got.status, got.header.Get("Location"))
		}
		if got := h.do(h.signedIn(h.ann), method, path, form()); got.status != 404 || got.body != nowhere.body {
			t.Errorf("%s as somebody: %d %s", route, got.status, got.body)
		}
		if got := h.do(h.browser(), method, path, form(), bearerOf(h.token(boss))...); got.status != 404 {
			t.Errorf("%s with a program's token: %d", route, got.status)
		}
	}
}

func TestSettingsAreChangedByWhoSaysThePasswordAgain(t *testing.T) {
	h, _, b, set := overseen(t)
	all := []string{"registration", "invite", "posting", "contacts", "max_group", "50", "retention.days", "0", "retention.files_days", "0"}
	send := func(kv ...string) reply {
		return h.do(b, "POST", "/admin/settings", form(append(slices.Clone(all), kv...)...))
	}
	if got := send(); got.status != 403 || set.Get() != settings.Defaults || !strings.Contains(got.body, `<option value="invite" selected`) {
		t.Errorf("without the password: %d, %+v, and what was typed is not kept: %s", got.status, set.Get(), got.body)
	}
	if got := send("password", "wrong"); got.status != 403 || set.Get() != settings.Defaults {
		t.Errorf("with a wrong one: %d, %+v", got.status, set.Get())
	}
	want := settings.Values{Registration: chat.RegisterInvite, ContactsOnly: true, MaxGroup: 50}
	if got := send("password", "password1"); got.status != 303 || set.Get() != want {
		t.Errorf("with it: %d %s, %+v, want %+v", got.status, got.body, set.Get(), want)
	}
	if got := h.do(b, "GET", "/admin/settings?saved", nil); !strings.Contains(got.body, "within two seconds") || strings.Contains(got.body, `name="password"`) {
		t.Errorf("afterwards: %s", got.body)
	}
	if got := h.do(b, "POST", "/admin/settings", form("max_group", "1")); got.status != 400 || !strings.Contains(got.body, "from 2 to 10,000") || set.Get() != want {
		t.Errorf("one that can't be: %d %s", got.status, got.body)
	}
	if got, want := h.deeds(), []string{"set open → invite", "set anyone → contacts", "set 10000 → 50"}; !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))) {
		t.Errorf("noted are %q, want %q", got, want)
	}
}

func TestAnInvitationIsMadeUsedAndWithdrawn(t *testing.T) {
	h, _, b, set := overseen(t)
	if err := set.Change(t.Context(), chat.Deed{By: "Ux"}, map[string]string{settings.Registration: "invite"}); err != nil {
		t.Fatal(err)
	}
	for _, bad := range [][]string{{"most", "-1", "days", "1"}, {"most", "1", "days", "367"}, {"most", "", "days", "1"}, {"most", "1", "days", "1", "note", strings.Repeat("x", 101)}} {
		if got := h.do(b, "POST", "/admin/invitations", form(bad...)); got.status != 400 && got.status != 413 || !strings.Contains(got.body, `class="problem"`) {
			t.Errorf("%q: %d", bad, got.status)
		}
	}
	made := h.do(b, "POST", "/admin/invitations", form("note", "Hikers", "most", "1", "days", "14"))
	list := h.do(b, "GET", made.header.Get("Location"), nil)
	m := regexp.MustCompile(regexp.QuoteMeta(h.URL) + `/register\?invite=([A-Z2-7]{26})<`).FindStringSubmatch(list.body)
	if made.status != 303 || m == nil || !strings.Contains(list.body, "Hikers") || !strings.Contains(list.body, "used 0 of 1") {
		t.Fatalf("%d, and then %s", made.status, list.body)
	}
	code := m[1]
	if got := h.do(h.browser(), "POST", "/register", form("username", "cat", "password", "password1", "invite", code)); got.status != 303 {
		t.Errorf("with the link: %d %s", got.status, got.body)
	}
	if got := h.do(h.browser(), "POST", "/register", form("username", "dan", "password", "password1", "invite", code)); got.status != 403 {
		t.Errorf("a second time: %d", got.status)
	}
	if got := h.do(b, "GET", "/admin/invitations", nil); !strings.Contains(got.body, "used 1 of 1") || strings.Contains(got.body, "/register?invite="+code) {
		t.Errorf("used up: %s", got.body)
	}
	if got := h.do(b, "POST", "/admin/invitations/withdraw", form("code", code)); got.status != 303 {
		t.Errorf("withdrawn: %d", got.status)
	}
	if got := h.do(b, "POST", "/admin/invitations/withdraw", form("code", code)); got.status != 404 {
		t.Errorf("withdrawn twice: %d", got.status)
	}
	for _, d := range h.deeds() {
		if strings.Contains(d, code) {
			t.Errorf("the audit log gives the code away: %s", d)
		}
	}
}

func TestAReportLeadsToTheMessageAndItsRemoval(t *testing.T) {
	h, _, b, _ := overseen(t)
	ann, bob, cat := h.signedIn(h.ann), h.signedIn(h.bob), h.browser()
	if got := h.do(cat, "POST", "/register", form("username", "cat", "password", "password1")); got.status != 303 {
		t.Fatal(got.status)
	}
	to := "/c/" + string(h.ann.ID)
	conv := string(chat.Direct(h.ann.ID, h.bob.ID))
	for i := range 9 {
		h.do(bob, "POST", to, form("text", fmt.Sprintf("word%d.", i), "ref", fmt.Sprint(i)))
	}
	if got := h.do(ann, "GET", "/report?conv="+string(h.bob.ID)+"&seq=8", nil); got.status != 200 || !strings.Contains(got.body, "word7.") {
		t.Errorf("the form: %d %s", got.status, got.body)
	}
	if got := h.do(ann, "GET", "/report?conv="+conv, nil); got.status != 200 || strings.Count(got.body, "<option") != 9 {
		t.Errorf("the form to choose: %d %s", got.status, got.body)
	}
	for what, c := range map[string]struct {
		by   *http.Client
		form []string
		want int
	}{
		"no reason":        {ann, []string{"conv", conv, "seq", "8", "reason", " "}, 400},
		"too long":         {ann, []string{"conv", conv, "seq", "8", "reason", strings.Repeat("x", 501)}, 413},
		"no such message":  {ann, []string{"conv", conv, "seq", "99", "reason", "x"}, 404},
		"another's":        {cat, []string{"conv", conv, "seq", "8", "reason", "x"}, 403},
		"one's own":        {bob, []string{"conv", conv, "seq", "8", "reason", "x"}, 400},
		"nobody":           {ann, []string{"user", "Unobody", "reason", "x"}, 404},
		"not signed in":    {h.browser(), []string{"conv", conv, "seq", "8", "reason", "x"}, 303},
		"the message":      {ann, []string{"conv", conv, "seq", "8", "reason", "rude"}, 303},
		"the person":       {cat, []string{"user", string(h.bob.ID), "reason", "everywhere"}, 303},
		"nothing in there": {ann, []string{"reason", "x"}, 404},
	} {
		if got := h.do(c.by, "POST", "/report", form(c.form...)); got.status != c.want {
			t.Errorf("%s: %d, want %d: %s", what, got.status, c.want, got.body)
		}
	}
	if got := h.do(h.browser(), "POST", "/api/v1/reports", strings.NewReader(`{"conv":"`+conv+`","seq":8,"reason":"rude"}`), bearerOf(h.token(h.ann))...); got.status != 204 {
		t.Errorf("the same by the API: %d %s", got.status, got.body)
	}
	list := h.do(b, "GET", "/admin/reports", nil)
	ids := regexp.MustCompile(`/admin/reports/(\d+)"`).FindAllStringSubmatch(list.body, -1)
	if len(ids) != 2 || !strings.Contains(list.body, "everywhere") || strings.Contains(list.body, "word7.") {
		t.Fatalf("the list has %v: %s", ids, list.body)
	}
	reports, err := h.db.Reports(t.Context(), false, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	of := map[bool]string{} // whether it is about a message → its page
	for _, r := range reports {
		of[r.Conv != ""] = fmt.Sprint("/admin/reports/", r.ID)
	}
	page := h.do(b, "GET", of[true], nil)
	for _, want := range []string{"word2.", "word7.", "word8.", "rude"} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the report lacks %q", want)
		}
	}
	if strings.Contains(page.body, "word1.") {
		t.Error("the report shows more than five messages before")
	}
	if got := h.do(b, "POST", of[true]+"/remove", form()); got.status != 403 || !strings.Contains(got.body, `name="password"`) {
		t.Errorf("removed without the password: %d", got.status)
	}
	if got := h.do(b, "POST", of[true]+"/remove", form("password", "password1")); got.status != 303 {
		t.Errorf("removed: %d %s", got.status, got.body)
	}
	if got := h.do(ann, "GET", "/c/"+string(h.bob.ID), nil); strings.Contains(got.body, "word7.") || !strings.Contains(got.body, "word8.") {
		t.Error("the message is still there, or another is not")
	}
	if got := h.do(b, "POST", of[false]+"/remove", form()); got.status != 400 {
		t.Errorf("removing what is no message: %d", got.status)
	}
	if got := h.do(b, "POST", of[false]+"/close", form("outcome", "nonsense")); got.status != 400 {
		t.Errorf("closed with nonsense: %d", got.status)
	}
	if got := h.do(b, "POST", of[false]+"/close", form("outcome", "dismissed")); got.status != 303 {
		t.Errorf("closed: %d", got.status)
	}
	if got := h.do(b, "POST", of[true]+"/close", form("outcome", "dismissed")); got.status != 400 {
		t.Errorf("closed twice: %d", got.status)
	}
	if got := h.do(b, "GET", of[true], nil); !strings.Contains(got.body, "word7.") || !strings.Contains(got.body, "message removed") {
		t.Errorf("what it said is no longer known: %s", got.body)
	}
	looks := 0
	for _, d := range h.deeds() {
		if strings.HasPrefix(d, "look ") {
			looks++
		}
	}
	if deeds := h.deeds(); looks < 2 || !slices.Contains(deeds, "remove 8, "+string(h.bob.ID)) || !slices.Contains(deeds, "close removed") || !slices.Contains(deeds, "close dismissed") {
		t.Errorf("noted are %q", deeds)
	}
}

func TestTheOverviewFollows(t *testing.T) {
	const people = `data-tile="people"><h2>People online</h2><b>7</b>`
	for path, want := range map[string]struct{ kind, begins string }{
		"/admin/overview/live": {"text/event-stream", "event: tiles"}, "/admin/overview/stream": {"text/html; charset=utf-8", "<!doctype html>"},
	} {
		t.Run(path, func(t *testing.T) {
			h, boss, b, _ := overseen(t)
			if err := h.db.SetAdmin(t.Context(), chat.Deed{What: "x"}, h.ann.ID, true); err != nil { // somebody has to stay
				t.Fatal(err)
			}
			res, err := b.Get(h.URL + path)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if kind := res.Header.Get("Content-Type"); res.StatusCode != 200 || kind != want.kind {
				t.Fatalf("%d %s", res.StatusCode, kind)
			}
			var got strings.Builder
			for p := make([]byte, 64<<10); ; {
				n, err := res.Body.Read(p)
				got.Write(p[:n])
				if strings.Contains(got.String(), people) && err == nil { // who is no administrator any more is told nothing more
					if err := h.db.SetAdmin(t.Context(), chat.Deed{What: "x"}, boss.ID, false); err != nil {
						t.Fatal(err)
					}
				}
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if n := strings.Count(got.String(), people); !strings.HasPrefix(got.String(), want.begins) || n < 1 || strings.Contains(got.String(), page.StreamMark) {
				t.Errorf("the numbers came %d times in %s", n, got.String())
			}
		})
	}
}
