package account

import (
	"strings"
	"unicode"
)

// Who a User-Agent is from: the first whose mark is in it. Those that carry the
// marks of others, too, come before these.
var (
	browsers = [][2]string{
		{"MicroMessenger/", "WeChat"}, {"Edg/", "Edge"}, {"EdgA/", "Edge"}, {"EdgiOS/", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"},
		{"HuaweiBrowser/", "Huawei Browser"}, {"QQBrowser/", "QQ Browser"}, {"UCBrowser/", "UC Browser"}, {"Vivaldi/", "Vivaldi"}, {"YaBrowser/", "Yandex"},
		{"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"}, {"CriOS/", "Chrome"}, {"HeadlessChrome/", "Chrome"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"},
	}
	systems = [][2]string{
		{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"HarmonyOS", "HarmonyOS"}, {"OpenHarmony", "HarmonyOS"}, {"Android", "Android"}, {"Windows", "Windows"},
		{"Mac OS X", "macOS"}, {"Macintosh", "macOS"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"}, {"FreeBSD", "FreeBSD"}, {"OpenBSD", "OpenBSD"},
	}
)

// maxAgent bounds what is kept of a program's name, in bytes.
const maxAgent = 60

// Agent makes a User-Agent readable: browser and system, or else the name of the
// program without its version. It is empty where nothing is said. Whatever a
// program says of itself is only what it says.
func Agent(ua string) string {
	ua = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, ua)
	browser, system := first(browsers, ua), first(systems, ua)
	switch {
	case browser != "" && system != "":
		return browser + " · " + system
	case browser != "":
		return browser
	}
	name, _, _ := strings.Cut(ua, "/")
	name, _, _ = strings.Cut(strings.TrimSpace(name), " ")
	if len(name) > maxAgent {
		name = strings.ToValidUTF8(name[:maxAgent], "")
	}
	if name == "Mozilla" || name == "" {
		return system
	}
	return name
}

func first(marks [][2]string, ua string) string {
	for _, m := range marks {
		if strings.Contains(ua, m[0]) {
			return m[1]
		}
	}
	return ""
}
