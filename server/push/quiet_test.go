package push

import (
	"strings"
	"testing"
	"time"

	"kamachat/shared/chat"
)

func TestQuietTimes(t *testing.T) {
	at := func(hm string) time.Time { // in winter: Berlin is an hour ahead of UTC, Shanghai eight
		x, err := time.Parse(time.DateTime, "2026-01-05 "+hm+":30")
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	night := chat.Quiet{From: "22:00", To: "07:00", Zone: "Europe/Berlin"}
	noon := chat.Quiet{From: "12:00", To: "13:00", Zone: "Asia/Shanghai"}
	for name, c := range map[string]struct {
		q    chat.Quiet
		now  string
		want bool
	}{
		"never":              {chat.Quiet{}, "00:00", false},
		"for ever":           {chat.Quiet{Until: chat.Forever}, "12:00", true},
		"until then":         {chat.Quiet{Until: at("12:00").UnixMilli()}, "11:59", true},
		"then":               {chat.Quiet{Until: at("12:00").UnixMilli()}, "12:00", false},
		"before the night":   {night, "20:59", false},
		"its first minute":   {night, "21:00", true},
		"midnight":           {night, "23:00", true},
		"its last minute":    {night, "05:59", true},
		"after the night":    {night, "06:00", false},
		"at noon":            {noon, "04:30", true},
		"noon is over":       {noon, "05:00", false},
		"the same time":      {chat.Quiet{From: "08:00", To: "08:00"}, "08:00", false},
		"a zone of tomorrow": {chat.Quiet{From: "08:00", To: "09:00", Zone: "Mars/Base"}, "08:30", true},
	} {
		if got := quietAt(c.q, at(c.now)); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestBadQuietTimesAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		q  chat.Quiet
		ok bool
	}{
		"nothing":     {chat.Quiet{}, true},
		"hours":       {chat.Quiet{From: "22:00", To: "07:30", Zone: "Asia/Shanghai"}, true},
		"in UTC":      {chat.Quiet{From: "22:00", To: "07:30"}, true},
		"no end":      {chat.Quiet{From: "22:00"}, false},
		"no hour":     {chat.Quiet{From: "24:00", To: "07:30"}, false},
		"short":       {chat.Quiet{From: "7:00", To: "9:00"}, false},
		"words":       {chat.Quiet{From: "noon", To: "later"}, false},
		"no zone":     {chat.Quiet{Zone: "Mars/Base"}, false},
		"our zone":    {chat.Quiet{Zone: "Local"}, false},
		"a path":      {chat.Quiet{Zone: "../../etc/passwd"}, false},
		"a long zone": {chat.Quiet{Zone: strings.Repeat("x", 65)}, false},
		"long ago":    {chat.Quiet{Until: -2}, false},
	} {
		if err := checkQuiet(c.q); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
