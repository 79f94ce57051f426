package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"kamachat/shared/chat"
)

// administrator opens a server in a browser of its first administrator, called root.
func administrator(t *testing.T) (*server, *page) {
	t.Helper()
	s, link := setup(t)
	p := browse(t, s, 1440, 900)
	p.goTo(strings.TrimPrefix(link, s.url))
	p.fill("input[name=username]", "root")
	p.fill("input[name=nickname]", "Root")
	p.fill("input[name=password]", "correct horse root")
	p.click("form button.primary")
	p.live()
	return s, p
}

// refused posts a text as p and returns the status that it is answered with.
func (p *person) refused(conv chat.ConvID, text string) int {
	p.t.Helper()
	body, err := json.Marshal(map[string]string{"text": text})
	if err != nil {
		p.t.Fatal(err)
	}
	req, err := http.NewRequest("POST", p.base+"/api/v1/conversations/"+string(conv)+"/messages", bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+p.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// An administrator disables somebody who is just chatting.
func TestAnAdministratorDisablesWhoIsChatting(t *testing.T) {
	s, root := administrator(t)
	bob, ann := join(t, s, "bob", "Bob"), join(t, s, "ann", "Ann")
	b, a := root.beside(1000, 800).as(bob), root.beside(1000, 800).as(ann)
	for _, p := range []*page{b, a} {
		p.expected = true // losing the sign-in makes the console complain
	}
	b.goTo("/c/" + string(bob.with(ann)))
	b.live()
	a.goTo("/c/" + string(bob.with(ann)))
	a.live()
	b.say("I am here")
	a.sees("I am here")

	root.goTo("/")
	root.live()
	root.click(".who-am-i")
	root.click(`#menu a[href="/admin"]`)
	root.until(`location.pathname == "/admin" + "/people" || document.querySelector("nav.side")`)
	root.goTo("/admin/people?q=bob")
	root.click(`a.who-cell[href="/admin/people/` + string(bob.ID) + `"]`)
	root.until(`document.querySelector("dl.facts")`)
	root.click(`a[href*="act=disable"]`)
	root.fill("input[name=password]", "correct horse root")
	root.click("form button.primary")
	root.until(`document.querySelector(".badge.good")?.textContent == "done"`)

	b.until(`location.pathname == "/login"`) // the socket has ended, and the page with it
	if got := bob.refused(bob.with(ann), "I am still here"); got != http.StatusUnauthorized {
		t.Errorf("what he says then is answered with %d", got)
	}
	b.fill("input[name=username]", "bob")
	b.fill("input[name=password]", "correct horse bob")
	b.click("form button.primary")
	b.until(`document.querySelector(".problem")?.textContent.includes("disabled")`)
	a.goTo("/c/" + string(bob.with(ann)))
	a.sees("I am here")
	if n := a.rows("I am still here"); n != 0 {
		t.Error("what he said then arrived")
	}

	root.goTo("/admin/audit")
	root.until(`[...document.querySelectorAll("tbody tr")].some(r => ["root", "disabled a person", "bob", "127.0.0.1"].every(w => r.textContent.includes(w)))`)
	root.quiet()
}

func TestAdministrationLooks(t *testing.T) {
	s, root := administrator(t)
	var people []*person
	for i, name := range []string{"Lin Mei", "Azhe", "Xiao Yu", "陈工", "Anneliese Wertheim-Hohenstaufen von der Lippe-Detmold"} {
		people = append(people, join(t, s, fmt.Sprint("person", i), name))
	}
	hike := people[0].group("Weekend hike 周末徒步", people[1:]...)
	book := people[1].group("Book club", people[2])
	people[0].says(hike, "hello")
	// What needs the password once, and then the log has something to say.
	act := func(path, act, id string) {
		root.goTo(path + "/act?act=" + act + "&id=" + id)
		root.until(`document.querySelector("main form")`)
		if eval[bool](root, `!!document.querySelector("input[name=password]")`) {
			root.fill("input[name=password]", "correct horse root")
		}
		root.click("main form button")
		root.until(`document.querySelector(".badge.good")`)
	}
	root.goTo("/admin/people/act?act=delete&id=" + string(people[3].ID) + "&id=" + string(people[4].ID) + "&id=" + string(people[1].ID))
	root.until(`document.querySelector(".notice")`)
	root.cookie("kamachat_lang", "en")
	root.look("en", "admin-act")
	act("/admin/people", "disable", string(people[2].ID))
	act("/admin/groups", "disable-group", string(book))
	act("/admin/people", "make-admin", string(people[0].ID))
	act("/admin/people", "reset-password", string(people[1].ID))
	root.look("en", "admin-password")
	act("/admin/people", "delete", string(people[3].ID))
	for _, lang := range []string{"en", "zh"} {
		root.cookie("kamachat_lang", lang)
		for name, path := range map[string]string{
			"people": "/admin/people", "person": "/admin/people/" + string(people[1].ID), "groups": "/admin/groups", "group": "/admin/groups/" + string(hike), "audit": "/admin/audit",
		} {
			root.goTo(path)
			root.until(`document.querySelector("nav.side")`)
			root.look(lang, "admin-"+name)
		}
	}
	root.quiet()
}
