package main

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kamachat/server/store"
	"kamachat/shared/chat"
)

func TestFillStoresEveryMessage(t *testing.T) {
	dir := t.TempDir()
	dsn, users := "sqlite:"+filepath.Join(dir, "k.db"), filepath.Join(dir, "users.csv")
	args := []string{"-db", dsn, "-users", users, "-messages", "3000", "-conversations", "200"}
	var out bytes.Buffer
	if err := run(t.Context(), args, &out); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(users)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Fields(string(text))
	if lines[0] != "username,id,token" || len(lines) != 1+100 {
		t.Fatalf("%d lines of tokens, the first is %q", len(lines), lines[0])
	}
	if !strings.Contains(out.String(), "\n3000 messages, ") {
		t.Errorf("progress was told like this:\n%s", out.String())
	}

	db, err := store.Open(t.Context(), dsn, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	total := int64(0)
	seen := map[chat.ConvID]bool{}
	for _, line := range lines[1:] {
		heads, err := db.Heads(context.Background(), chat.UserID(strings.Split(line, ",")[1]))
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range heads {
			if !seen[h.Conv] {
				seen[h.Conv] = true
				total += h.LastSeq
			}
		}
	}
	if total != 3000 {
		t.Errorf("the conversations hold %d messages, want 3000", total)
	}
	if err := run(t.Context(), args, &out); err == nil {
		t.Error("a database that is filled was filled again")
	}
}

func TestPlanHasPeopleInAFifthOfAllConversations(t *testing.T) {
	for _, n := range []int{100, 1000, 10_000} {
		p := newPlan(n, rand.New(rand.NewPCG(1, 1)))
		if len(p.convs) != n || p.people != n/2 {
			t.Errorf("%d conversations of %d people, want %d of %d", len(p.convs), p.people, n, n/2)
		}
		in := make([]int, p.people)
		pairs := map[[2]int]bool{}
		for _, c := range p.convs {
			once := map[int]bool{}
			for _, m := range c.members {
				once[m] = true
				in[m]++
			}
			if len(once) != len(c.members) {
				t.Fatalf("somebody is in a conversation twice: %v", c.members)
			}
			if !c.group {
				pair := [2]int{c.members[0], c.members[1]}
				if pairs[pair] {
					t.Fatalf("two conversations of the same people: %v", pair)
				}
				pairs[pair] = true
			}
		}
		for h := range heavy {
			if in[h] < n/5-n/50 || in[h] > n/5+2 {
				t.Errorf("of %d conversations, person %d is in %d, want a fifth", n, h, in[h])
			}
		}
	}
}
