package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/coder/websocket"

	"kamachat/server/account"
	"kamachat/server/room"
	"kamachat/server/session"
	"kamachat/server/store"
	"kamachat/server/store/storetest"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// hub is a Hub in memory: it stores what is posted and remembers whose sockets
// it was told to close.
type hub struct {
	mu     sync.Mutex
	logs   map[chat.ConvID][]chat.Message
	closed map[string]chan struct{} // by login
	users  []chat.UserID            // CloseUser
	fail   error
	lined  []string // SetLine, whose and of what
	line   chat.Line
	bonds  map[chat.UserID]chat.Bond
}

func (h *hub) PostWait(_ context.Context, d chat.Draft) (chat.Message, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fail != nil {
		return chat.Message{}, h.fail
	}
	for _, m := range h.logs[d.Conv] {
		if m.Author == d.Author && m.Ref == d.Ref {
			return m, nil
		}
	}
	seq := int64(len(h.logs[d.Conv]) + 1)
	m := chat.Message{ID: seq, Conv: d.Conv, Seq: seq, Author: d.Author, Ref: d.Ref, At: 1, Content: d.Content}
	h.logs[d.Conv] = append(h.logs[d.Conv], m)
	return m, nil
}

func (h *hub) Renew(context.Context, chat.ConvID, ...chat.UserID) error { return nil }

func (h *hub) Unsee(context.Context, chat.UserID, bool) error { return nil }

func (h *hub) Here(context.Context, chat.UserID, ...chat.UserID) []chat.UserID { return nil }

// Lines lists the logs by their names; a cursor is the name of the last.
func (h *hub) Lines(_ context.Context, _ chat.UserID, ask wire.List) (l wire.Listed, _ error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range slices.Sorted(maps.Keys(h.logs)) {
		switch {
		case string(c) <= ask.After || len(ask.IDs) > 0 && !slices.Contains(ask.IDs, c):
		case ask.Limit > 0 && len(l.Convs) == ask.Limit:
			l.Next = string(l.Convs[ask.Limit-1].Conv)
		default:
			l.Convs = append(l.Convs, chat.Summary{Conv: c, LastSeq: int64(len(h.logs[c]))})
		}
	}
	return l, nil
}

func (h *hub) Before(_ context.Context, _ chat.UserID, conv chat.ConvID, _ int64, limit int) (chat.Page, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	ms := h.logs[conv]
	return chat.Page{Conv: conv, Entries: ms[max(0, len(ms)-limit):], LastSeq: int64(len(ms))}, nil
}

func (h *hub) Seen(context.Context, chat.UserID, chat.Marks) error { return nil }

func (h *hub) CloseUser(_ context.Context, u chat.UserID, _ string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.users = append(h.users, u)
	return nil
}

func (h *hub) CloseLogin(_ context.Context, _ chat.UserID, login, _ string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if c := h.closed[login]; c != nil {
		close(c)
		delete(h.closed, login)
	}
	return nil
}

// serve says who is on the socket and waits until the login is closed.
func (h *hub) serve(c *session.Socket, p chat.Person, login, _ string, native bool, place Place) {
	done := make(chan struct{})
	h.mu.Lock()
	h.closed[login] = done
	h.mu.Unlock()
	go func() {
		defer place.Free()
		defer c.CloseNow()
		ctx := c.CloseRead(context.Background())
		c.Write(ctx, websocket.MessageText, fmt.Appendf(nil, "%s %v", p.ID, native))
		select {
		case <-done:
			c.Close(websocket.StatusNormalClosure, "signed out")
		case <-ctx.Done():
		}
	}()
}

// places counts the places that are held, and refuses where it was told to.
type places struct {
	mu        sync.Mutex
	held      int
	all, mine error
}

func (p *places) admit(string) (Place, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all != nil {
		return nil, p.all
	}
	p.held++
	return p, nil
}

func (p *places) For(chat.UserID) error { return p.mine }

