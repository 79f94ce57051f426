package view

import (
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

// common are the emoji that a person reaches for most.
var common = strings.Fields(`
	😀 😄 😁 😂 🤣 😊 🙂 😉 😍 🥰 😘 😋
	🤔 🤗 🤩 😎 😴 😅 😇 🙃 😐 😏 🙄 😬
	😢 😭 😤 😡 😱 😳 🥺 😷 🤒 🤯 🥳 🤝
	👍 👎 👌 👏 🙏 💪 👋 ✌️ 🤞 👀 🧠 ❤️
	🎉 🎂 🎁 🌹 ☕ 🍜 🍻 🌞 🌙 ⭐ 🔥 💯`)

// A picker offers common emoji.
type picker struct {
	app.Compo
	desk  *Desk
	pick  func(string)
	close func()
}

func (p *picker) Render() app.UI {
	cells := make([]app.UI, len(common))
	for i, s := range common {
		cells[i] = el("button").Attr("type", "button").Class("emoji").Text(s)
	}
	return el("div").Class("picker pop").Role("group").Aria("label", p.desk.say("composer.emoji")).
		OnClick(p.onClick).OnKeyDown(p.onKey).Body(cells...)
}

func (p *picker) onClick(ctx app.Context, e app.Event) {
	if b := e.Get("target").Call("closest", ".emoji"); b.Truthy() {
		p.pick(b.Get("textContent").String())
	}
}

func (p *picker) onKey(ctx app.Context, e app.Event) {
	if e.Get("key").String() == "Escape" {
		e.PreventDefault()
		e.StopImmediatePropagation()
		p.close()
	}
}
