package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"kamachat/server/classic"
	"kamachat/shared/chat"
)

// A seedClient is what the seed's JavaScript has after
//
//	const ws = new WebSocket(`ws://HOST/ws?client_id=${id}`)
//
// with the browser's cookie or, in other programs, a token.
type seedClient struct {
	t  *testing.T
	ws *websocket.Conn
	*someone
}

// A seedFrame is a message as the seed's server sends it.
type seedFrame struct {
	SendID     string `json:"send_id"`
	SendName   string `json:"send_name"`
	SendAvatar string `json:"send_avatar"`
	ReceiveID  string `json:"receive_id"`
	Type       int    `json:"type"`
	Content    string `json:"content"`
	URL        string `json:"url"`
	FileType   string `json:"file_type"`
	FileName   string `json:"file_name"`
	FileSize   string `json:"file_size"`
	CreatedAt  string `json:"created_at"`
}

func seedConnect(t *testing.T, url, path string, s *someone) *seedClient {
	t.Helper()
	ws, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(url, "http")+path+"?client_id="+string(s.ID)+"&token="+s.token, nil)
	if err != nil {
		t.Fatal(err)
	}
	ws.SetReadLimit(1 << 20)
	t.Cleanup(func() { _ = ws.CloseNow() })
	c := &seedClient{t: t, ws: ws, someone: s}
	if got := c.text(); got != classic.Greeting {
		t.Fatalf("onmessage got %q first, want the greeting", got)
	}
	return c
}

func (c *seedClient) text() string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 30*time.Second)
	defer cancel()
	_, p, err := c.ws.Read(ctx)
	if err != nil {
		c.t.Fatal(err)
	}
	return string(p)
}

// sendJSON is ws.send(JSON.stringify(message)).
func (c *seedClient) sendJSON(message map[string]any) {
	c.t.Helper()
	p, _ := json.Marshal(message)
	if err := c.ws.Write(c.t.Context(), websocket.MessageText, p); err != nil {
		c.t.Fatal(err)
	}
}

// message is one of the seed's, whose every field is there.
func (c *seedClient) message(typ int, to, content string) map[string]any {
	return map[string]any{
		"session_id": "S1", "type": typ, "content": content, "url": "", "send_id": c.ID, "send_name": "whoever", "send_avatar": "forged.png",
		"receive_id": to, "file_size": "", "file_type": "", "file_name": "", "av_data": "",
	}
}

// gets reads the next frame, which must be a message of from to to.
func (c *seedClient) gets(from *someone, to string) seedFrame {
	c.t.Helper()
	var f seedFrame
	p := c.text()
	if err := json.Unmarshal([]byte(p), &f); err != nil {
		c.t.Fatalf("%s: %v", p, err)
	}
	if f.SendID != string(from.ID) || f.SendName != from.Name() || f.SendAvatar != from.Avatar || f.ReceiveID != to {
		c.t.Errorf("%s got %s, want it from %s (%s) to %s", c.Username, p, from.ID, from.Name(), to)
	}
	if _, err := time.ParseInLocation(time.DateTime, f.CreatedAt, time.Local); err != nil {
		c.t.Errorf("created_at: %v", err)
	}
	return f
}

// TestSeedsSnippetsWorkAsWritten does what the seed's JavaScript does, on both
// names of the socket's address and with the rate limit that is the default.
func TestSeedsSnippetsWorkAsWritten(t *testing.T) {
	for name, flags := range databases(t) {
		for _, path := range []string{"/ws", "/wss"} {
			t.Run(name+path, func(t *testing.T) {
				seedsSnippets(t, inProcess(t, append([]string{"--rate-limit", "20/s:200"}, flags(t)...)...), path)
			})
		}
	}
}

