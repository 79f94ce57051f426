package page

import (
	"net/url"
	"strconv"

	"kamachat/shared/chat"
)

// withNext is the address of path that leads on to next.
func withNext(path, next string) string {
	if next == "" || next == "/" {
		return path
	}
	return path + "?next=" + url.QueryEscape(next)
}

func (c Common) otherLang() string {
	if c.Lang == "zh" {
		return "en"
	}
	return "zh"
}

func langName(lang string) string {
	if lang == "zh" {
		return "中文"
	}
	return "English"
}

// langURL is the address of this page, whose query is q, in the other language.
func (c Common) langURL(q url.Values) string {
	q.Set("lang", c.otherLang())
	if n := q.Get("next"); n == "" || n == "/" {
		q.Del("next")
	}
	return "?" + q.Encode()
}

// registers names what the form is for, in the catalogue and as an address.
func (p RegisterPage) registers() string {
	if p.SetupKey != "" {
		return "setup"
	}
	return "register"
}

// query is that of the page in the other language.
func (p RegisterPage) query() url.Values {
	q := url.Values{"next": {p.Next}}
	if p.Invite != "" {
		q.Set("invite", p.Invite)
	}
	return q
}

// key is what the catalogue calls the error.
func (p ErrorPage) key() string {
	key := "error." + strconv.Itoa(p.Status)
	if p.say(key) == key {
		return "error.500"
	}
	return key
}

// why says more, as exactly as it is known.
func (p ErrorPage) why() string {
	if p.Problem != nil {
		if key := "said." + p.Problem.Words; p.say(key) != key {
			return p.say(key)
		}
	}
	return p.say(p.key() + ".text")
}

func (p ErrorPage) title() string { return p.say(p.key()) }

// avatarClass is the look of an avatar.
func avatarClass(seed, size string) string {
	class := "av hue-" + strconv.Itoa(chat.Hue(seed))
	if size != "" {
		class += " " + size
	}
	return class
}

func safe(url string) bool { return chat.SafeURL(url) }
