package web

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"kamachat/shared/chat"
)

// The examples in docs are run as they are.
func TestExamplesWork(t *testing.T) {
	client := filepath.Join(t.TempDir(), "client")
	if out, err := exec.Command("go", "build", "-o", client, "../../docs/examples/client").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, c := range map[string]struct{ program, needs string }{
		"Go":   {client, ""},
		"curl": {"../../docs/examples/post.sh", "curl"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := exec.LookPath(c.needs); c.needs != "" && err != nil {
				if os.Getenv("KAMACHAT_REQUIRE") == "all" {
					t.Fatal(err)
				}
				t.Skip(err)
			}
			h := openHouse(t, withRealHub)
			run := func(whom, text string, env ...string) (string, error) {
				cmd := exec.CommandContext(t.Context(), c.program, whom, text)
				cmd.Env = append(os.Environ(), append(env, "KAMACHAT="+h.URL)...)
				out, err := cmd.CombinedOutput()
				return string(out), err
			}
			ann := []string{"KAMACHAT_USER=ann", "KAMACHAT_PASSWORD=password1"}
			for i, text := range []string{"Hello", "and again"} {
				out, err := run("bob", text, ann...)
				if err != nil || !strings.Contains(out, text) {
					t.Fatalf("%v\n%s", err, out)
				}
				if conv := string(chat.Direct(h.ann.ID, h.bob.ID)); i > 0 && !strings.Contains(out, conv) {
					t.Errorf("the second time %s is not listed:\n%s", conv, out)
				}
			}
			if out, err := run("bob", "x", "KAMACHAT_USER=ann", "KAMACHAT_PASSWORD=wrong"); err == nil {
				t.Errorf("a wrong password is taken:\n%s", out)
			}
			got := h.do(h.signedIn(h.bob), "GET", "/api/v1/conversations/"+string(h.ann.ID)+"/messages", nil)
			if page := decode[chat.Page](t, got); page.LastSeq != 2 || page.Entries[1].Content.Text != "and again" {
				t.Errorf("bob reads %s", got.body)
			}
		})
	}
}
