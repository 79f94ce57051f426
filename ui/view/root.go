package view

import (
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"kamachat/shared/chat"
	"kamachat/ui/state"
)

// grace is how long the connection may be missing before the page says so.
const grace = 2 * time.Second

// Root is the page. It reads the state once for every change and hands plain
// values to the components below it.
type Root struct {
	app.Compo
	desk *Desk

	path    string      // of the address
	conv    chat.ConvID // that it names
	me      chat.Person
	status  state.Status
	down    time.Time // since when the connection is missing; zero while it is there
	late    bool
	entries []entry
	open    state.Conv
	has     bool  // open is known
	next    int64 // when a mute ends that a redrawing waits for
	left    bool  // what was open is a group that one is no longer in
	typing  string
	people  []member
	unread  int
	marked  bool   // as unread, something is
	title   string // of the document
	notice  string // of an amendment that was refused
	noticed time.Time
}

// Register makes the page known to go-app.
func Register(d *Desk) {
	d.log = &log{desk: d}
	page := func() app.Composer { return &Root{desk: d} }
	app.Route("/", page)
	app.Route("/shell", page)
	app.RouteWithRegexp("^/c/[^/]+$", page)
}

// OnInit runs while the server's paint still stands: what a person has under
// way in it is taken, and the first rendering has everything in it.
func (r *Root) OnInit() {
	d := r.desk
	d.caught = catchPaint()
	if app.IsClient {
		r.navigate(app.Window().URL().Path)
	}
	d.take()
	r.look()
}

func (r *Root) OnMount(ctx app.Context) {
	d := r.desk
	d.onTell(func() { ctx.Dispatch(r.refresh) })
	d.Changed(state.Change{})
	r.listen(ctx)
	ctx.Defer(func(app.Context) {
		app.Window().Get("performance").Call("mark", "goapp-interactive")
	})
}

func (r *Root) OnDismount() { r.desk.onTell(nil) }

// OnNav follows the address.
func (r *Root) OnNav(ctx app.Context) {
	r.navigate(ctx.Page().URL().Path)
	r.look()
}

// navigate opens what path names: a conversation, or a person's by the id of
// the person. The latter waits until it is known who one is oneself.
func (r *Root) navigate(path string) {
	r.path = path
	id, _ := strings.CutPrefix(path, "/c/")
	conv := chat.ConvID(id)
	if u := chat.UserID(id); u.Valid() {
		r.desk.Do(func(s *state.State) {
			if p, ok := s.Person(u); ok || s.Me().ID != "" {
				p.ID = u
				conv = s.EnsureDirect(p)
			}
		})
	}
	if !conv.Valid() {
		conv = ""
	}
	if conv == r.conv {
		return
	}
	r.left = r.left && conv == ""
	r.conv = conv
	r.desk.Intents.Open(conv)
}

// refresh draws what has changed: first the messages, at once, and then,
// with go-app's next frame, the rest.
func (r *Root) refresh(ctx app.Context) {
	defer rescue("drawing")
	ch := r.desk.take()
	if ch.Me {
		r.navigate(r.path)
	}
	if ch.Anew { // rows of the same keys are others
		r.desk.drop()
		r.desk.log.show("")
		r.desk.log.show(r.conv)
	}
	if ch.Has(r.conv) || ch.Me {
		r.desk.log.sync()
	}
	r.desk.log.bar.rest()
	had := r.has
	r.look()
	if had && !r.has && r.conv.IsGroup() {
		ctx.Navigate("/")
		r.left = true
	}
	if !r.down.IsZero() && !r.late {
		wait := grace - r.desk.Now().Sub(r.down)
		time.AfterFunc(max(wait, 0)+10*time.Millisecond, func() { r.desk.Changed(state.Change{Link: true}) })
	}
}

