package main

import (
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"kamachat/server/settings"
	"kamachat/server/store"
	"kamachat/server/store/storetest"
	"kamachat/shared/chat"
)

// A group takes no more than administrators allow, whoever they are and however they
// come; what was made for one that it does not take is gone again.
func TestAFullGroupTakesNobodyByAnyWay(t *testing.T) {
	data := t.TempDir()
	dsn := "sqlite:" + filepath.Join(data, "kamachat.db")
	db := storetest.Open(t, dsn, store.Options{ID: chat.NewIDs(9, func() int64 { return 1 }).Next})
	set := settings.New(db, slog.New(slog.DiscardHandler))
	if err := set.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := set.Change(t.Context(), chat.Deed{By: "Uboss"}, map[string]string{settings.MaxGroup: "3"}); err != nil {
		t.Fatal(err)
	}
	url := inProcess(t, "--db", dsn, "--hooks", "local")
	var people []*someone
	for _, name := range []string{"ann", "bob", "cat", "dan", "eve"} {
		people = append(people, join(t, url, name))
	}
	a, b, c, d, e := people[0], people[1], people[2], people[3], people[4]
	conv := makeGroup(t, url, a, b)
	group := url + "/api/v1/groups/" + string(conv)
	do := func(p *someone, method, path string, in any, want chat.Code) {
		t.Helper()
		if got, code := status(t, method, path, p.token, in); code != want {
			t.Errorf("%s %s: %d %s, want %q", method, path, got, code, want)
		}
	}
	do(a, "PATCH", group, map[string]string{"joining": "approval"}, "")
	do(e, "POST", group+"/join", nil, "") // asks
	var link struct{ Invite struct{ Code string } }
	call(t, "POST", group+"/invites", a.token, map[string]int{}, &link)
	do(a, "PATCH", group, map[string]string{"joining": "direct"}, "")

	// Everybody comes at once for the last place, by all ways that there are.
	hooksAt := url + "/api/v1/conversations/" + string(conv) + "/hooks/in"
	ways := []func() (int, chat.Code){
		func() (int, chat.Code) { return status(t, "POST", group+"/join", c.token, nil) },
		func() (int, chat.Code) { return status(t, "POST", url+"/api/v1/join/"+link.Invite.Code, d.token, nil) },
		func() (int, chat.Code) {
			return status(t, "POST", group+"/requests/"+string(e.ID)+"/accept", a.token, nil)
		},
		func() (int, chat.Code) {
			return status(t, "POST", hooksAt, a.token, map[string]string{"name": "robot"})
		},
	}
	for round := range 2 {
		var wg sync.WaitGroup
		codes := make([]chat.Code, len(ways))
		for i, way := range ways {
			wg.Go(func() { _, codes[i] = way() })
		}
		wg.Wait()
		in := len(codes) - len(slices.DeleteFunc(slices.Clone(codes), func(c chat.Code) bool { return c == "" }))
		for i, code := range codes {
			if code != "" && code != chat.TooLong && (round == 0 || code != chat.Taken && code != chat.NotFound) {
				t.Errorf("round %d, way %d: %s", round, i, code)
			}
		}
		if round == 0 && in != 1 {
			t.Errorf("%d came in by %v, want one", in, codes)
		}
		if g, err := db.Group(t.Context(), conv); err != nil || g.Members != 3 {
			t.Errorf("round %d: there are %d, %v", round, g.Members, err)
		}
	}
	bots, err := db.BotsOf(t.Context(), a.ID)
	hooks, herr := db.InHooks(t.Context(), conv)
	if err != nil || herr != nil || len(bots) != len(hooks) {
		t.Errorf("%d bots are left of %d webhooks, %v %v", len(bots), len(hooks), err, herr)
	}
	if got, code := status(t, "POST", url+"/api/v1/groups", a.token, map[string]any{"name": "four", "members": []chat.UserID{b.ID, c.ID, d.ID}}); code != chat.TooLong {
		t.Errorf("a group of four: %d %s", got, code)
	}
	if got, _ := status(t, "POST", url+"/api/v1/groups", a.token, map[string]any{"name": "three", "members": []chat.UserID{b.ID, c.ID}}); got != http.StatusOK {
		t.Errorf("a group of three: %d", got)
	}
}
