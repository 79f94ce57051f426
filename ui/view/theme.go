package view

import "github.com/maxence-charriere/go-app/v10/pkg/app"

// themeCookie holds the scheme that a person chose. It is a cookie so that the
// server's first paint has it already.
const themeCookie = "kamachat_theme"

// theme returns "light", "dark", or "" for the system's.
func theme() string {
	if !app.IsClient {
		return ""
	}
	if t := document().Get("documentElement").Get("dataset").Get("theme"); t.Truthy() {
		return t.String()
	}
	return ""
}

func setTheme(to string) {
	root := document().Get("documentElement")
	if to == "" {
		root.Call("removeAttribute", "data-theme")
		document().Set("cookie", themeCookie+"=; Path=/; Max-Age=0; SameSite=Lax")
		return
	}
	root.Call("setAttribute", "data-theme", to)
	document().Set("cookie", themeCookie+"="+to+"; Path=/; Max-Age=31536000; SameSite=Lax")
}
