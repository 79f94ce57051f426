package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"kamachat/shared/chat"
	"kamachat/ui/local"
	"kamachat/ui/state"
)

// A boot is what the server put into the page besides what is painted. The
// shell that the service worker keeps has none of it.
type boot struct {
	Me     *chat.Person   `json:"me"`
	Convs  []chat.Summary `json:"convs"`
	People []chat.Person  `json:"people"`
	Page   *chat.Page     `json:"page"`
	Build  string         `json:"build"`
	Epoch  string         `json:"epoch"`
}

// readBoot reads the page's block of data. A page without one boots empty.
func readBoot() (b boot) {
	if !app.IsClient {
		return b
	}
	if n := app.Window().GetElementByID("boot"); n.Truthy() {
		if err := json.Unmarshal([]byte(n.Get("textContent").String()), &b); err != nil {
			app.Log("kamachat: the page's data can't be read:", err)
		}
	}
	return b
}

// into starts st with what the page knew, and with what was kept in this
// browser. The error says why nothing can be kept.
func (b boot) into(st *state.State) error {
	if !app.IsClient {
		return nil
	}
	if b.Me != nil {
		st.Boot(*b.Me, b.Convs, b.People, b.Page)
		st.In(b.Epoch)
		k, err := begin(b.Me.ID, b.Epoch)
		st.RecallOwn(k)
		return err
	}
	k, err := begin("", "")
	st.Recall(k)
	conv := chat.ConvID(strings.TrimPrefix(app.Window().URL().Path, "/c/"))
	if u := chat.UserID(conv); u.Valid() && k.Me.ID != "" {
		conv = chat.Direct(k.Me.ID, u)
	}
	if conv.Valid() && err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), recallIn)
		defer cancel()
		if pages, err := (browserStore{}).Pages(ctx, conv, -1, 2); err == nil {
			st.Remember(conv, local.Before(pages, 0))
		}
	}
	return err
}

// tab is what this page is called by the others of this browser.
func tab() string {
	if !app.IsClient || !kamaStore().Truthy() {
		return ""
	}
	return kamaStore().Get("tab").String()
}

// language is the page's, as the server decided it.
func language() string {
	if app.IsClient {
		if l := document().Get("documentElement").Get("lang").String(); l != "" {
			return l
		}
	}
	return "en"
}

// socketURL is the address of the socket on the server that the page came from.
func socketURL() string {
	if !app.IsClient {
		return ""
	}
	at := app.Window().Get("location")
	return strings.Replace(at.Get("origin").String(), "http", "ws", 1) + "/ws"
}

// device is a name of this browser that stays, or of this page where nothing can be kept.
func device() string {
	if !app.IsClient {
		return ""
	}
	const key = "device"
	name := rand.Text()
	defer func() { _ = recover() }() // storage may be forbidden, and then throws
	store := app.Window().Get("localStorage")
	if kept := store.Call("getItem", key); kept.Truthy() {
		return kept.String()
	}
	store.Call("setItem", key, name)
	return name
}

func document() app.Value { return app.Window().Get("document") }

func mark(name string) {
	if app.IsClient {
		app.Window().Get("performance").Call("mark", name)
	}
}
