package main

import (
	"sync/atomic"
	"testing"
	"time"

	"kamachat/shared/chat"
)

// Two processes may be given the same number, or one is started again while its
// clock is behind: a message of the seed's is not taken for one sent before.
func TestRefsOfTheSeedsMessagesAreNeverTheSame(t *testing.T) {
	var clock atomic.Int64
	clock.Store(time.Now().UnixMilli())
	seen := map[string]bool{}
	for range 2 {
		s := &sessions{ids: chat.NewIDs(0, clock.Load)}
		for range 1000 {
			ref := s.ref()
			d := chat.Draft{Conv: chat.Direct("Ua", "Ub"), Author: "Ua", Ref: ref, Content: chat.TextContent("x")}
			if err := d.Validate(); err != nil || seen[ref] {
				t.Fatalf("%q was given before: %v; %v", ref, seen[ref], err)
			}
			seen[ref] = true
		}
	}
}
