package state

import (
	"os"
	"strings"
	"testing"
	"time"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// FuzzApply: whatever a server says, the State folds it without a panic and
// never shows a row twice.
func FuzzApply(f *testing.F) {
	if page, err := os.ReadFile("../../docs/protocol.md"); err == nil {
		for line := range strings.Lines(string(page)) {
			if strings.HasPrefix(line, "{") || strings.HasPrefix(line, "[") {
				f.Add([]byte(line))
			}
		}
	}
	f.Add([]byte(`[{"k":"posted","b":{"conv":"G1","seq":9223372036854775807}},{"k":"posted","b":{"conv":"G1","seq":1}},{"k":"history","b":{"conv":"G1","last_seq":-5,"entries":[{"seq":9}]}}]`))
	f.Add([]byte(`[{"k":"posted","b":{"conv":"G1","seq":4}},{"k":"lined","b":{"conv":"G1","cleared":9223372036854775807}},{"k":"posted","b":{"conv":"G1","seq":5}},{"k":"history","b":{"conv":"G1","last_seq":9,"entries":[{"seq":9}]}},{"k":"lined","b":{"conv":"G1","cleared":-7,"pinned":-1,"archived":true}}]`))
	f.Fuzz(func(t *testing.T, p []byte) {
		fs, err := wire.V1.Parse(p)
		if err != nil {
			return
		}
		s := welcomed(3, chat.Marks{Read: 1}, 2)
		s.Add(group, chat.TextContent("x"), "r", 0)
		s.Open(group)
		for i, fr := range append(fs, fs...) {
			now := int64(i) * 20_000
			s.Apply(fr, now)
			s.Due(now)
			s.Expire(now)
			s.TakeSeen()
		}
		for _, c := range s.Convs() {
			keys := map[string]bool{}
			for _, r := range s.Rows(c.ID, time.UTC) {
				if keys[r.Key] {
					t.Fatalf("%s shows %s twice", c.ID, r.Key)
				}
				keys[r.Key] = true
			}
		}
	})
}
