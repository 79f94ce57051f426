package page

import (
	"fmt"
	"time"

	"kamachat/shared/chat"
)

func (c Common) say(key string, args ...any) string {
	return fmt.Sprint(append([]any{key}, args...)...)
}
func (c Common) clock(ms int64) string    { return c.at(ms).Format("15:04") }
func (c Common) day(ms int64) string      { return c.at(ms).Format("Monday, 2 January") }
func (c Common) listTime(ms int64) string { return c.at(ms).Format("15:04") }
func (c Common) at(ms int64) time.Time    { return time.UnixMilli(ms).In(c.Zone) }

func hue(id string) int { return len(id) % 12 }

func initial(name string) string {
	for _, r := range name {
		return string(r)
	}
	return "?"
}

func (c Common) event(m chat.Message, name func(chat.UserID) string) string { return "event" }

func (c Common) preview(m chat.Message, name func(chat.UserID) string) string {
	return m.Content.Preview(80)
}
