package view

import "kamachat/shared/chat"

// draw makes the row's element. It follows the markup of server/page/row.templ,
// so that rows of either kind stand side by side. What people wrote goes into
// text nodes only.
func draw(r chat.Row, k look, d *Desk) *tree {
	li := grown("li", "row").set("data-key", r.Key).set("tabindex", "-1")
	if r.Day {
		li.add(grown("div", "day", timeTree(r.Message.At, k.day, "")))
	}
	if r.New {
		li.add(grown("div", "new", d.say("log.new")))
	}
	switch {
	case r.Message.Content.Kind == chat.Event:
		li.add(grown("p", "event", k.said))
	case r.Mine:
		li.add(mine(r, k, d))
	default:
		li.add(theirs(r, k, d))
	}
	return li
}

func theirs(r chat.Row, k look, d *Desk) *tree {
	if !r.Head {
		return with(grown("div", "m k"+waiting(k), bubble(r, k, d)), r, k, d)
	}
	m := r.Message
	who := grown("div", "who", grown("span", "nm", k.name), timeTree(m.At, d.clock(m.At), "tm"))
	return with(grown("div", "m"+waiting(k), face(string(m.Author), k.name, k.avatar), who, bubble(r, k, d)), r, k, d)
}

// waiting is the class of a row of which something is not stored yet.
func waiting(k look) string { return choose("", " waits", k.waits) }

// with adds the reactions to m, a row.
func with(m *tree, r chat.Row, k look, d *Desk) *tree {
	if k.who != "" {
		m.add(chips(r.Message.Content, k, d))
	}
	return m
}

func mine(r chat.Row, k look, d *Desk) *tree {
	class := "m mine"
	if !r.Head {
		class += " k"
	}
	m := with(grown("div", class+waiting(k), bubble(r, k, d)), r, k, d)
	if r.Tick == chat.Failed {
		m.add(failed(k.why, d))
	}
	return m
}

// bubble is what was said, with the time and tick of an own message.
func bubble(r chat.Row, k look, d *Desk) *tree {
	b := grown("div", "b").set("title", d.moment(r.Message.At))
	if k.quoted != "" {
		b.add(quote(k, d))
	}
	says(b, r.Message.Content, d)
	if r.Mine || k.edited {
		meta := grown("span", "meta")
		if k.edited {
			meta.add(grown("span", "", d.say("log.edited")))
		}
		b.add(meta)
		if !r.Mine {
			return b
		}
		meta.add(timeTree(r.Message.At, d.clock(r.Message.At), ""))
		if name, label := tickLook(k.tick); name != "" {
			meta.add(grown("span", "tick "+label, grownIcon(name)).set("role", "img").set("aria-label", d.say("tick."+label)))
		}
	}
	return b
}

// failed says why a message could not be sent, and what can be done.
func failed(why chat.Code, d *Desk) *tree {
	p := grown("p", "why", d.refused(why)+" ")
	for _, act := range []string{"retry", "copy", "discard"} {
		p.add(grown("button", "link", d.say("failed."+act)).set("type", "button").set("data-act", act))
	}
	return p
}

func timeTree(ms int64, words, class string) *tree {
	return grown("time", class, words).set("datetime", stamp(ms))
}

// face is the avatar beside a message.
func face(seed, name, picture string) *tree {
	s := grown("span", avatarClass(seed, false, "s")).set("aria-hidden", "true")
	if picture != "" && chat.SafeURL(picture) {
		s.add(grown("img", "").set("src", picture).set("alt", ""))
	} else {
		s.add(chat.Initial(name))
	}
	return s
}
