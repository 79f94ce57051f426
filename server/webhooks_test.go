package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kamachat/server/hooks"
	"kamachat/server/servicetest"
	"kamachat/shared/chat"
)

// status asks and returns the status and the code of a refusal.
func status(t *testing.T, method, url, token string, in any) (int, chat.Code) {
	t.Helper()
	var body []byte // nothing, where there is nothing to say
	if in != nil {
		body, _ = json.Marshal(in)
	}
	req, _ := http.NewRequest(method, url, strings.NewReader(string(body)))
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var p struct{ Code chat.Code }
	_ = json.NewDecoder(res.Body).Decode(&p)
	return res.StatusCode, p.Code
}

// makeGroup makes a group of by and others.
func makeGroup(t *testing.T, url string, by *someone, others ...*someone) chat.ConvID {
	t.Helper()
	var ids []chat.UserID
	for _, o := range others {
		ids = append(ids, o.ID)
	}
	var made struct{ Group struct{ ID chat.ConvID } }
	call(t, "POST", url+"/api/v1/groups", by.token, map[string]any{"name": "programs", "members": ids}, &made)
	return made.Group.ID
}

// A listener is a program elsewhere that is told what is said.
type listener struct {
	*httptest.Server
	mu     sync.Mutex
	secret string
	fail   int // so many requests more
	texts  []string
	seqs   []int64
	bad    []string
}

func newListener(t *testing.T) *listener {
	l := &listener{}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.fail > 0 {
			l.fail--
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		said := r.Header.Get("X-Kama-Signature")
		var at int64
		_, _ = fmt.Sscanf(said, "t=%d,", &at)
		if said != hooks.Sign(l.secret, time.Unix(at, 0), body) {
			l.bad = append(l.bad, said)
		}
		var told hooks.Telling
		if err := json.Unmarshal(body, &told); err != nil {
			l.bad = append(l.bad, err.Error())
		}
		for _, m := range told.Entries {
			l.seqs = append(l.seqs, m.Seq)
			l.texts = append(l.texts, m.Content.Text)
		}
	}))
	t.Cleanup(l.Close)
	return l
}

func (l *listener) told() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.texts)
}

func TestProgramsPostAndAreTold(t *testing.T) {
	url := inProcess(t, "--hooks", "local")
	a, b := join(t, url, "ann"), join(t, url, "bob")
	group := makeGroup(t, url, a, b)
	base := url + "/api/v1/conversations/" + string(group) + "/hooks"
	l := newListener(t)
	l.fail = 2
	var out struct {
		Hook   chat.OutHook
		Secret string
	}
	call(t, "POST", base+"/out", a.token, map[string]string{"url": l.URL}, &out)
	l.mu.Lock()
	l.secret = out.Secret
	l.mu.Unlock()
	for i := range 120 { // more than are told at once, and the first tries fail
		a.say(group, fmt.Sprint("ann ", i))
	}
	var in struct {
		Hook chat.InHook
		Path string
	}
	call(t, "POST", base+"/in", a.token, map[string]string{"name": "Builds"}, &in)
	var posted struct{ Seq int64 }
	call(t, "POST", url+in.Path, "", map[string]string{"text": "build 7 is green"}, &posted)
	eventually(t, func() string { return fmt.Sprintf("the program was told %d texts", len(l.told())) }, func() bool {
		return slices.Contains(l.told(), "build 7 is green")
	})
	l.mu.Lock()
	if len(l.bad) > 0 {
		t.Errorf("signatures: %q", l.bad)
	}
	for i, seq := range l.seqs {
		if seq != l.seqs[0]+int64(i) {
			t.Fatalf("told out of order, twice or not at all: %v", l.seqs)
		}
	}
	l.mu.Unlock()
	var p chat.Page
	call(t, "GET", fmt.Sprintf("%s/api/v1/conversations/%s/messages?limit=1&before=%d", url, group, posted.Seq+1), b.token, nil, &p)
	if m := p.Entries[0]; m.Author != in.Hook.Bot || m.Content.Text != "build 7 is green" || len(p.People) != 1 || !p.People[0].Bot || p.People[0].Nickname != "Builds" {
		t.Errorf("stored is %+v by %+v", m, p.People)
	}

	// The same key is the same message, and a wrong secret is no webhook.
	req := func() (seq int64) {
		r, _ := http.NewRequest("POST", url+in.Path, strings.NewReader(`{"text":"once"}`))
		r.Header.Set("Idempotency-Key", "k1")
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		var got struct{ Seq int64 }
		if err := json.NewDecoder(res.Body).Decode(&got); err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%d, %v", res.StatusCode, err)
		}
		return got.Seq
	}
	if x, y := req(), req(); x != y || x == 0 {
		t.Errorf("the same key is stored as %d and %d", x, y)
	}
	for _, path := range []string{in.Path + "x", in.Path[:len(in.Path)-1], "/api/v1/hooks/" + in.Hook.ID + "/x", "/api/v1/hooks/none/x"} {
		if got, code := status(t, "POST", url+path, "", map[string]string{"text": "x"}); got != http.StatusNotFound {
			t.Errorf("%s: %d %s", path, got, code)
		}
	}

	// Only who administers the group has to do with them.
	c := join(t, url, "cat")
	for what, want := range map[string][3]int{ // member, stranger, nobody
		"GET ":                       {403, 404, 401},
		"POST /in":                   {403, 404, 401},
		"POST /out":                  {403, 404, 401},
		"DELETE /in/" + in.Hook.ID:   {403, 404, 401},
		"DELETE /out/" + out.Hook.ID: {403, 404, 401},
	} {
		method, path, _ := strings.Cut(what, " ")
		for i, token := range []string{b.token, c.token, ""} {
			if got, code := status(t, method, base+path, token, map[string]string{"name": "x", "url": l.URL}); got != want[i] {
				t.Errorf("%s as %d: %d %s, want %d", what, i, got, code, want[i])
			}
		}
	}

	// Its bot has no tokens: it would read on for who is no longer a member.
	if got, code := status(t, "POST", url+"/api/v1/bots/"+string(in.Hook.Bot)+"/tokens", a.token, map[string]any{"scopes": []string{"messages:read"}}); got != http.StatusForbidden {
		t.Errorf("a token for the bot of a webhook: %d %s", got, code)
	}

	// Ended, it is gone, and so is its bot.
	if got, _ := status(t, "DELETE", base+"/in/"+in.Hook.ID, a.token, nil); got != http.StatusNoContent {
		t.Errorf("to end it: %d", got)
	}
	if got, _ := status(t, "POST", url+in.Path, "", map[string]string{"text": "x"}); got != http.StatusNotFound {
		t.Errorf("posted by a webhook that ended: %d", got)
	}
}

