package view

import (
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"
)

func trim(s string) string { return strings.TrimSpace(s) }

// roam moves the focus between the buttons and links of a list by the arrow
// keys; above the first is the field with the id above.
func roam(e app.Event, above string) {
	step := ""
	switch e.Get("key").String() {
	case "ArrowDown":
		step = "nextElementSibling"
	case "ArrowUp":
		step = "previousElementSibling"
	}
	li := e.Get("target").Call("closest", "li")
	if step == "" || !li.Truthy() {
		return
	}
	e.PreventDefault()
	switch to := li.Get(step); {
	case to.Truthy():
		to.Call("querySelector", "a,button").Call("focus")
	case step == "previousElementSibling":
		focus(app.Window().GetElementByID(above))
	}
}

// apple reports whether the keyboard has a command key.
func apple() bool {
	return app.IsClient && strings.Contains(app.Window().Get("navigator").Get("platform").String(), "Mac")
}

// shortcut is how the switcher's keys are called here.
func shortcut() string { return choose("Ctrl K", "⌘K", apple()) }

// coarse reports whether people touch: a focus would then open the keyboard
// over what they want to read.
func coarse() bool {
	return app.Window().Call("matchMedia", "(pointer: coarse)").Get("matches").Truthy()
}
