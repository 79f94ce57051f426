package page

import (
	"reflect"
	"testing"
)

// small API with one of everything.
func apiPage(lang string) APIPage {
	text := APIRef{Words: "string"}
	return APIPage{
		Common: common(lang), About: "All is `JSON`.\n\n**New fields** may <come>.",
		Codes: []APICode{{Code: "busy", Status: "503 Service Unavailable", About: "try again"}},
		Chapters: []APIChapter{{Name: "Two words", About: "What is said.", Operations: []APIOperation{
			{
				ID: "postMessage", Method: "POST", Path: "/api/v1/c/{id}", Summary: "Post", About: "A `key` helps.", Access: APIScoped, Scope: "messages:write",
				Params:  []APIField{{Name: "id", In: "path", Is: text, Required: true, About: "Which"}, {Name: "limit", In: "query", Is: APIRef{Words: "integer"}, Rules: "at least 0"}},
				Body:    &APIType{Name: "NewPost", Fields: []APIField{{Name: "text", Is: text}}},
				Answers: []APIAnswer{{Status: "200", About: "OK", Mime: "application/json", Is: APIRef{Type: "Message"}}},
				Curl:    `curl "$KAMACHAT/api/v1/c/{id}"`,
			},
			{ID: "upload", Method: "POST", Path: "/api/v1/files", Summary: "Upload", Access: APIPeople, Body: &APIType{Is: APIRef{Words: "bytes"}}},
			{ID: "login", Method: "POST", Path: "/api/v1/login", Summary: "Sign in", Access: APIOpen},
			{ID: "getMe", Method: "GET", Path: "/api/v1/me", Summary: "Who one is", Access: APIAny},
		}}},
		Types: []APIType{{Name: "Message", About: "One entry.", Fields: []APIField{{Name: "people", Is: APIRef{Words: "list of", Type: "Person"}}}}},
	}
}

func TestTextsAreTakenApart(t *testing.T) {
	got := spans("a `b**c` d **e**")
	want := []span{{"", "a "}, {"code", "b**c"}, {"", " d "}, {"strong", "e"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if ps := paragraphs("a\nb\n\nc"); len(ps) != 2 || ps[0] != "a\nb" || ps[1] != "c" {
		t.Errorf("got %q", ps)
	}
}
