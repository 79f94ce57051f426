package state_test

import (
	"testing"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
	"kamachat/ui/state"
)

// Whose account was deleted is called so in the reader's language, whatever is stored.
func TestWhoIsGoneIsCalledSoInTheReadersLanguage(t *testing.T) {
	s := state.New()
	s.CallGone("已注销的账号")
	for id, p := range map[chat.UserID]struct {
		person chat.Person
		want   string
	}{
		"Ua": {chat.Person{Username: chat.GoneUsername("Ua"), Nickname: "Deleted account"}, "已注销的账号"},
		"Ub": {chat.Person{Username: "bob", Nickname: "Deleted account"}, "Deleted account"},
	} {
		p.person.ID = id
		s.Apply(wire.Frame{Body: wire.People{People: []chat.Person{p.person}}}, 0)
		if got := s.Name(id); got != p.want {
			t.Errorf("%s is called %q, want %q", id, got, p.want)
		}
	}
}
