package page

import (
	"strings"
	"testing"

	"kamachat/shared/chat"
)

// Whose account was deleted is called so in the reader's language in the chat, too.
func TestWhoIsGoneIsCalledSoInTheChat(t *testing.T) {
	me, gone := chat.Person{ID: "Ume", Nickname: "Me"}, chat.Person{ID: "Ux", Username: chat.GoneUsername("Ux"), Nickname: "Deleted account"}
	conv := chat.Summary{Conv: chat.Direct("Ume", "Ux")}
	for lang, want := range map[string]string{"en": "Deleted account", "zh": "已注销的账号"} {
		p := ChatPage{Me: &me, People: []chat.Person{gone}}
		p.Lang = lang
		if got := p.line(conv).Title; got != want {
			t.Errorf("%s: the list calls them %q", lang, got)
		}
		if got := p.name("Ux"); !strings.Contains(got, want) {
			t.Errorf("%s: the log calls them %q", lang, got)
		}
	}
}
