package hooks

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"kamachat/shared/chat"
)

// due returns webhooks that are called MAKER-HOST-NUMBER.
func due(names ...string) (hs []chat.OutHook) {
	for _, n := range names {
		hs = append(hs, chat.OutHook{ID: n, By: chat.UserID(n[:1]), Host: n[1:2]})
	}
	return hs
}

func TestNobodyHasMoreThanTheirTurn(t *testing.T) {
	for name, c := range map[string]struct {
		due   []chat.OutHook
		want  string // what begins at once
		ended string // then this one ends
		next  string // and this begins
	}{
		"one maker, many hosts":      {due("ax1", "ay2", "az3", "bx4"), "[ax1 ay2 bx4]", "ay2", "[az3]"},
		"one host, many makers":      {due("ax1", "bx2", "cx3", "dx4", "ey5"), "[ax1 bx2 cx3 ey5]", "ax1", "[dx4]"},
		"one host, one in haste":     {due("ax1", "ax2", "ax3", "bx4"), "[ax1 ax2 bx4]", "ax1", "[ax3]"},
		"all begin where they may":   {due("ax1", "by2", "cz3"), "[ax1 by2 cz3]", "ax1", "[]"},
		"no more than there is room": {due("ax1", "by1", "cz1", "dw1", "ev1"), "[ax1 by1 cz1 dw1]", "cz1", "[ev1]"},
		"in the order of last tries": {due("bx2", "ax1", "ax3", "ax4"), "[bx2 ax1 ax3]", "ax1", "[ax4]"},
		"none twice":                 {due("ax1", "ax1"), "[ax1]", "ax1", "[ax1]"},
	} {
		u := newTurns(4)
		u.due = slices.Clone(c.due)
		begin := func() string {
			ids := []string{}
			for h, ok := u.next(); ok; h, ok = u.next() {
				ids = append(ids, h.ID)
			}
			return fmt.Sprint(ids)
		}
		if got := begin(); got != c.want {
			t.Errorf("%s: %s begin, want %s", name, got, c.want)
		}
		i := slices.IndexFunc(c.due, func(h chat.OutHook) bool { return h.ID == c.ended })
		u.ended(c.due[i])
		if got := begin(); got != c.next {
			t.Errorf("%s: then %s begin, want %s", name, got, c.next)
		}
	}
}

func TestThoseWhoseTurnsAreUsedUpAreNamed(t *testing.T) {
	u := newTurns(8)
	u.due = due("ax1", "ax2", "by3", "cz4", "dy5", "ey6")
	for _, ok := u.next(); ok; _, ok = u.next() {
	}
	if got := fmt.Sprint(u.full()); got != "[a] [y]" {
		t.Errorf("full are %s", got)
	}
	for _, h := range slices.Collect(maps.Values(u.under)) {
		u.ended(h)
	}
	if makers, hosts := u.full(); len(makers)+len(hosts)+len(u.under) != 0 {
		t.Errorf("all have ended: %v %v %v", makers, hosts, u.under)
	}
}
