package web

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// dial tries to open a socket and answers what came back.
func (h *house) dial(path string, o *websocket.DialOptions) (*websocket.Conn, int, string) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 5*time.Second)
	defer cancel()
	c, res, err := websocket.Dial(ctx, h.URL+path, o)
	if err == nil {
		h.t.Cleanup(func() { c.CloseNow() })
		return c, res.StatusCode, ""
	}
	if res == nil {
		h.t.Fatal(err)
	}
	b, _ := io.ReadAll(res.Body)
	return nil, res.StatusCode, strings.TrimSpace(string(b))
}

func TestPlainGetOnTheSocketAddressIs426(t *testing.T) {
	h := open(t)
	for _, path := range []string{"/ws", "/wss", "/ws?client_id=U1"} {
		if got := h.do(http.DefaultClient, "GET", path, nil); got.status != 426 {
			t.Errorf("%s: got %d", path, got.status)
		}
	}
	if got := h.do(http.DefaultClient, "GET", "/healthz", nil); got.status != 200 {
		t.Errorf("afterwards: %d", got.status)
	}
}

func TestSocketIsForTheSignedInPersonOnly(t *testing.T) {
	h := open(t)
	tok := h.token(h.ann)
	auth := http.Header{"Authorization": {"Bearer " + tok}}
	native := []string{"kamachat.v1"}
	cookie := h.signedIn(h.ann)
	ann, bob := string(h.ann.ID), string(h.bob.ID)
	for name, c := range map[string]struct {
		path   string
		o      websocket.DialOptions
		status int
		body   string
	}{
		"client_id alone":              {"/ws?client_id=" + ann, websocket.DialOptions{}, 401, `{"code":401,"msg":"请先登录","data":null}`},
		"no client_id":                 {"/ws", websocket.DialOptions{HTTPHeader: auth}, 400, `{"code":400,"msg":"clientId获取失败","data":null}`},
		"bad client_id":                {"/wss?client_id=42", websocket.DialOptions{HTTPHeader: auth}, 400, `{"code":400,"msg":"clientId获取失败","data":null}`},
		"another's client_id":          {"/ws?client_id=" + bob, websocket.DialOptions{HTTPHeader: auth}, 403, ""},
		"classic with token":           {"/ws?client_id=" + ann, websocket.DialOptions{HTTPHeader: auth}, 101, ann + " false"},
		"classic, token in address":    {"/wss?client_id=" + ann + "&token=" + tok, websocket.DialOptions{}, 101, ann + " false"},
		"classic with cookie":          {"/ws?client_id=" + ann, websocket.DialOptions{HTTPClient: cookie}, 101, ann + " false"},
		"native with cookie":           {"/ws", websocket.DialOptions{HTTPClient: cookie, Subprotocols: native}, 101, ann + " true"},
		"native, not signed in":        {"/ws?client_id=" + ann, websocket.DialOptions{Subprotocols: native}, 401, ""},
		"another site with the cookie": {"/ws", websocket.DialOptions{HTTPClient: cookie, Subprotocols: native, HTTPHeader: http.Header{"Origin": {"https://evil.example"}}}, 403, ""},
	} {
		t.Run(name, func(t *testing.T) {
			conn, status, body := h.dial(c.path, &c.o)
			if conn != nil {
				_, p, err := conn.Read(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				body = string(p)
			}
			if status != c.status || c.body != "" && body != c.body {
				t.Errorf("got %d %q, want %d %q", status, body, c.status, c.body)
			}
		})
	}
}

func TestListedOriginMayOpenASocket(t *testing.T) {
	h := open(t, func(c *Config) { c.Origins = []string{"*.friend.example"} })
	cookie := h.signedIn(h.ann)
	for origin, want := range map[string]int{"https://a.friend.example": 101, "https://friend.example.evil": 403} {
		_, got, _ := h.dial("/ws", &websocket.DialOptions{
			HTTPClient: cookie, Subprotocols: []string{"kamachat.v1"}, HTTPHeader: http.Header{"Origin": {origin}},
		})
		if got != want {
			t.Errorf("%s: got %d, want %d", origin, got, want)
		}
	}
}

func TestSignOutClosesTheSocketsOfThatLogin(t *testing.T) {
	h := open(t)
	tok := h.token(h.ann)
	auth := http.Header{"Authorization": {"Bearer " + tok}}
	cookie, other := h.signedIn(h.ann), h.signedIn(h.ann)
	native := []string{"kamachat.v1"}
	open := func(o websocket.DialOptions) *websocket.Conn {
		o.Subprotocols = native
		c, status, body := h.dial("/ws", &o)
		if c == nil {
			t.Fatal(status, body)
		}
		if _, _, err := c.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
		return c
	}
	byToken, byCookie, byOther := open(websocket.DialOptions{HTTPHeader: auth}), open(websocket.DialOptions{HTTPClient: cookie}), open(websocket.DialOptions{HTTPClient: other})
	h.do(http.DefaultClient, "POST", "/api/v1/logout", nil, bearerOf(tok)...)
	h.do(cookie, "POST", "/logout", nil)
	for name, c := range map[string]*websocket.Conn{"token": byToken, "cookie": byCookie} {
		if _, _, err := c.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusNormalClosure {
			t.Errorf("socket by %s: got %v", name, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, err := byOther.Read(ctx); websocket.CloseStatus(err) != -1 || ctx.Err() == nil {
		t.Errorf("the other login's socket: got %v", err)
	}
}

func TestClassicLogoutIsForOneselfOnly(t *testing.T) {
	h := open(t)
	auth := bearerOf(h.token(h.ann))
	for name, c := range map[string]struct {
		body string
		auth []string
		want string
	}{
		"oneself":       {fmt.Sprintf(`{"owner_id":%q}`, h.ann.ID), auth, `200 {"code":0,"msg":"success","data":null}`},
		"another":       {fmt.Sprintf(`{"owner_id":%q}`, h.bob.ID), auth, `403 {"code":403,"msg":"只能退出自己的登录","data":null}`},
		"nobody":        {`{}`, auth, `403 {"code":403,"msg":"只能退出自己的登录","data":null}`},
		"not signed in": {fmt.Sprintf(`{"owner_id":%q}`, h.ann.ID), nil, `401 {"code":401,"msg":"请先登录","data":null}`},
		"not JSON":      {`x`, auth, `400 {"code":400,"msg":"参数错误","data":null}`},
	} {
		for _, path := range []string{"/ws/logout", "/user/wsLogout"} {
			r := h.do(http.DefaultClient, "POST", path, strings.NewReader(c.body), c.auth...)
			if got := fmt.Sprint(r.status, " ", strings.TrimSpace(r.body)); got != c.want {
				t.Errorf("%s at %s: got %s, want %s", name, path, got, c.want)
			}
		}
	}
	if len(h.hub.users) != 2 || h.hub.users[0] != h.ann.ID {
		t.Errorf("closed %v", h.hub.users)
	}
}
