package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"kamachat/shared/chat"
)

// answerIn bounds a request to the server.
const answerIn = 15 * time.Second

// Search implements view.Intents.
func (h *hands) Search(ctx context.Context, q string) ([]chat.Person, error) {
	var out struct {
		People []chat.Person `json:"people"`
	}
	err := call(ctx, http.MethodGet, "/api/v1/people?q="+url.QueryEscape(q), nil, &out)
	return out.People, err
}

// MakeGroup implements view.Intents.
func (h *hands) MakeGroup(ctx context.Context, name string, members []chat.UserID) (chat.ConvID, error) {
	var out struct {
		Group struct {
			ID chat.ConvID `json:"id"`
		} `json:"group"`
	}
	err := call(ctx, http.MethodPost, "/api/v1/groups", map[string]any{"name": name, "members": members}, &out)
	return out.Group.ID, err
}

// signedOut asks whether the server has forgotten the session. Where the
// server can't be reached it has not.
func signedOut(ctx context.Context) bool {
	r := chat.AsRefusal(call(ctx, http.MethodGet, "/api/v1/me", nil, &struct{}{}))
	return r != nil && r.Code == chat.SignedOut
}

// call asks the server over HTTP, which in a browser is fetch. What the server
// refuses comes back as a *chat.Refusal.
func call(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	origin := app.Window().Get("location").Get("origin").String()
	req, err := http.NewRequestWithContext(ctx, method, origin+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode < 300 {
		return json.NewDecoder(resp.Body).Decode(out)
	}
	var p struct {
		Code   chat.Code `json:"code"`
		Detail string    `json:"detail"`
	}
	_ = json.NewDecoder(resp.Body).Decode(&p) // the status alone will do
	if resp.StatusCode == http.StatusUnauthorized {
		p.Code = chat.SignedOut
	}
	return chat.Refuse(p.Code, p.Detail)
}