func seedsSnippets(t *testing.T, url, path string) {
	ann, bob, cat := join(t, url, "ann"), join(t, url, "bob"), join(t, url, "cat")
	a, b := seedConnect(t, url, path, ann), seedConnect(t, url, path, bob)
	phone := seedConnect(t, url, path, ann)

	// To a person: the echo is the acknowledgement, one's other devices get it too.
	a.sendJSON(a.message(1, string(bob.ID), "你好"))
	for _, c := range []*seedClient{a, phone, b} {
		if f := c.gets(ann, string(bob.ID)); f.Type != 1 || f.Content != "你好" {
			t.Errorf("%s got %+v", c.Username, f)
		}
	}

	// To a group; cat has a native client.
	var made struct{ Group struct{ ID chat.ConvID } }
	call(t, "POST", url+"/api/v1/groups", ann.token, map[string]any{"name": "Tea", "members": []chat.UserID{bob.ID, cat.ID}}, &made)
	group := made.Group.ID
	b.sendJSON(b.message(1, string(group), "bob 0"))
	for _, c := range []*seedClient{a, phone, b} {
		if f := c.gets(bob, string(group)); f.Type != 1 || f.Content != "bob 0" {
			t.Errorf("%s got %+v", c.Username, f)
		}
	}
	agree(t, url, group, 1, cat)

	// A file, of a type longer than the seed's column, is seen live and in the history.
	m := a.message(2, string(bob.ID), "")
	mime := "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	m["url"], m["file_name"], m["file_type"], m["file_size"] = "/static/files/计划.docx", "计划.docx", mime, "47.1KB"
	a.sendJSON(m)
	for _, c := range []*seedClient{a, phone, b} {
		f := c.gets(ann, string(bob.ID))
		if f.Type != 2 || f.URL != m["url"] || f.FileName != m["file_name"] || f.FileType != mime || f.FileSize != "47.1KB" {
			t.Errorf("%s got %+v", c.Username, f)
		}
	}
	var page chat.Page
	call(t, "GET", url+"/api/v1/conversations/"+string(bob.ID)+"/messages", ann.token, nil, &page)
	if e := page.Entries[len(page.Entries)-1].Content.File; e == nil || e.Type != mime || e.Name != "计划.docx" {
		t.Errorf("the history ends with %+v", page.Entries[len(page.Entries)-1])
	}

	// 150 in a burst: for (let i = 0; i < 150; i++) ws.send(…). Nobody is told to wait.
	for i := range 150 {
		a.sendJSON(a.message(1, string(bob.ID), fmt.Sprint("burst ", i)))
	}
	for i := range 150 {
		for _, c := range []*seedClient{a, b} {
			if f := c.gets(ann, string(bob.ID)); f.Content != fmt.Sprint("burst ", i) {
				t.Fatalf("%s got %+v, want burst %d", c.Username, f, i)
			}
		}
	}

	// A bad frame is answered, and the connection stays.
	a.sendJSON(map[string]any{})
	var bad struct{ Code int }
	if p := a.text(); json.Unmarshal([]byte(p), &bad) != nil || bad.Code < 400 {
		t.Errorf("{} was answered with %s", p)
	}

	// fetch('/ws/logout', {method: 'POST', body: JSON.stringify({owner_id: id})})
	logout := map[string]string{"/ws": "/ws/logout", "/wss": "/user/wsLogout"}[path]
	var done struct {
		Code int
		Msg  string
	}
	call(t, "POST", url+logout, ann.token, map[string]any{"owner_id": ann.ID}, &done)
	if done.Code != 0 || done.Msg != "success" {
		t.Errorf("logging out was answered with %+v", done)
	}
	if p := a.text(); p != classic.Farewell {
		t.Errorf("the last message is %q, want the farewell", p)
	}
	if _, _, err := a.ws.Read(t.Context()); websocket.CloseStatus(err) == -1 {
		t.Errorf("after the farewell: %v, want a close", err)
	}
	b.sendJSON(b.message(1, string(cat.ID), "bob 0"))
	if f := b.gets(bob, string(cat.ID)); f.Content != "bob 0" {
		t.Errorf("the other's connection got %+v", f)
	}
}

// TestSeedsSocketIsForItsOwnerOnly: an id in the address proves nothing.
func TestSeedsSocketIsForItsOwnerOnly(t *testing.T) {
	url := inProcess(t)
	ann, bob := join(t, url, "ann"), join(t, url, "bob")
	for query, want := range map[string]int{
		"client_id=" + string(ann.ID):                         http.StatusUnauthorized,
		"client_id=" + string(ann.ID) + "&token=" + bob.token: http.StatusForbidden,
		"client_id=&token=" + bob.token:                       http.StatusBadRequest,
		"client_id=42&token=" + bob.token:                     http.StatusBadRequest,
	} {
		ws, res, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(url, "http")+"/ws?"+query, nil)
		if err == nil {
			_ = ws.CloseNow()
		}
		if res == nil || res.StatusCode != want {
			t.Errorf("%s: %v, %v, want %d", query, res, err, want)
		}
	}
}
