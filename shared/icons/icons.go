// Package icons is KamaChat's own set of icons, drawn with strokes alone: 1.8
// wide, round at ends and corners, in the colour of the text around them.
package icons

// Paths returns what goes into the d of an icon's <path>, or "" for an
// unknown name.
func Paths(name string) string {
	if d, ok := ticks[name]; ok {
		return d
	}
	return icons[name]
}

// Box returns an icon's viewBox. Ticks are small and wide, all others square.
func Box(name string) string {
	if _, ok := ticks[name]; ok {
		return "0 0 18 12"
	}
	return "0 0 24 24"
}

// ticks stand in a line of small text.
var ticks = map[string]string{
	"clock":  "M9 1.2a4.8 4.8 0 1 1 0 9.6a4.8 4.8 0 1 1 0-9.6M9 3.4V6l1.8 1.2",
	"check":  "M3.5 6.5l3.2 3.2L13.5 2.5",
	"checks": "M1.5 6.5l3.2 3.2L11.5 2.5M8.3 9.1l.6.6L15.7 2.5",
	"alert":  "M9 1.2a4.8 4.8 0 1 1 0 9.6a4.8 4.8 0 1 1 0-9.6M9 3.4v3M9 8.5v.01",
}

var icons = map[string]string{
	"back":   "M15 18l-6-6 6-6",
	"bin":    "M5 7h14M10 4h4M7 7l1 12.5h8L17 7",
	"bell":   "M6.5 16.5V11a5.5 5.5 0 0 1 11 0v5.5l1.5 1.5H5zM10 20.5a2.2 2.2 0 0 0 4 0",
	"box":    "M4 5h16v4H4zM5.5 9v9.5h13V9M10 13h4",
	"chat":   "M12 4c5 0 9 3.3 9 7.5S17 19 12 19c-1 0-2-.1-2.9-.4L4.5 20.5l1-3.6C4 15.5 3 13.6 3 11.5 3 7.3 7 4 12 4z",
	"close":  "M6.5 6.5l11 11M17.5 6.5l-11 11",
	"copy":   "M11 9h7a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2h-7a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2zM5.5 15A1.5 1.5 0 0 1 4 13.5V6a2 2 0 0 1 2-2h7.5A1.5 1.5 0 0 1 15 5.5",
	"down":   "M12 5v14M5.5 12.5L12 19l6.5-6.5",
	"file":   "M13.5 3H7a2 2 0 0 0-2 2v14a2 2 0 0 0 2 2h10a2 2 0 0 0 2-2V8.5zM13.5 3v5.5H19",
	"flag":   "M6 21V4.5h11l-2 4 2 4H6",
	"group":  "M9 4.5a3.5 3.5 0 1 1 0 7a3.5 3.5 0 1 1 0-7M2.5 19.5c.5-3 3.2-4.8 6.5-4.8s6 1.8 6.5 4.8M16 4.9a3.5 3.5 0 0 1 0 6.2M18 15.2c1.9.8 3.2 2.2 3.5 4.3",
	"hush":   "M6.5 16.5V11c0-1 .3-2 .8-2.8M10 5.8a5.500 5.500 0 0 1 7.500 5.200v3M16.5 18H5l1.5-1.500M10 20.5a2.2 2.2 0 0 0 4 0M4 4l16 16",
	"menu":   "M4 7h16M4 12h16M4 17h16",
	"moon":   "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z",
	"more":   "M5 11.5a.5.5 0 1 1 0 1a.5.5 0 1 1 0-1M12 11.5a.5.5 0 1 1 0 1a.5.5 0 1 1 0-1M19 11.5a.5.5 0 1 1 0 1a.5.5 0 1 1 0-1",
	"pulse":  "M3.5 12H8l2.5-6 4 12 2.5-6h3.5",
	"out":    "M14 4.5H7a2 2 0 0 0-2 2v11a2 2 0 0 0 2 2h7M10.5 12H20M16.5 8.5L20 12l-3.5 3.5",
	"pen":    "M12.5 20H20M15.5 4.6a2.2 2.2 0 0 1 3.2 3.2L8 18.5l-4 1 1-4z",
	"person": "M12 4a4 4 0 1 1 0 8a4 4 0 1 1 0-8M4.5 20c.6-3.3 3.7-5.2 7.5-5.2s6.9 1.9 7.5 5.2",
	"phone":  "M5.5 4h2.8a1 1 0 0 1 1 .8l.7 3a1 1 0 0 1-.4 1L8 10.2a12.5 12.5 0 0 0 5.8 5.8l1.4-1.6a1 1 0 0 1 1-.4l3 .7a1 1 0 0 1 .8 1v2.8a1.5 1.5 0 0 1-1.6 1.5C10.5 19.5 4.5 13.5 4 5.6A1.5 1.5 0 0 1 5.5 4z",
	"pin":    "M9 4h6M10 4v5l-3.5 4.5h11L14 9V4M12 13.5V20",
	"plus":   "M12 5v14M5 12h14",
	"reload": "M19.5 12a7.5 7.5 0 1 1-2.3-5.4L19.5 9M19.5 4.5V9H15",
	"reply":  "M9.5 6.5L4.5 11.5l5 5M4.5 11.5h9a6 6 0 0 1 6 6v.5",
	"search": "M11 4.5a6.5 6.5 0 1 1 0 13a6.5 6.5 0 1 1 0-13M15.8 15.8L20 20",
	"send":   "M12 19V5M5.5 11.5L12 5l6.5 6.5",
	"smile":  "M12 3.5a8.5 8.5 0 1 1 0 17a8.5 8.5 0 1 1 0-17M8.3 14c.8 1.5 2.1 2.3 3.7 2.3s2.9-.8 3.7-2.3M9 9.5v.5M15 9.5v.5",
	"sun":    "M12 8a4 4 0 1 1 0 8a4 4 0 1 1 0-8M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4",
	"video":  "M5 6.5h8a2.5 2.5 0 0 1 2.5 2.5v6a2.5 2.5 0 0 1-2.5 2.5H5A2.5 2.5 0 0 1 2.5 15V9A2.5 2.5 0 0 1 5 6.5zM15.5 10.8l6-3.3v9l-6-3.3",
}
