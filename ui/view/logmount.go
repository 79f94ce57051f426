package view

import (
	"strconv"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"kamachat/shared/chat"
)

// mount gives the log its box and its pill, and the server's rows to adopt.
func (l *log) mount(box, pill app.Value, caught *catch) {
	l.box, l.pill, l.list, l.bar = box, pill, caught.list, rowbar{log: l}
	l.conv, l.rows, l.span, l.lines, l.byKey = "", nil, span{}, nil, map[string]*line{}
	adopted := l.list
	if l.list == nil {
		l.list = node("ol", "rows")
		l.list.Set("id", "log")
	}
	caught.list = nil
	l.list.Call("setAttribute", "role", "log")
	l.list.Call("setAttribute", "aria-live", "polite")
	box.Get("style").Set("overflowAnchor", "none") // the log keeps the place itself
	box.Call("replaceChildren", l.list)
	l.adopting = adopted
	l.watch()
}

// adopt takes over the rows that the server drew, so that they need not be
// drawn again. They look as the state has them, since the state was read from
// the same page, unless the server did not know where the person is: then its
// times are wrong and the rows are drawn again.
func (l *log) adopt() {
	if l.adopting == nil {
		return
	}
	rows := l.adopting.Get("children")
	l.adopting = nil
	for i := range rows.Length() {
		el := rows.Index(i)
		key := el.Get("dataset").Get("key")
		if !key.Truthy() {
			continue
		}
		n := &line{key: key.String(), el: el, foreign: l.desk.tells(el)}
		l.lines = append(l.lines, n)
		l.byKey[n.key] = n
	}
}

// tells reports whether the times in a row of the server's are those of the person.
func (d *Desk) tells(el app.Value) bool {
	t := el.Call("querySelector", ".who time,.meta time")
	if !t.Truthy() {
		return true
	}
	at, err := time.Parse(time.RFC3339, t.Get("dateTime").String())
	return err == nil && t.Get("textContent").String() == d.clock(at.UnixMilli())
}

func (l *log) unmount() {
	if l.sizes != nil {
		l.sizes.Call("disconnect")
		l.sizes = nil
	}
	if l.onSize != nil {
		l.onSize.Release()
		l.onSize = nil
	}
	l.box, l.pill, l.list, l.conv = nil, nil, nil, ""
	l.rows, l.lines, l.byKey = nil, nil, nil
}

// watch has the log notice when the box or the rows change their height.
func (l *log) watch() {
	observer := app.Window().Get("ResizeObserver")
	if !observer.Truthy() {
		return
	}
	l.onSize = app.FuncOf(func(app.Value, []app.Value) any {
		l.resized()
		return nil
	})
	l.sizes = observer.New(l.onSize)
	l.sizes.Call("observe", l.box)
	l.sizes.Call("observe", l.list)
}

// act does what a button in a row is for.
func (l *log) act(what, key string, b app.Value) {
	for _, r := range l.rows {
		if r.Key != key {
			continue
		}
		switch what {
		case "jump":
			if q := r.Message.Content.Re; q != nil {
				l.seek(q.Seq)
				l.sync()
			}
		case "react":
			l.react(r, b.Get("dataset").Get("emoji").String())
		case "reply", "edit":
			l.bar.hide()
			l.desk.discuss(r, what == "edit")
		case "unsend":
			if b.Get("className").String() != "sure" {
				l.bar.arm(true)
				break
			}
			l.amend(chat.Content{Kind: chat.Recall, Of: r.Message.Seq})
		case "retry":
			l.desk.Intents.Retry(r.Message.Ref)
		case "discard":
			l.desk.Intents.Discard(r.Message.Ref)
		case "report": // a page of the server
			app.Window().Get("location").Set("href", "/report?conv="+string(r.Message.Conv)+"&seq="+strconv.FormatInt(r.Message.Seq, 10))
		case "copy":
			copyText(r.Message.Content.Text)
			l.bar.hide()
		}
	}
}

// copyText puts s on the clipboard, where the browser lets us.
func copyText(s string) {
	if c := app.Window().Get("navigator").Get("clipboard"); c.Truthy() {
		c.Call("writeText", s)
	}
}
