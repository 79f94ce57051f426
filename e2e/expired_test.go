package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"kamachat/shared/chat"
)

// What a browser keeps follows what the server keeps no longer, as chat.Expired says:
// in its own database, and again in one that was opened before.
func TestKeptPagesExpireInTheBrowser(t *testing.T) {
	s := newServer(t, "--rate-limit", "off")
	mei, zhe := join(t, s, "linmei", "Lin Mei"), join(t, s, "azhe", "Azhe")
	conv := mei.with(zhe)
	for i := range 120 {
		zhe.says(conv, fmt.Sprint("text ", i))
	}
	p := browse(t, s, 1024, 768).as(mei)
	p.goTo("/c/" + string(conv))
	p.live()
	page := func(n int) string { return fmt.Sprintf("p/%s/%08x", conv, n) }
	p.until(`(document.getElementById("scroll").scrollTop = 0, [...document.querySelectorAll("#log .b")].some(b => b.textContent.includes("text 0")))`)
	p.kept(page(0), "text 0")
	p.kept(page(1), "text 50")
	p.kept(page(2), "text 119")
	read := func(n int) (es []chat.Message) {
		t.Helper()
		if err := json.Unmarshal([]byte(promised[string](p, fmt.Sprintf("kamaStore.peek(%q)", page(n)))), &es); err != nil {
			t.Fatal(err)
		}
		return es
	}
	all := append(append(read(0), read(1)...), read(2)...)
	until := all[69].At
	for range 2 {
		promised[string](p, fmt.Sprintf(`kamaStore.write(JSON.stringify({ who: %q, gone: { messages: %d } }))`, mei.ID, until))
		for i, m := range append(append(read(0), read(1)...), read(2)...) {
			want := all[i]
			chat.Expired{Messages: until}.Apply(&want)
			if got, _ := json.Marshal(m); string(got) != mustJSON(t, want) {
				t.Errorf("entry %d is kept as %s, want %s", i+1, got, mustJSON(t, want))
			}
			if gone := strings.Contains(mustJSON(t, m), "expired"); gone != (m.At < until) {
				t.Errorf("entry %d is gone: %v", i+1, gone)
			}
		}
	}
	p.quiet()
}
