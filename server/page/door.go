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

// refused says why something was refused.
func (c Common) refused(r *chat.Refusal) string {
	if r == nil {
		return ""
	}
	return c.say("refused." + string(r.Code))
}

func (p SignInPage) signInProblem() string {
	if p.Problem != nil && p.Problem.Code == chat.SignedOut {
		return p.say("page.signin.wrong")
	}
	return p.refused(p.Problem)
}

func (p RegisterPage) registerTitle() string {
	if p.SetupKey != "" {
		return "page.setup"
	}
	return "page.register"
}

func (p RegisterPage) registerAction() string {
	if p.SetupKey != "" {
		return "/setup"
	}
	return "/register"
}

func (p RegisterPage) registerProblem() string {
	if p.Problem == nil {
		return ""
	}
	switch p.Problem.Code {
	case chat.Taken:
		return p.say("page.register.taken")
	case chat.Invalid, chat.TooLong:
		return p.say("page.register.invalid")
	}
	return p.refused(p.Problem)
}

func (p NewPage) newProblem() string {
	if p.Problem != nil && p.Problem.Code == chat.Invalid {
		return p.say("page.new.name")
	}
	return p.refused(p.Problem)
}

func (p ErrorPage) errorWords() string {
	if p.Problem == nil {
		return p.say("refused.internal")
	}
	if p.Problem.Code == chat.NotFound {
		return p.say("page.notfound")
	}
	return p.refused(p.Problem)
}

// avatarClass is the look of an avatar.
func avatarClass(seed, size string) string {
	class := "av"
	if size != "" {
		class += " " + size
	}
	return class + " hue-" + strconv.Itoa(hue(seed))
}

func safe(url string) bool { return chat.SafeURL(url) }
