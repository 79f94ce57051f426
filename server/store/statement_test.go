package store

import (
	"strings"
	"testing"
)

func TestLongMessagesAreInsertedInParts(t *testing.T) {
	rows := make([]messageRow, 256)
	for i := range rows {
		rows[i] = messageRow{Seq: int64(i), Content: strings.Repeat("x", 60_000)}
	}
	next := int64(0)
	for _, part := range statements(rows) {
		size := 0
		for _, r := range part {
			if r.Seq != next {
				t.Fatalf("row %d where %d belongs", r.Seq, next)
			}
			size += len(r.Content)
			next++
		}
		if len(part) == 0 || size > maxStatement {
			t.Errorf("a statement of %d rows and %d bytes", len(part), size)
		}
	}
	if next != 256 {
		t.Errorf("%d rows, want 256", next)
	}
	if got := len(statements([]messageRow{{Content: strings.Repeat("x", 2*maxStatement)}})); got != 1 {
		t.Errorf("one long row makes %d statements", got)
	}
	if got := len(statements(rows[:3])); got != 1 {
		t.Errorf("three rows make %d statements", got)
	}
}
