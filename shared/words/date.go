package words

import (
	"strconv"
	"time"
)

// The functions here write a time in the zone that it has.

// Clock is "14:02".
func Clock(_ Lang, t time.Time) string { return t.Format("15:04") }

// Day is "Today", "Yesterday", or "Tuesday, 24 November", with the year where
// it is not now's.
func Day(l Lang, t, now time.Time) string {
	now = now.In(t.Location())
	switch number(now) - number(t) {
	case 0:
		return Say(l, "day.today")
	case 1:
		return Say(l, "day.yesterday")
	}
	return date(l, t, t.Year() != now.Year())
}

// ListTime is as short as a line of a list wants it: "14:02" today, "Mon"
// within six days, then "24 Nov", with the year where it is not now's.
func ListTime(l Lang, t, now time.Time) string {
	now = now.In(t.Location())
	ago, thisYear := number(now)-number(t), t.Year() == now.Year()
	switch {
	case ago == 0:
		return Clock(l, t)
	case ago > 0 && ago <= 6 && l.zh():
		return "周" + weekdays[t.Weekday()]
	case ago > 0 && ago <= 6:
		return t.Format("Mon")
	case l.zh():
		return chinese(t, !thisYear)
	case thisYear:
		return t.Format("2 Jan")
	}
	return t.Format("2 Jan 2006")
}

// Full is "Tuesday, 24 November 2026, 14:02".
func Full(l Lang, t time.Time) string {
	if l.zh() {
		return date(l, t, true) + " " + Clock(l, t)
	}
	return date(l, t, true) + ", " + Clock(l, t)
}

var weekdays = [...]string{"日", "一", "二", "三", "四", "五", "六"}

func date(l Lang, t time.Time, year bool) string {
	switch {
	case l.zh():
		return chinese(t, year) + " 星期" + weekdays[t.Weekday()]
	case year:
		return t.Format("Monday, 2 January 2006")
	}
	return t.Format("Monday, 2 January")
}

func chinese(t time.Time, year bool) string {
	s := strconv.Itoa(int(t.Month())) + "月" + strconv.Itoa(t.Day()) + "日"
	if year {
		s = strconv.Itoa(t.Year()) + "年" + s
	}
	return s
}

// number counts days, so that two of them can be compared whatever the hour.
func number(t time.Time) int {
	y, m, d := t.Date()
	return int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86_400)
}
