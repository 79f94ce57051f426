// Command ui is the program of the browser. It joins what the browser knows
// (ui/state) with the connection to the server (ui/link) and the page
// (ui/view), and starts go-app.
package main

import (
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"kamachat/shared/words"
	"kamachat/ui/link"
	"kamachat/ui/local"
	"kamachat/ui/state"
	"kamachat/ui/view"
)

// silence is how long the server may be quiet until it is asked for a sign of life.
const silence = 45 * time.Second

func main() {
	mark("go-main")
	b := readBoot()
	st := state.New()
	st.CallGone(words.Say(words.Lang(language()), "person.gone"))
	keeps := b.into(st)

	d := &view.Desk{Lang: language(), Zone: time.Local, Now: time.Now}
	h := &hands{changed: d.Changed}
	h.Client = link.New(link.Config{
		URL: socketURL(), Device: device(), Build: b.Build, Silence: silence, OnChange: h.onChange,
	}, st)
	d.Do, d.Intents = h.Client.Do, h
	h.replica = local.NewReplica(browserStore{}, tab(), h.Client.Do, d.Keeping)
	h.replica.Began(st.Unsent(), keeps)
	if keeps != nil && b.Epoch != "" { // what is kept may be of another
		h.replica.Changed(state.Change{Anew: true})
	}
	if keeps != nil {
		app.Log("kamachat: nothing is kept:", keeps)
	} else {
		h.me = st.Me().ID
	}
	d.Keeping(keeps)

	view.Register(d)
	if app.IsClient {
		h.listen()
		h.attend(d)
		heap()
		go h.run()
		go h.keep()
	}
	app.RunWhenOnBrowser()
}