// look reads the state.
func (r *Root) look() {
	d := r.desk
	var denied *state.Denied
	d.Do(func(s *state.State) {
		r.me, r.status = s.Me(), s.Status()
		r.entries = d.entries(s)
		r.open, r.has = s.Conv(r.conv)
		r.has = r.has && r.conv != ""
		r.typing, r.people = "", nil
		if r.has {
			r.typing = d.typing(r.open, s)
			if d.details {
				r.people = members(r.open, s, d)
			}
		}
		r.unread, r.marked = s.Unread()
		denied = s.Denied()
	})
	if denied != nil {
		r.refuse(denied)
	} else if r.notice != "" && d.Now().Sub(r.noticed) >= noticeFor {
		r.notice = ""
	}
	switch {
	case r.status.Phase == state.Live:
		r.down = time.Time{}
	case r.down.IsZero():
		r.down = d.Now()
	}
	// Drawn again once one may write, or notifications come.
	now := d.Now().UnixMilli()
	next := now + 24*3600_000
	ends := func(at int64) {
		if at > now {
			next = min(next, at)
		}
	}
	ends(r.open.Muted)
	for _, e := range r.entries {
		ends(e.Hushed)
	}
	if wait := next - now; next != r.next && wait < 24*3600_000 {
		r.next = next
		time.AfterFunc(time.Duration(wait+500)*time.Millisecond, func() { d.Changed(state.Change{Link: true}) })
	}
	r.late = !r.down.IsZero() && d.Now().Sub(r.down) >= grace
	r.name()
}

// name keeps the document's title.
func (r *Root) name() {
	title := "KamaChat"
	if r.has {
		title = r.open.Title + " · " + title
	}
	if r.unread > 0 {
		title = "(" + count(r.unread) + ") " + title
	} else if r.marked {
		title = "(•) " + title
	}
	if title != r.title && app.IsClient {
		r.title = title
		document().Set("title", title)
	}
}

func (r *Root) Render() app.UI {
	d := r.desk
	if d.details && r.has && r.people == nil {
		d.Do(func(s *state.State) { r.people = members(r.open, s, d) })
	}
	class := "app"
	if r.conv != "" {
		class += " open"
	}
	return el("div").ID("app").Class(class).Body(
		&list{desk: d, Me: r.me, Status: r.status, Late: r.late, Entries: r.entries},
		el("main").Class("conv").Body(r.pane()...),
		app.If(d.details && r.has, func() app.UI { return &details{desk: d, Conv: r.open, People: r.people} }),
		app.If(d.dialog == dialogNew, func() app.UI { return &newDialog{desk: d} }),
		app.If(d.dialog == dialogSwitch, func() app.UI { return &switcher{desk: d} }),
	)
}

// pane is the conversation, or a word on how to come to one.
func (r *Root) pane() []app.UI {
	d := r.desk
	if !r.has {
		words := "conv.none"
		if r.left {
			words = "conv.parted"
		} else if r.me.ID != "" && len(r.entries) == 0 {
			words = "conv.first"
		}
		return []app.UI{el("div").Class("nothing").Body(icon("chat"), el("p").Text(d.say(words)))}
	}
	return []app.UI{
		&header{desk: d, Conv: r.open, Details: d.details, Muted: d.quiet(r.open.Line)},
		&timeline{desk: d, Conv: r.conv},
		el("p").Class("typing").Aria("live", "polite").Text(r.typing),
		// In a place of its own: go-app would put the composer anew where one came before it.
		el("div").Body(
			app.If(r.notice != "", func() app.UI { return el("p").Class("problem").Role("alert").Text(r.notice) }),
			app.If(d.subject.seq != 0 && d.subject.conv == r.conv, func() app.UI { return &about{desk: d, Subject: d.subject} }),
		),
		r.below(),
	}
}

// below is where one writes, or why one can't.
func (r *Root) below() app.UI {
	if why := r.desk.shut(r.open); why != "" {
		return el("p").Class("hint").Role("status").Text(why)
	}
	return &composer{desk: r.desk, Conv: r.conv, Title: r.open.Title}
}

// rescue keeps the page alive where drawing went wrong: a panic would end the
// whole program. What was drawn badly is drawn again with the next change.
func rescue(what string) {
	if v := recover(); v != nil {
		app.Logf("kamachat: %s panicked: %v", what, v)
	}
}
