package view

import "github.com/maxence-charriere/go-app/v10/pkg/app"

// themeKey is where the browser keeps the scheme that a person chose; boot.js
// reads it before anything is painted.
const themeKey = "theme"

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
	store := app.Window().Get("localStorage")
	if to == "" {
		root.Call("removeAttribute", "data-theme")
		store.Call("removeItem", themeKey)
		return
	}
	root.Call("setAttribute", "data-theme", to)
	store.Call("setItem", themeKey, to)
}
