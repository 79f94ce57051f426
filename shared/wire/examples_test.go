package wire

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
)

// TestProtocolPage parses every example of docs/protocol.md: each line of a
// native block must be a frame that survives a round trip, each line of a
// classic one JSON, and every kind must have an example.
func TestProtocolPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	missing := map[string]bool{}
	for k := range bodies {
		missing[k] = true
	}
	fence := ""
	for i, line := range strings.Split(string(page), "\n") {
		if rest, ok := strings.CutPrefix(line, "```"); ok {
			if fence != "" {
				rest = ""
			} else if rest == "" {
				rest = "text"
			}
			fence = rest
			continue
		}
		switch fence {
		case "json":
			for _, k := range checkNative(t, i+1, line) {
				delete(missing, k)
			}
		case "json classic":
			if !json.Valid([]byte(line)) {
				t.Errorf("line %d is not JSON", i+1)
			}
		}
	}
	for k := range missing {
		t.Errorf("no example of %q", k)
	}
}

func checkNative(t *testing.T, n int, line string) (kinds []string) {
	fs, err := V1.Parse([]byte(line))
	if err != nil {
		t.Errorf("line %d: %v", n, err)
	}
	for _, f := range fs {
		if b, bad := f.Body.(Bad); bad {
			t.Errorf("line %d: kind %q: %v", n, b.Kind, b.Why)
			continue
		}
		kinds = append(kinds, f.Body.kind())
		if b, ok := f.Body.(Post); ok {
			if err := b.Content.Validate(); err != nil {
				t.Errorf("line %d: %v", n, err)
			}
		}
		p, _, err := V1.Append(nil, f)
		if err != nil {
			t.Errorf("line %d: %v", n, err)
		}
		if !strings.HasPrefix(line, "[") && !sameJSON(p, []byte(line)) {
			t.Errorf("line %d comes back as %s", n, p)
		}
	}
	return kinds
}

func sameJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}
