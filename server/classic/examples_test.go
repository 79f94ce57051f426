package classic

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// TestProtocolPage: docs/protocol.md shows what clients send as this codec
// reads it, and what they get with the fields that it writes.
func TestProtocolPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	c := New("U1a", func() string { return "c1" }, time.UTC)
	written := map[string][]string{}
	for kind, b := range map[string]wire.Body{
		"message": wire.Posted{Message: chat.Message{Conv: chat.Direct("U1a", "U2b"), Author: "U1a", Content: chat.TextContent("x")}},
		"error":   wire.Refused{Code: chat.NotFound, Words: "x"},
	} {
		p, _, _ := c.Append(nil, wire.Frame{Body: b})
		written[kind] = fields(t, string(p))
	}
	read, wrote := 0, 0
	for _, block := range strings.Split(string(page), "```json classic\n")[1:] {
		example, _, _ := strings.Cut(block, "\n```")
		got := fields(t, example)
		switch {
		case slices.Contains(got, "created_at"), slices.Contains(got, "code"):
			wrote++
			if !slices.Equal(got, written["message"]) && !slices.Equal(got, written["error"]) {
				t.Errorf("%s has other fields than the server writes", example)
			}
		default:
			read++
			if _, err := c.Parse([]byte(example)); err != nil {
				t.Errorf("%s: %v", example, err)
			}
		}
	}
	if read < 2 || wrote < 2 {
		t.Errorf("%d examples of what clients send, %d of what they get", read, wrote)
	}
}

func fields(t *testing.T, frame string) []string {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(frame), &m); err != nil {
		t.Fatalf("%s: %v", frame, err)
	}
	return slices.Sorted(maps.Keys(m))
}
