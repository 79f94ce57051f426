package view

import (
	"time"

	"kamachat/shared/words"
)

// at is a time where the person is.
func (d *Desk) at(ms int64) time.Time { return time.UnixMilli(ms).In(d.Zone) }

func (d *Desk) clock(ms int64) string  { return words.Clock(words.Lang(d.Lang), d.at(ms)) }
func (d *Desk) day(ms int64) string    { return words.Day(words.Lang(d.Lang), d.at(ms), d.Now()) }
func (d *Desk) moment(ms int64) string { return words.Full(words.Lang(d.Lang), d.at(ms)) }

func (d *Desk) listTime(ms int64) string {
	return words.ListTime(words.Lang(d.Lang), d.at(ms), d.Now())
}
