package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"kamachat/shared/chat"
)

// A person is an account that is used through the API.
type person struct {
	t       testing.TB
	base    string
	token   string
	cookies []*http.Cookie
	chat.Person
}

// join makes an account.
func join(t testing.TB, s *server, username, nickname string) *person {
	t.Helper()
	p := &person{t: t, base: s.url}
	var out struct {
		User  chat.Person
		Token string
	}
	p.cookies = p.call("POST", "/api/v1/register", map[string]string{
		"username": username, "nickname": nickname, "password": "correct horse " + username,
	}, &out)
	p.Person, p.token = out.User, out.Token
	return p
}

// call asks the server and returns the cookies that it sets.
func (p *person) call(method, path string, in, out any) []*http.Cookie {
	p.t.Helper()
	var body []byte // nothing, where there is nothing to say
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			p.t.Fatal(err)
		}
	}
	req, err := http.NewRequest(method, p.base+path, bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if p.token != "" {
		req.Header.Set("Authorization", "Bearer "+p.token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode/100 != 2 {
		p.t.Fatalf("%s %s: %s %s %v", method, path, resp.Status, text, err)
	}
	if out != nil {
		if err := json.Unmarshal(text, out); err != nil {
			p.t.Fatal(err)
		}
	}
	return resp.Cookies()
}

// says posts texts, one after the other.
func (p *person) says(conv chat.ConvID, texts ...string) {
	p.t.Helper()
	for _, text := range texts {
		p.call("POST", "/api/v1/conversations/"+string(conv)+"/messages", map[string]string{"text": text}, nil)
	}
}

// group makes a group.
func (p *person) group(name string, with ...*person) chat.ConvID {
	p.t.Helper()
	ids := make([]chat.UserID, len(with))
	for i, m := range with {
		ids[i] = m.ID
	}
	var out struct{ Group struct{ ID chat.ConvID } }
	p.call("POST", "/api/v1/groups", map[string]any{"name": name, "members": ids}, &out)
	return out.Group.ID
}

func (p *person) with(o *person) chat.ConvID { return chat.Direct(p.ID, o.ID) }

// beside opens a window of its own in the same browser: own cookies, own storage.
func (p *page) beside(width, height int64) *page {
	p.Helper()
	ctx, cancel := chromedp.NewContext(p.ctx, chromedp.WithNewBrowserContext())
	p.Cleanup(cancel)
	n := &page{TB: p.TB, ctx: ctx, base: p.base}
	n.open(width, height)
	return n
}

// as signs the browser in as who.
func (p *page) as(who *person) *page {
	p.Helper()
	for _, c := range who.cookies {
		p.cookie(c.Name, c.Value)
	}
	return p
}

func (p *page) cookie(name, value string) {
	p.Helper()
	u, err := url.Parse(p.base)
	if err != nil {
		p.Fatal(err)
	}
	only := true
	if _, err := chromedp.Call(p.ctx, network.SetCookie, network.SetCookieParams{
		Name: name, Value: value, Domain: u.Hostname(), Path: "/", HTTPOnly: &only,
	}); err != nil {
		p.Fatal(err)
	}
}
