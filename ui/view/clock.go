package view

import "time"

// at is a time where the person is.
func (d *Desk) at(ms int64) time.Time { return time.UnixMilli(ms).In(d.Zone) }

func (d *Desk) listTime(ms int64) string { return d.at(ms).Format("15:04") }
func (d *Desk) day(ms int64) string      { return d.at(ms).Format("Monday, 2 January") }
func (d *Desk) clock(ms int64) string    { return d.at(ms).Format("15:04") }
func (d *Desk) moment(ms int64) string   { return d.at(ms).Format("2006-01-02 15:04:05") }
