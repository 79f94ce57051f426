package view

import (
	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"kamachat/shared/icons"
)

const svg = "http://www.w3.org/2000/svg"

// icon draws one of the house's icons.
func icon(name string) app.UI {
	return el("svg").XMLNS(svg).Attr("viewBox", icons.Box(name)).Aria("hidden", "true").Body(
		el("path").XMLNS(svg).Attr("d", icons.Paths(name)),
	)
}

// drawnIcon draws it outside of go-app's tree.
func drawnIcon(name string) app.Value {
	s, p := document().Call("createElementNS", svg, "svg"), document().Call("createElementNS", svg, "path")
	s.Call("setAttribute", "viewBox", icons.Box(name))
	s.Call("setAttribute", "aria-hidden", "true")
	p.Call("setAttribute", "d", icons.Paths(name))
	s.Call("append", p)
	return s
}
