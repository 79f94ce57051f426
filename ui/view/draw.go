package view

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"kamachat/shared/chat"
)

// draw makes the row's element. It follows the markup of server/page/row.templ,
// so that rows of either kind stand side by side. What people wrote goes into
// text nodes only.
func draw(r chat.Row, k look, d *Desk) app.Value {
	li := node("li", "row")
	li.Get("dataset").Set("key", r.Key)
	li.Set("tabIndex", -1)
	if r.Day {
		li.Call("append", node("div", "day", timeNode(r.Message.At, k.day, "")))
	}
	if r.New {
		li.Call("append", text("div", "new", d.say("log.new")))
	}
	switch {
	case r.Message.Content.Kind == chat.Event:
		li.Call("append", text("p", "event", k.said))
	case r.Mine:
		li.Call("append", mine(r, k, d))
	default:
		li.Call("append", theirs(r, k, d))
	}
	return li
}

func theirs(r chat.Row, k look, d *Desk) app.Value {
	if !r.Head {
		return with(node("div", "m k"+waiting(k), bubble(r, k, d)), r, k, d)
	}
	m := r.Message
	who := node("div", "who", text("span", "nm", k.name), timeNode(m.At, d.clock(m.At), "tm"))
	return with(node("div", "m"+waiting(k), face(string(m.Author), k.name, k.avatar), who, bubble(r, k, d)), r, k, d)
}

// waiting is the class of a row of which something is not stored yet.
func waiting(k look) string { return choose("", " waits", k.waits) }

// with adds the reactions to m, a row.
func with(m app.Value, r chat.Row, k look, d *Desk) app.Value {
	if k.who != "" {
		m.Call("append", chips(r.Message.Content, k, d))
	}
	return m
}

func mine(r chat.Row, k look, d *Desk) app.Value {
	class := "m mine"
	if !r.Head {
		class += " k"
	}
	m := with(node("div", class+waiting(k), bubble(r, k, d)), r, k, d)
	if r.Tick == chat.Failed {
		m.Call("append", failed(k.why, d))
	}
	return m
}

// bubble is what was said, with the time and tick of an own message.
func bubble(r chat.Row, k look, d *Desk) app.Value {
	b := node("div", "b")
	b.Set("title", d.moment(r.Message.At))
	if k.quoted != "" {
		b.Call("append", quote(k, d))
	}
	says(b, r.Message.Content, d)
	if r.Mine || k.edited {
		meta := node("span", "meta")
		if k.edited {
			meta.Call("append", text("span", "", d.say("log.edited")))
		}
		b.Call("append", meta)
		if !r.Mine {
			return b
		}
		meta.Call("append", timeNode(r.Message.At, d.clock(r.Message.At), ""))
		if name, label := tickLook(k.tick); name != "" {
			t := node("span", "tick "+label, drawnIcon(name))
			t.Call("setAttribute", "role", "img")
			t.Call("setAttribute", "aria-label", d.say("tick."+label))
			meta.Call("append", t)
		}
	}
	return b
}

// failed says why a message could not be sent, and what can be done.
func failed(why chat.Code, d *Desk) app.Value {
	p := text("p", "why", d.refused(why)+" ")
	for _, act := range []string{"retry", "copy", "discard"} {
		b := text("button", "link", d.say("failed."+act))
		b.Set("type", "button")
		b.Get("dataset").Set("act", act)
		p.Call("append", b)
	}
	return p
}

func timeNode(ms int64, words, class string) app.Value {
	t := text("time", class, words)
	t.Set("dateTime", stamp(ms))
	return t
}

// face is the avatar beside a message.
func face(seed, name, picture string) app.Value {
	s := node("span", avatarClass(seed, false, "s"))
	s.Call("setAttribute", "aria-hidden", "true")
	if picture != "" && chat.SafeURL(picture) {
		img := node("img", "")
		img.Set("alt", "")
		img.Set("src", picture)
		s.Call("append", img)
		return s
	}
	s.Set("textContent", chat.Initial(name))
	return s
}
