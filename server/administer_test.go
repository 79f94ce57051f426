package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"kamachat/shared/chat"
	"kamachat/ui/state"
)

// inShell runs "admin" with these words on data and returns what it printed.
func inShell(t *testing.T, data string, words ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := run(t.Context(), append([]string{"admin"}, append(words, "--data", data)...), noEnv, &out, t.Output())
	return out.String(), err
}

// printed is what "admin" with these words and --json prints.
func printed[T any](t *testing.T, data string, words ...string) (v T) {
	t.Helper()
	out, err := inShell(t, data, append(words, "--json")...)
	if err == nil {
		err = json.Unmarshal([]byte(out), &v)
	}
	if err != nil {
		t.Fatalf("admin %s: %v in %s", strings.Join(words, " "), err, out)
	}
	return v
}

// answers is the status of a request with s's token.
func (s *someone) answers(t *testing.T, method, url string) int {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(`{"text":"x"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+s.token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

func TestTheShellAdministersBesideARunningServer(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	url := inProcess(t, "--data", data)
	ann, bob := join(t, url, "ann"), join(t, url, "bob")
	var made struct{ Group struct{ ID chat.ConvID } }
	call(t, "POST", url+"/api/v1/groups", ann.token, map[string]any{"name": "Walk", "members": []chat.UserID{bob.ID}}, &made)
	ann.say(chat.Direct(ann.ID, bob.ID), "ann 0")
	agree(t, url, chat.Direct(ann.ID, bob.ID), 1, ann, bob)

	if ps := printed[[]chat.Account](t, data, "people", "--search", "bo"); len(ps) != 1 || ps[0].ID != bob.ID {
		t.Errorf("people: %+v", ps)
	}
	if out, err := inShell(t, data, "people"); err != nil || !strings.Contains(out, "USERNAME") || !strings.Contains(out, `"ANN"`) {
		t.Errorf("people: %v\n%s", err, out)
	}
	for words, want := range map[string]string{
		"disable nobody": "no such person", "make-admin bob": "", "delete ann": "add --yes", "dismiss Walk": "add --yes", "dismiss Nowhere --yes": "no such group",
		"enable bob": "the account is not disabled",
	} {
		_, err := inShell(t, data, strings.Fields(words)...)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", words, err, want)
		}
	}
	for _, words := range []string{"remove-admin", "disable"} {
		if _, err := inShell(t, data, words, "bob"); err == nil || err.Error() != "the last administrator can't go" {
			t.Errorf("%s: %v", words, err)
		}
	}

	// Nobody posts in a group that is disabled, until it is enabled.
	for _, c := range []struct {
		act   string
		taken bool
	}{{"disable-group", false}, {"enable-group", true}} {
		if _, err := inShell(t, data, c.act, "Walk"); err != nil {
			t.Error(err)
		}
		if got := ann.answers(t, "POST", url+"/api/v1/conversations/"+string(made.Group.ID)+"/messages"); (got == http.StatusOK) != c.taken {
			t.Errorf("after %s a post is answered with %d", c.act, got)
		}
	}

	if d := printed[done](t, data, "disable", "ann"); d.ID != string(ann.ID) || d.Note != late {
		t.Errorf("disable: %+v", d)
	}
	if got := ann.answers(t, "POST", url+"/api/v1/conversations/"+string(chat.Direct(ann.ID, bob.ID))+"/messages"); got != http.StatusUnauthorized {
		t.Errorf("what she posts then is answered with %d", got)
	}
	eventually(t, func() string { return "her socket is open" }, func() (out bool) {
		ann.Do(func(st *state.State) { out = st.Status().Phase == state.SignedOut })
		return out
	})
	if d := printed[done](t, data, "reset-password", "@BOB"); len(d.Password) != 17 {
		t.Errorf("reset: %+v", d)
	}
	if d := printed[done](t, data, "delete", string(ann.ID), "--yes", "--erase"); d.Erased != 2 || d.Note != late+leaving {
		t.Errorf("delete: %+v", d)
	}
	// The server has her leave her groups.
	eventually(t, func() string { return "her group is hers still" }, func() bool {
		gs := printed[[]chat.GroupLine](t, data, "groups")
		return len(gs) == 1 && gs[0].Owner == bob.ID && gs[0].Members == 1
	})
	if d := printed[done](t, data, "dismiss", "Walk", "--yes"); d.ID != string(made.Group.ID) {
		t.Errorf("dismiss: %+v", d)
	}
	if gs := printed[[]chat.GroupLine](t, data, "groups", "--only", "ended"); len(gs) != 1 || gs[0].Owner != bob.ID {
		t.Errorf("groups: %+v", gs)
	}
	var whats []string
	me := shellUser()
	for _, d := range printed[[]chat.Deed](t, data, "audit") {
		if whats = append(whats, d.What); d.What != chat.ActErased && (d.Addr != me.Addr || d.ByName != me.Name || d.By != "") {
			t.Errorf("noted as %+v", d)
		}
	}
	if got := strings.Join(whats, " "); got != "dismiss-group erased delete reset-password disable enable-group disable-group make-admin" {
		t.Errorf("noted: %s", got)
	}
	if n := len(printed[[]chat.Deed](t, data, "audit", "--by", me.Name, "--limit", "2")); n != 2 {
		t.Errorf("%d rows of 2", n)
	}
	for filter, want := range map[string]int{
		"--what disable": 1, "--what nothing": 0, "--target bob": 2, "--target " + string(bob.ID): 2, "--target @BOB --what make-admin": 1,
		"--since 2000-01-01": len(whats), "--until 2000-01-01": 0, "--since 2999-01-01": 0, "--until 2999-01-01 --target nobody": 0,
	} {
		if got := printed[[]chat.Deed](t, data, append([]string{"audit"}, strings.Fields(filter)...)...); len(got) != want {
			t.Errorf("audit %s: %d rows, want %d: %+v", filter, len(got), want, got)
		}
	}
}

func TestShellActsOnSeveralOnceThatIsMeant(t *testing.T) {
	data := t.TempDir()
	url := inProcess(t, "--data", data)
	ann, bob := join(t, url, "ann"), join(t, url, "bob")
	out, err := inShell(t, data, "disable", "ann", string(bob.ID), "nobody")
	if err == nil || !strings.Contains(err.Error(), "--yes") || !strings.Contains(out, string(ann.ID)) || !strings.Contains(out, string(bob.ID)) || !strings.Contains(out, "nobody, not done") {
		t.Errorf("not meant: %v\n%s", err, out)
	}
	disabled := func() (names []string) {
		for _, a := range printed[[]chat.Account](t, data, "people", "--only", "disabled") {
			names = append(names, a.Username)
		}
		return names
	}
	if ds := disabled(); len(ds) > 0 {
		t.Errorf("%v are disabled before that was meant", ds)
	}
	out, err = inShell(t, data, "disable", "ann", string(bob.ID), "nobody", "--yes")
	if err == nil || !strings.HasPrefix(err.Error(), "nobody: ") || strings.Contains(err.Error(), "ann") {
		t.Errorf("one who is not there: %v\n%s", err, out)
	}
	if ds := disabled(); strings.Join(ds, " ") != "ann bob" {
		t.Errorf("%v are disabled, want both", ds)
	}
}

func TestShellLooksAtNodesPeopleAndGroups(t *testing.T) {
	data := t.TempDir()
	url := inProcess(t, "--data", data)
	ann, bob := join(t, url, "ann"), join(t, url, "bob")
	var made struct{ Group struct{ ID chat.ConvID } }
	call(t, "POST", url+"/api/v1/groups", ann.token, map[string]any{"name": "Tea", "members": []chat.UserID{bob.ID}}, &made)
	for args, want := range map[string][]string{
		"person ann":                     {"ann", "SIGNED IN", string(made.Group.ID)},
		"person " + string(bob.ID):       {"bob"},
		"group Tea":                      {string(made.Group.ID), "ann", "bob", "2 members"},
		"group " + string(made.Group.ID): {"Tea"},
		"overview":                       {"NODE", "MESSAGES/S"},
		"person ann --json":              {`"username": "ann"`},
		"group Tea --json":               {`"name": "Tea"`},
		"overview --json":                {`"reports": 0`},
	} {
		out, err := inShell(t, data, strings.Fields(args)...)
		for _, w := range want {
			if err != nil || !strings.Contains(out, w) {
				t.Errorf("%s, without %q: %v\n%s", args, w, err, out)
			}
		}
	}
	if _, err := inShell(t, data, "person", "nobody"); err == nil {
		t.Error("nobody is somebody")
	}
	eventually(t, func() string { return "the node does not show" }, func() bool {
		of := printed[struct {
			Nodes []struct{ Node string }
		}](t, data, "overview")
		return len(of.Nodes) == 1
	})
}
