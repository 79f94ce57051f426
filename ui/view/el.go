package view

import "github.com/maxence-charriere/go-app/v10/pkg/app"

// el makes an element. go-app has a type of a hundred methods for every tag;
// this one type for all of them keeps the program small.
func el(tag string) app.HTMLElem { return app.Elem(tag) }

// void makes an element that has no end tag.
func void(tag string) app.HTMLElemSelfClosing { return app.ElemSelfClosing(tag) }
