package view

import (
	"strconv"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"kamachat/shared/chat"
)

func itoa(n int) string { return strconv.Itoa(n) }

// composing reports whether a key belongs to an input method that composes:
// Enter then picks a candidate. Safari says so only by the key code.
func composing(e app.Event) bool {
	return e.Get("isComposing").Truthy() || e.Get("keyCode").Int() == 229
}

// stamp is a time as <time datetime> wants it, "" for none.
func stamp(ms int64) string {
	if ms == 0 {
		return ""
	}
	return time.UnixMilli(ms).UTC().Format(time.RFC3339)
}

// avatar is a person's or group's picture, or initials on a colour that
// follows from seed. size is "s" for the small one.
func avatar(seed, name, picture string, online bool, size string) app.UI {
	s := el("span").Class(avatarClass(seed, online, size)).Aria("hidden", "true")
	if picture != "" && chat.SafeURL(picture) {
		return s.Body(void("img").Attr("src", picture).Attr("alt", "").Attr("width", 46).Attr("height", 46))
	}
	return s.Text(chat.Initial(name))
}

func avatarClass(seed string, online bool, size string) string {
	class := "av hue-" + itoa(chat.Hue(seed))
	if size != "" {
		class += " " + size
	}
	if online {
		class += " on"
	}
	return class
}

// tick draws how far an own message has got.
func tick(t chat.Tick, d *Desk) app.UI {
	name, label := tickLook(t)
	if name == "" {
		return app.Text("")
	}
	return el("span").Class("tick "+label).Role("img").Aria("label", d.say("tick."+label)).
		Title(d.say("tick." + label)).Body(icon(name))
}

// tickLook returns the icon of a tick and the class and word for it.
func tickLook(t chat.Tick) (icon, label string) {
	switch t {
	case chat.Queued:
		return "clock", "queued"
	case chat.Stored:
		return "check", "stored"
	case chat.Delivered:
		return "checks", "delivered"
	case chat.Read:
		return "checks", "read"
	case chat.Failed:
		return "alert", "failed"
	}
	return "", ""
}

// button is a button with only an icon on it.
func button(name, label string, on app.EventHandler) app.HTMLElem {
	return el("button").Attr("type", "button").Class("icon").Title(label).Aria("label", label).OnClick(on).Body(icon(name))
}