// A webhook that nobody may see to any more is not told, and one on a public
// address only where --hooks local does not say otherwise.
func TestWebhooksDoNotReachFurtherThanTheirMakers(t *testing.T) {
	url := inProcess(t, "--hooks", "local")
	a, b := join(t, url, "ann"), join(t, url, "bob")
	group := makeGroup(t, url, a, b)
	base := url + "/api/v1/conversations/" + string(group) + "/hooks"
	l := newListener(t)
	var out struct{ Hook chat.OutHook }
	call(t, "POST", base+"/out", a.token, map[string]string{"url": l.URL}, &out)
	a.say(group, "before")
	eventually(t, func() string { return "told at first" }, func() bool { return slices.Contains(l.told(), "before") })

	// Its maker is removed: told no more, and its own address no longer taken.
	var in struct{ Path string }
	call(t, "POST", base+"/in", a.token, map[string]string{"name": "Builds"}, &in)
	members := url + "/api/v1/groups/" + string(group) + "/members/"
	if got, code := status(t, "PUT", members+string(b.ID)+"/role", a.token, map[string]string{"role": "owner"}); got >= 300 {
		t.Fatalf("hand over: %d %s", got, code)
	}
	if got, code := status(t, "DELETE", members+string(a.ID), b.token, nil); got >= 300 {
		t.Fatalf("remove: %d %s", got, code)
	}
	b.say(group, "after")
	eventually(t, func() string { return "the webhook says why it is not told" }, func() bool {
		var hooks struct{ Out []chat.OutHook }
		call(t, "GET", base, b.token, nil, &hooks)
		return len(hooks.Out) == 1 && hooks.Out[0].Problem != ""
	})
	if slices.Contains(l.told(), "after") {
		t.Error("who was removed is told on")
	}
	if got, code := status(t, "POST", url+in.Path, "", map[string]string{"text": "x"}); got != http.StatusNotFound {
		t.Errorf("who was removed posts on: %d %s", got, code)
	}

	careful := inProcess(t)
	d := join(t, careful, "dan")
	own := makeGroup(t, careful, d, d)
	for _, bad := range []string{l.URL, "https://127.0.0.1/x", "https://[::1]/", "ftp://example.org", "https://user:pw@example.org/", ""} {
		if got, code := status(t, "POST", careful+"/api/v1/conversations/"+string(own)+"/hooks/out", d.token, map[string]string{"url": bad}); got != http.StatusBadRequest {
			t.Errorf("%q: %d %s", bad, got, code)
		}
	}
}

