package web

import (
	"context"
	"net/http"
	"regexp"
	"testing"

	"kamachat/shared/chat"
)

// noHooks are webhooks that nobody gets to.
type noHooks struct{ h Hooks }

func (n noHooks) Hooks(ctx context.Context, u chat.UserID, c chat.ConvID) ([]chat.InHook, []chat.OutHook, error) {
	return n.h.Hooks(ctx, u, c)
}
func (n noHooks) MakeIn(ctx context.Context, by chat.Person, c chat.ConvID, name string) (chat.InHook, string, error) {
	return n.h.MakeIn(ctx, by, c, name)
}
func (n noHooks) EndIn(ctx context.Context, by chat.UserID, c chat.ConvID, id string) error {
	return n.h.EndIn(ctx, by, c, id)
}
func (n noHooks) MakeOut(ctx context.Context, by chat.UserID, c chat.ConvID, url string) (chat.OutHook, string, error) {
	return n.h.MakeOut(ctx, by, c, url)
}
func (n noHooks) EndOut(ctx context.Context, by chat.UserID, c chat.ConvID, id string) error {
	return n.h.EndOut(ctx, by, c, id)
}
func (n noHooks) Post(ctx context.Context, id, key, ref, text string, admit func(chat.UserID) error) (chat.Message, error) {
	return n.h.Post(ctx, id, key, ref, text, admit)
}

// noFiles are uploads that nobody gets to make.
type noFiles struct{ Files }

func (noFiles) MaxUpload() int64 { return 1 << 20 }

// Whatever is described, and whatever will be: nobody gets it, nor does a token
// that is bound to another scope.
func TestEveryOperationAsksWhoYouAre(t *testing.T) {
	h := open(t, func(c *Config) {
		c.Files, c.Push, c.Hooks = noFiles{}, struct{ Push }{}, noHooks{}
	})
	bot, err := h.accounts.MakeBot(t.Context(), h.ann, "helper", "")
	if err != nil {
		t.Fatal(err)
	}
	secret, _, err := h.accounts.MakeToken(t.Context(), h.ann.ID, bot.ID, "", []string{"files:read"})
	if err != nil {
		t.Fatal(err)
	}
	holes, n := regexp.MustCompile(`\{\w+\}`), 0
	for path, item := range describe(t).Open.Paths.Map() {
		for method, op := range item.Operations() {
			if op.Security == nil || len(*op.Security) == 0 {
				continue // open to all: those are tested by name
			}
			scopes := []string{"none"}
			for _, by := range *op.Security {
				if s, ok := by["bearer"]; ok {
					scopes = s
				}
			}
			n++
			for token, want := range map[string]int{"": http.StatusUnauthorized, "no such token": http.StatusUnauthorized, secret: http.StatusForbidden} {
				if token == secret && len(scopes) == 1 && scopes[0] == "files:read" {
					continue // that one it is bound to
				}
				r, err := http.NewRequestWithContext(t.Context(), method, h.URL+holes.ReplaceAllString(path, "x"), nil)
				if err != nil {
					t.Fatal(err)
				}
				if token != "" {
					r.Header.Set("Authorization", "Bearer "+token)
				}
				res, err := h.Client().Do(r)
				if err != nil {
					t.Fatal(err)
				}
				_ = res.Body.Close()
				if res.StatusCode == want || want == http.StatusForbidden && anyone[method+" "+path] {
					continue
				}
				t.Errorf("%s %s with %q: %d, want %d", method, path, token, res.StatusCode, want)
			}
		}
	}
	if n < 60 {
		t.Errorf("only %d operations found", n)
	}
}

// anyone are the operations that every token may use.
var anyone = map[string]bool{"GET /api/v1/me": true}
