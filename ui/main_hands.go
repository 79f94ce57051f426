package main

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"kamachat/shared/chat"
	"kamachat/shared/words"
	"kamachat/ui/link"
	"kamachat/ui/local"
	"kamachat/ui/state"
)

// tries is after how many failed attempts to connect the server is asked
// whether the session still stands: a browser doesn't say why a socket failed.
const tries = 2

// hands do what the view intends: most of it by way of the link, the rest over HTTP.
type hands struct {
	*link.Client
	changed func(state.Change)
	replica *local.Replica
	me      chat.UserID                           // whose replica it is, "" where that could not be noted; under one
	asking  atomic.Bool                           // whether the session stands
	leaving atomic.Bool                           // the person signs out here and now
	notes   app.Value                             // of static/aside.js, where it is there
	files   app.Value                             // of static/attach.js, where it is there
	notice  func(state.Conv, *state.State) string // as view.Desk; nil where nobody is told
	persist sync.Once                             // the browser was asked not to clear what is kept
	one     sync.Mutex                            // what follows a change is done one after the other
}

// run keeps the connection for the life of the page.
func (h *hands) run() {
	for {
		err := h.guard()
		if err == link.ErrSignedOut {
			return
		}
		time.Sleep(time.Second)
	}
}

// guard runs the link and turns a panic of it into its end: the page then
// starts it again rather than dies.
func (h *hands) guard() (err error) {
	defer func() {
		if v := recover(); v != nil {
			app.Log("kamachat: the connection's code panicked:", v)
		}
	}()
	return h.Client.Run(context.Background())
}

// onChange passes a change to the view, and acts where the session is lost.
func (h *hands) onChange(ch state.Change) {
	h.changed(ch)
	h.replica.Changed(ch)
	h.heard(ch)
	if !ch.Link && !ch.Me {
		return
	}
	go func() {
		h.one.Lock()
		defer h.one.Unlock()
		if ch.Me {
			h.account()
		}
		var phase state.Phase
		h.Do(func(s *state.State) { phase = s.Status().Phase })
		switch {
		case phase == state.SignedOut && !h.leaving.Load():
			h.leave()
		case phase == state.Offline && h.Failures() >= tries && h.asking.CompareAndSwap(false, true):
			defer h.asking.Store(false)
			if signedOut(context.Background()) {
				h.Client.SignOut()
			}
		}
	}()
}

// Post implements view.Intents.
func (h *hands) Post(conv chat.ConvID, c chat.Content) {
	h.Client.Post(conv, c)
	h.persist.Do(func() { go browserStore{}.ask(context.Background(), "persist") }) // whatever the browser says
}

// SetLine implements view.Intents. What is deleted takes the draft along.
func (h *hands) SetLine(conv chat.ConvID, by chat.LineChange) {
	h.Client.SetLine(conv, by)
	if by.Clear > 0 {
		h.replica.Drafted(conv)
	}
}

// SignOut implements view.Intents by posting a real form, which leaves the page.
func (h *hands) SignOut() {
	var status state.Status
	h.Do(func(s *state.State) { status = s.Status() })
	status.Queued += h.filesWaiting()
	lang := words.Lang(language())
	switch {
	case status.Phase != state.Live: // the server would not hear of it
		app.Window().Call("alert", words.Say(lang, "signout.offline"))
		return
	case status.Queued > 0 && !app.Window().Call("confirm", words.Say(lang, "signout.queued", status.Queued)).Bool():
		return
	}
	h.leaving.Store(true)
	go func() {
		h.forget()
		submitSignOut()
	}()
}

func submitSignOut() {
	form := document().Call("createElement", "form")
	form.Set("method", "post")
	form.Set("action", "/logout")
	document().Get("body").Call("appendChild", form)
	form.Call("submit")
}

// leave goes to sign in, and then back here. The session has ended elsewhere:
// what was kept is wiped, unless posts wait in it. They go out when the same
// person signs in again.
func (h *hands) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), recallIn)
	defer cancel()
	if all, err := h.replica.Leave(ctx); all && err == nil {
		forgetWorker(ctx)
	}
	at := app.Window().Get("location")
	next := app.Window().Call("encodeURIComponent", at.Get("pathname").String()).String()
	at.Call("assign", "/login?next="+next)
}

// heap tells kamaHeap(), for measurements and the doctor, how many bytes are in use.
func heap() {
	app.Window().Set("kamaHeap", app.FuncOf(func(app.Value, []app.Value) any {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc)
	}))
}

// listen wakes the link when the browser comes online or into view.
func (h *hands) listen() {
	wake := app.FuncOf(func(app.Value, []app.Value) any {
		if document().Get("visibilityState").String() == "visible" {
			go h.Wake()
			go h.adopt()
		}
		return nil
	})
	app.Window().Call("addEventListener", "online", wake)
	app.Window().Call("addEventListener", "focus", wake)
	app.Window().Call("addEventListener", "pageshow", wake)
	document().Call("addEventListener", "visibilitychange", wake)
}