func (p *places) Free() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held--
}

// house is a running server with real people in it.
type house struct {
	real *room.Hub // where it has one
	*httptest.Server
	db       *store.DB
	path     string // of the database
	ids      *chat.IDs
	t        *testing.T
	hub      *hub
	places   places
	accounts *account.Service
	logs     *bytes.Buffer
	ann, bob chat.Person
}

func open(t *testing.T, change ...func(*Config)) *house {
	t.Helper()
	return openHouse(t, func(_ *house, c *Config) {
		for _, f := range change {
			f(c)
		}
	})
}

func openHouse(t *testing.T, change func(*house, *Config)) *house {
	t.Helper()
	ids := storetest.IDs()
	path := filepath.Join(t.TempDir(), "t.db")
	db := storetest.Open(t, "sqlite:"+path, store.Options{ID: ids.Next})
	h := &house{t: t, db: db, path: path, ids: ids, hub: &hub{logs: map[chat.ConvID][]chat.Message{}, closed: map[string]chan struct{}{}}, logs: &bytes.Buffer{}}
	h.accounts = account.New(account.Config{Store: db, IDs: ids, Poster: h.hub, Cheap: true, Limits: account.NoLimits})
	c := Config{
		Accounts: h.accounts, Hub: h.hub, Sessions: NewSessions(db.Logins()), Serve: h.hub.serve, Admit: h.places.admit,
		Static: fstest.MapFS{}, Build: "test", Log: slog.New(slog.NewTextHandler(h.logs, nil)),
	}
	change(h, &c)
	handler, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	h.Server = httptest.NewServer(held(t, handler))
	t.Cleanup(h.Close)
	for name, p := range map[string]*chat.Person{"ann": &h.ann, "bob": &h.bob} {
		if *p, err = h.accounts.Register(t.Context(), name, "password1", ""); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

func (h *house) token(p chat.Person) string {
	h.t.Helper()
	tok, err := h.accounts.IssueToken(h.t.Context(), p.ID)
	if err != nil {
		h.t.Fatal(err)
	}
	return tok
}

// browser is a client with cookies that does not follow redirects.
func (h *house) browser() *http.Client {
	jar, _ := cookiejar.New(nil)
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// signedIn is a browser in which p signed in.
func (h *house) signedIn(p chat.Person) *http.Client {
	h.t.Helper()
	b := h.browser()
	if got := h.do(b, "POST", "/login", form("username", p.Username, "password", "password1")); got.status != 303 {
		h.t.Fatalf("sign-in: %d %s", got.status, got.body)
	}
	return b
}

type reply struct {
	status int
	header http.Header
	body   string
}

// do makes a request; extra are names and values of headers.
func (h *house) do(c *http.Client, method, path string, body io.Reader, extra ...string) reply {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), method, h.URL+path, body)
	if err != nil {
		h.t.Fatal(err)
	}
	switch body.(type) {
	case *formBody:
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	case *strings.Reader:
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(extra); i += 2 {
		req.Header.Set(extra[i], extra[i+1])
	}
	res, err := c.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return reply{res.StatusCode, res.Header, string(b)}
}

type formBody struct{ io.Reader }

func form(kv ...string) *formBody {
	v := url.Values{}
	for i := 0; i < len(kv); i += 2 {
		v.Add(kv[i], kv[i+1])
	}
	return &formBody{strings.NewReader(v.Encode())}
}

// bearerOf is the header of a request with a token.
func bearerOf(token string) []string { return []string{"Authorization", "Bearer " + token} }

func decode[T any](t *testing.T, r reply) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(r.body), &v); err != nil {
		t.Fatalf("%v in %d %q", err, r.status, r.body)
	}
	return v
}

var errBoom = errors.New("the disk with hunter2 on it is full")

func (h *hub) At(_ context.Context, _ chat.UserID, _ chat.ConvID, at int64) (int64, error) {
	return at / 1000, nil
}
