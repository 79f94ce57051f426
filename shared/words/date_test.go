package words

import (
	"testing"
	"time"
)

var east = time.FixedZone("east", 8*3600)

func TestDates(t *testing.T) {
	now := time.Date(2026, 11, 24, 14, 30, 0, 0, east) // a Tuesday
	for _, c := range []struct {
		name   string
		t      time.Time
		day    [2]string
		inList [2]string
	}{
		{"now", now, [2]string{"Today", "今天"}, [2]string{"14:30", "14:30"}},
		{"midnight", time.Date(2026, 11, 24, 0, 0, 0, 0, east), [2]string{"Today", "今天"}, [2]string{"00:00", "00:00"}},
		{"late yesterday", time.Date(2026, 11, 23, 23, 59, 0, 0, east), [2]string{"Yesterday", "昨天"}, [2]string{"Mon", "周一"}},
		{"six days ago", time.Date(2026, 11, 18, 9, 5, 0, 0, east), [2]string{"Wednesday, 18 November", "11月18日 星期三"}, [2]string{"Wed", "周三"}},
		{"a week ago", time.Date(2026, 11, 17, 9, 5, 0, 0, east), [2]string{"Tuesday, 17 November", "11月17日 星期二"}, [2]string{"17 Nov", "11月17日"}},
		{"another year", time.Date(2025, 12, 7, 9, 5, 0, 0, east), [2]string{"Sunday, 7 December 2025", "2025年12月7日 星期日"}, [2]string{"7 Dec 2025", "2025年12月7日"}},
		{"tomorrow, by a wrong clock", time.Date(2026, 11, 25, 1, 0, 0, 0, east), [2]string{"Wednesday, 25 November", "11月25日 星期三"}, [2]string{"25 Nov", "11月25日"}},
		{"another day elsewhere", time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC).In(east), [2]string{"Today", "今天"}, [2]string{"04:00", "04:00"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for i, l := range []Lang{EN, ZH} {
				for _, at := range []time.Time{now, now.UTC()} { // now's own zone doesn't matter
					if got := Day(l, c.t, at); got != c.day[i] {
						t.Errorf("%s day: %q, want %q", l, got, c.day[i])
					}
					if got := ListTime(l, c.t, at); got != c.inList[i] {
						t.Errorf("%s in a list: %q, want %q", l, got, c.inList[i])
					}
				}
			}
		})
	}
}

func TestDaysOverNewYear(t *testing.T) {
	now := time.Date(2027, 1, 1, 8, 0, 0, 0, east)
	eve := time.Date(2026, 12, 31, 23, 0, 0, 0, east)
	if got := Day(EN, eve, now); got != "Yesterday" {
		t.Errorf("got %q", got)
	}
	if got := ListTime(ZH, eve, now); got != "周四" {
		t.Errorf("got %q", got)
	}
}

func TestFull(t *testing.T) {
	at := time.Date(2026, 11, 24, 9, 2, 0, 0, east)
	for l, want := range map[Lang]string{EN: "Tuesday, 24 November 2026, 09:02", ZH: "2026年11月24日 星期二 09:02", "zh-CN": "2026年11月24日 星期二 09:02"} {
		if got := Full(l, at); got != want {
			t.Errorf("%s: %q, want %q", l, got, want)
		}
	}
}
