package view

import (
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"kamachat/shared/chat"
	"kamachat/ui/state"
)

func (d *Desk) say(key string, args ...any) string { return key }

func icon(name string) app.UI { return el("span").Class("i-" + name) }

func avatarClass(seed string, online bool, size string) string { return "av " + size }

func initials(name string) string {
	for _, r := range name {
		return string(r)
	}
	return "?"
}

func (d *Desk) preview(m *chat.Message, s *state.State) string { return m.Content.Preview(80) }

func (d *Desk) event(m chat.Message, s *state.State) string { return "event" }

func (d *Desk) listTime(ms int64) string { return time.UnixMilli(ms).In(d.Zone).Format("15:04") }

func (d *Desk) problem(err error) string { return string(chat.AsRefusal(err).Code) }

func (d *Desk) below(n int) string { return itoa(n) }

func drawnIcon(name string) app.Value { return node("span", "i-"+name) }

func says(b app.Value, c chat.Content, d *Desk) { b.Call("append", c.Text) }

func (d *Desk) day(ms int64) string { return time.UnixMilli(ms).In(d.Zone).Format("Monday, 2 January") }

func (d *Desk) clock(ms int64) string { return time.UnixMilli(ms).In(d.Zone).Format("15:04") }

func (d *Desk) moment(ms int64) string {
	return time.UnixMilli(ms).In(d.Zone).Format("2006-01-02 15:04:05")
}

func (d *Desk) refused(c chat.Code) string { return string(c) }
