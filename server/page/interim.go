package page

import "time"

func (c Common) clock(ms int64) string    { return c.at(ms).Format("15:04") }
func (c Common) day(ms int64) string      { return c.at(ms).Format("Monday, 2 January") }
func (c Common) listTime(ms int64) string { return c.at(ms).Format("15:04") }
func (c Common) at(ms int64) time.Time    { return time.UnixMilli(ms).In(c.Zone) }
