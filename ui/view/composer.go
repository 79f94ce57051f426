package view

import (
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"kamachat/shared/chat"
	"kamachat/ui/state"
)

// A composer is where a message is written. The text lives in the textarea
// itself and, per conversation, as a draft in the state: go-app never sets it.
type composer struct {
	app.Compo
	desk *Desk

	Conv  chat.ConvID
	Title string

	shown  chat.ConvID // whose draft is in the textarea
	emojis bool        // the picker is open
	grows  bool        // the browser itself makes the textarea as tall as its text
}

func (c *composer) OnMount(ctx app.Context) {
	ctx.PreventUpdate()
	c.shown, c.desk.composer = c.Conv, c
	c.grows = app.Window().Get("CSS").Call("supports", "field-sizing", "content").Truthy()
	c.fill(c.draft())
	c.attach()
	if c.desk.caught.text(c.area()) {
		return
	}
	c.focusSoon(ctx)
}

func (c *composer) OnUpdate(ctx app.Context) {
	if c.shown == c.Conv {
		return
	}
	c.shown, c.emojis, c.desk.subject = c.Conv, false, subject{}
	c.fill(c.draft())
	c.attach()
	c.focusSoon(ctx)
}

func (c *composer) OnDismount() {
	if a := attachments(); a.Truthy() {
		a.Call("show", "", nil) // what is pasted or dropped now is for nobody
	}
}

// focusSoon moves the focus here once the page is drawn and a dialog that led
// here is gone. On a phone it would open the keyboard over what is to be read.
func (c *composer) focusSoon(ctx app.Context) {
	if coarse() {
		return
	}
	ctx.Defer(func(app.Context) { focus(c.area()) })
}

func (c *composer) Render() app.UI {
	d := c.desk
	return el("form").ID("composer").Class("composer").OnSubmit(c.onSubmit).Body(
		slot("attached"),
		el("label").Class("icon add").Title(d.say("attach.add")).Body(
			icon("plus"),
			void("input").ID("files").Attr("type", "file").Attr("multiple", true).Class("hush").Aria("label", d.say("attach.add")),
		),
		el("textarea").ID("text").Attr("name", "text").Attr("rows", 1).Attr("maxlength", chat.MaxText).
			Attr("placeholder", d.say("composer.placeholder")).
			Aria("label", d.say("composer.label", c.Title)).
			Attr("enterkeyhint", "send").
			OnInput(c.onInput).OnKeyDown(c.onKey),
		el("button").Attr("type", "button").Class("icon").Title(d.say("composer.emoji")).
			Aria("label", d.say("composer.emoji")).Aria("expanded", c.emojis).
			OnClick(c.onEmojis).Body(icon("smile")),
		el("button").Attr("type", "submit").Class("send").Title(d.say("composer.send")).
			Aria("label", d.say("composer.send")).Body(icon("send")),
		app.If(c.emojis, func() app.UI { return &picker{desk: d, pick: c.insert, close: c.closeEmojis} }),
	)
}

func (c *composer) area() app.Value { return app.Window().GetElementByID("text") }

func (c *composer) draft() (text string) {
	c.desk.Do(func(s *state.State) { text = s.Draft(c.Conv) })
	return text
}

// fill puts text into the textarea.
func (c *composer) fill(text string) {
	if a := c.area(); a.Truthy() {
		a.Set("value", text)
		c.grow(a)
	}
}

// grow makes the textarea as tall as its text. The style sheet bounds it.
func (c *composer) grow(a app.Value) {
	if c.grows {
		return
	}
	style := a.Get("style")
	style.Set("height", "auto")
	style.Set("height", itoa(a.Get("scrollHeight").Int())+"px")
}

func (c *composer) onInput(ctx app.Context, e app.Event) {
	ctx.PreventUpdate()
	a := e.Get("target")
	text := a.Get("value").String()
	if !c.desk.editing(c.Conv) {
		c.desk.Intents.Draft(c.Conv, text)
	}
	c.grow(a)
	if strings.TrimSpace(text) != "" {
		c.desk.Intents.Typing(c.Conv)
	}
}

func (c *composer) onKey(ctx app.Context, e app.Event) {
	ctx.PreventUpdate()
	// While an input method composes, its keys are its own: Enter picks a
	// candidate. Safari says so only by the key code.
	if e.Get("isComposing").Truthy() || e.Get("keyCode").Int() == 229 {
		return
	}
	key := e.Get("key").String()
	if c.amendKey(key, key == "ArrowUp" && blank(e.Get("target"))) {
		e.PreventDefault()
		return
	}
	switch key {
	case "Enter":
		if e.Get("shiftKey").Truthy() || e.Get("altKey").Truthy() {
			return
		}
		e.PreventDefault()
		c.submit()
	case "Escape":
		e.Get("target").Call("blur")
	}
}

func (c *composer) onSubmit(ctx app.Context, e app.Event) {
	ctx.PreventUpdate()
	e.PreventDefault()
	c.submit()
	focus(c.area())
}

// submit posts what is written. Too long a text is left to be shortened.
func (c *composer) submit() {
	text := strings.Trim(c.area().Get("value").String(), " \t\r\n")
	content := chat.TextContent(text)
	if content.Validate() != nil {
		if text == "" {
			c.sendAttached()
		}
		return
	}
	if c.edited(content) {
		return
	}
	c.answering(&content)
	defer c.sendAttached() // behind the text, which is there at once
	c.desk.Intents.Draft(c.Conv, "")
	c.fill("")
	c.desk.log.atEnd = true
	c.desk.Intents.Post(c.Conv, content)
	c.desk.log.sync()
	c.desk.log.toEnd()
}

// attachments are static/attach.js, which looks after files that are to be sent.
func attachments() app.Value { return app.Window().Get("kama").Get("attach") }

// attach has the files for the conversation shown above what is written.
func (c *composer) attach() {
	if a := attachments(); a.Truthy() {
		a.Call("show", string(c.Conv), app.Window().GetElementByID("attached"))
	}
}

func (c *composer) sendAttached() {
	if a := attachments(); a.Truthy() && a.Call("send", string(c.Conv)).Truthy() {
		c.desk.log.toEnd()
	}
}

func (c *composer) onEmojis(ctx app.Context, e app.Event) { c.emojis = !c.emojis }

func (c *composer) closeEmojis() {
	c.emojis = false
	focus(c.area())
}

// insert puts s where the cursor is.
func (c *composer) insert(s string) {
	a := c.area()
	a.Call("setRangeText", s, a.Get("selectionStart"), a.Get("selectionEnd"), "end")
	a.Call("dispatchEvent", app.Window().Get("Event").New("input", map[string]any{"bubbles": true}))
	c.closeEmojis()
}
