package page

import "strings"

// APIPage is the description of the API, for people.
type APIPage struct {
	Common
	About    string // as all About here: paragraphs with `code` and **strong** words
	Codes    []APICode
	Chapters []APIChapter
	Types    []APIType
}

// APICode is a code of a problem, and the status of HTTP that it comes with.
type APICode struct {
	Code, About string
	Status      string
}

// APIChapter is what a tag has.
type APIChapter struct {
	Name, About string
	Operations  []APIOperation
}

// APIOperation is one route.
type APIOperation struct {
	ID, Method, Path, Summary, About string
	Access                           APIAccess
	Scope                            string
	Params                           []APIField
	Body                             *APIType // nil: there is none
	Answers                          []APIAnswer
	Curl                             string
}

// APIAccess is who may use an operation.
type APIAccess string

// The kinds of access.
const (
	APIOpen   APIAccess = "api.access.open"   // everybody
	APIAny    APIAccess = "api.access.any"    // whoever is signed in
	APIScoped APIAccess = "api.access.scoped" // and bots with a scope
	APIPeople APIAccess = "api.access.people" // but no bots
)

// APIType is what JSON looks like, or what else a body is.
type APIType struct {
	Name   string // empty: that of no type in particular
	About  string
	Is     APIRef // without Fields: what it is
	Fields []APIField
}

// APIField is a parameter, or a field of a type.
type APIField struct {
	Name, In, About, Rules string
	Is                     APIRef
	Required               bool
}

// APIRef says what something is: words, and the name of one of the types.
type APIRef struct{ Words, Type string }

// APIAnswer is what may be answered.
type APIAnswer struct {
	Status, About, Mime string
	Is                  APIRef
}

// access says who may use o.
func (p APIPage) access(o APIOperation) string {
	if o.Scope == "" {
		return p.say(string(o.Access))
	}
	return p.say(string(o.Access), o.Scope)
}

// A span is a part of a text: plain, "code" or "strong".
type span struct{ kind, text string }

// spans takes a text apart at `code` and **strong** words.
func spans(s string) (out []span) {
	for i, part := range strings.Split(s, "`") {
		if i%2 == 1 {
			out = append(out, span{"code", part})
			continue
		}
		for j, p := range strings.Split(part, "**") {
			kind := ""
			if j%2 == 1 {
				kind = "strong"
			}
			if p != "" {
				out = append(out, span{kind, p})
			}
		}
	}
	return out
}

// paragraphs takes a text apart at empty lines.
func paragraphs(s string) []string {
	return strings.FieldsFunc(strings.ReplaceAll(s, "\n\n", "\x00"), func(r rune) bool { return r == 0 })
}

// anchor is the id of a part of the page.
func anchor(kind, name string) string {
	return kind + "-" + strings.ReplaceAll(strings.ToLower(name), " ", "-")
}