func TestBotsActByTheirTokensAlone(t *testing.T) {
	url := inProcess(t)
	a, b := join(t, url, "ann"), join(t, url, "bob")
	var made struct{ Bot chat.Person }
	call(t, "POST", url+"/api/v1/bots", a.token, map[string]string{"username": "helper", "nickname": "Helper"}, &made)
	if !made.Bot.Bot {
		t.Errorf("made %+v", made.Bot)
	}
	tokens := url + "/api/v1/bots/" + string(made.Bot.ID) + "/tokens"
	var reads, writes struct {
		Secret string
		Token  chat.Token
	}
	call(t, "POST", tokens, a.token, map[string]any{"name": "r", "scopes": []string{"messages:read"}}, &reads)
	call(t, "POST", tokens, a.token, map[string]any{"scopes": []string{"messages:write"}}, &writes)
	say := url + "/api/v1/conversations/" + string(a.ID) + "/messages"
	for what, want := range map[string]struct {
		token  string
		status int
	}{
		"POST " + say:                 {writes.Secret, 200},
		"GET " + say:                  {reads.Secret, 200},
		"GET  " + say:                 {writes.Secret, 403},
		"POST  " + say:                {reads.Secret, 403},
		"GET " + url + "/api/v1/bots": {writes.Secret, 403},
		"POST " + tokens:              {writes.Secret, 403},
		"GET " + url + "/":            {writes.Secret, 403},
	} {
		method, at, _ := strings.Cut(what, " ")
		if got, code := status(t, method, strings.TrimSpace(at), want.token, map[string]any{"text": "hello", "scopes": []string{"messages:read"}}); got != want.status {
			t.Errorf("%s: %d %s, want %d", what, got, code, want.status)
		}
	}
	for what, in := range map[string]any{"no scopes": map[string]any{"scopes": []string{}}, "a scope that is none": map[string]any{"scopes": []string{"all"}}} {
		if got, _ := status(t, "POST", tokens, a.token, in); got != http.StatusBadRequest {
			t.Errorf("%s: %d", what, got)
		}
	}
	for _, method := range []string{"GET", "POST"} { // bob has nothing to do with it
		if got, _ := status(t, method, tokens, b.token, map[string]any{"scopes": []string{"messages:read"}}); got != http.StatusNotFound {
			t.Errorf("another's bot, %s: %d", method, got)
		}
	}
	if got, _ := status(t, "POST", url+"/api/v1/login", "", map[string]string{"username": "helper", "password": ""}); got != http.StatusUnauthorized {
		t.Errorf("a bot signs in without a password: %d", got)
	}
	if got, _ := status(t, "DELETE", tokens+"/"+writes.Token.ID, a.token, nil); got != http.StatusNoContent {
		t.Errorf("forget a token: %d", got)
	}
	if got, _ := status(t, "POST", say, writes.Secret, map[string]string{"text": "x"}); got != http.StatusUnauthorized {
		t.Errorf("a token that was forgotten: %d", got)
	}
	if got, _ := status(t, "DELETE", url+"/api/v1/bots/"+string(made.Bot.ID), a.token, nil); got != http.StatusNoContent {
		t.Errorf("end the bot: %d", got)
	}
	if got, _ := status(t, "GET", say, reads.Secret, nil); got != http.StatusUnauthorized {
		t.Errorf("a bot that ended: %d", got)
	}
}

// Two nodes on one database tell a webhook each entry, in order, and no more than
// once where nothing fails.
func TestNodesShareWebhooks(t *testing.T) {
	db := servicetest.MariaDB(t).Database()
	redis := servicetest.Redis(t)
	var urls []string
	for n := range 2 {
		urls = append(urls, inProcess(t, "--db", db, "--redis", redis.URL(), "--node", fmt.Sprint(n+1), "--hooks", "local"))
	}
	a, b := join(t, urls[0], "ann"), join(t, urls[1], "bob")
	group := makeGroup(t, urls[0], a, b)
	l := newListener(t)
	var out struct {
		Hook   chat.OutHook
		Secret string
	}
	call(t, "POST", urls[1]+"/api/v1/conversations/"+string(group)+"/hooks/out", a.token, map[string]string{"url": l.URL}, &out)
	l.mu.Lock()
	l.secret = out.Secret
	l.mu.Unlock()
	for i := range 100 {
		a.say(group, fmt.Sprint("ann ", i))
		b.say(group, fmt.Sprint("bob ", i))
	}
	eventually(t, func() string { return fmt.Sprintf("told %d of 200", len(l.told())) }, func() bool { return len(l.told()) >= 200 })
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, seq := range l.seqs {
		if seq != l.seqs[0]+int64(i) {
			t.Fatalf("told out of order, twice or not at all: %v", l.seqs)
		}
	}
}
