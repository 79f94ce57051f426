package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"kamachat/shared/chat"
)

// answerIn bounds a request to the server.
const answerIn = 15 * time.Second

var errFetch = errors.New("the server can't be reached")

// Search implements view.Intents.
func (h *hands) Search(ctx context.Context, q string) ([]chat.Person, error) {
	var out struct {
		People []chat.Person `json:"people"`
	}
	err := call(ctx, "GET", "/api/v1/people?q="+url.QueryEscape(q), nil, &out)
	return out.People, err
}

// MakeGroup implements view.Intents.
func (h *hands) MakeGroup(ctx context.Context, name string, by chat.Joining, members []chat.UserID) (chat.ConvID, error) {
	in := struct {
		Name    string        `json:"name"`
		Joining chat.Joining  `json:"joining,omitempty"`
		Members []chat.UserID `json:"members"`
	}{name, by, members}
	var out struct {
		Group struct {
			ID chat.ConvID `json:"id"`
		} `json:"group"`
	}
	err := call(ctx, "POST", "/api/v1/groups", in, &out)
	return out.Group.ID, err
}

// signedOut asks whether the server has forgotten the session. Where the
// server can't be reached it has not.
func signedOut(ctx context.Context) bool {
	var r *chat.Refusal
	return errors.As(call(ctx, "GET", "/api/v1/me", nil, nil), &r) && r.Code == chat.SignedOut
}

// call asks the server over HTTP. It uses the browser's fetch itself: net/http's
// client would make the program twice as large. What the server refuses comes
// back as a *chat.Refusal.
func call(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	abort := app.Window().Get("AbortController").New()
	defer context.AfterFunc(ctx, func() { abort.Call("abort") })()

	options := map[string]any{"method": method, "signal": abort.Get("signal"), "cache": "no-store"}
	if in != nil {
		body, err := json.Marshal(in)
		if err != nil {
			return err
		}
		options["body"] = string(body)
		options["headers"] = map[string]any{"Content-Type": "application/json"}
	}
	resp, err := await(context.Background(), app.Window().Call("fetch", path, options))
	if err != nil {
		return errors.Join(errFetch, err, ctx.Err())
	}
	text, err := await(context.Background(), resp.Call("text"))
	if err != nil {
		return errors.Join(errFetch, err, ctx.Err())
	}
	body := []byte(text.String())
	if resp.Get("ok").Truthy() {
		if out == nil {
			return nil
		}
		return json.Unmarshal(body, out)
	}
	var p struct {
		Code   chat.Code `json:"code"`
		Detail string    `json:"detail"`
	}
	_ = json.Unmarshal(body, &p) // the status alone will do
	if resp.Get("status").Int() == 401 {
		p.Code = chat.SignedOut
	}
	return chat.Refuse(p.Code, p.Detail)
}

// A thrown is why a promise was rejected.
type thrown struct{ name, message string }

func (t *thrown) Error() string { return t.name + ": " + t.message }

// await blocks until promise is settled, or ctx ends. It must not be called on
// the goroutine of an event.
func await(ctx context.Context, promise app.Value) (app.Value, error) {
	done := make(chan app.Value, 1)
	failed := make(chan error, 1)
	then := app.FuncOf(func(_ app.Value, args []app.Value) any {
		done <- args[0]
		return nil
	})
	catch := app.FuncOf(func(_ app.Value, args []app.Value) any {
		failed <- &thrown{args[0].Get("name").String(), args[0].Get("message").String()}
		return nil
	})
	release := func() {
		then.Release()
		catch.Release()
	}
	promise.Call("then", then, catch)
	select {
	case v := <-done:
		release()
		return v, nil
	case err := <-failed:
		release()
		return nil, err
	case <-ctx.Done(): // who is called later must still be there
		return nil, ctx.Err()
	}
}
