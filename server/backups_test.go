package main

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kamachat/server/servicetest"
)

// saving is the command backup or restore as a process of its own.
func saving(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asServer+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return string(out)
}

// answerTo is how the API answers whoever has token.
func answerTo(t *testing.T, url, token string) int {
	t.Helper()
	req, err := http.NewRequest("GET", url+"/api/v1/me", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// A server is backed up while people write, and what was acknowledged before is
// there, once and in order, on a server that is started on what was restored.
func TestServerIsBackedUpUnderLoad(t *testing.T) {
	for name, to := range map[string]func(*testing.T) string{
		"sqlite":  func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "again.db") },
		"mariadb": func(t *testing.T) string { return servicetest.MariaDB(t).Database() },
	} {
		t.Run(name, func(t *testing.T) {
			p := &process{t: t, data: t.TempDir()}
			p.start("127.0.0.1:0")
			t.Cleanup(func() { p.kill() })
			c := gather(t, p.url, 8)
			c.write(200, uint64(time.Now().UnixNano()))
			eventually(t, func() string { return fmt.Sprintf("%d texts are acknowledged", c.acknowledged()) }, func() bool { return c.acknowledged() >= 200 })
			before := c.acknowledged()
			out := filepath.Join(t.TempDir(), "kamachat.tar.zst")
			t.Log(saving(t, "backup", "--data", p.data, out))
			c.quiet()
			if said := saving(t, "restore", "--check", out); !strings.Contains(said, "is whole: 8 people, 5 conversations, ") {
				t.Errorf("checked: %s", said)
			}
			p.kill()
			where, db := t.TempDir(), to(t)
			t.Log(saving(t, "restore", "--data", where, "--db", db, out))
			again := &process{t: t, data: where, flags: []string{"--db", db}}
			again.start("127.0.0.1:0")
			t.Cleanup(func() { again.kill() })
			there := 0
			for i, conv := range c.convs {
				next := map[string]int{}
				who := c.people[2*i%len(c.people)]
				if i == 0 && answerTo(t, again.url, who.token) != http.StatusUnauthorized {
					t.Error("somebody is signed in with what the backup has")
				}
				var in struct{ Token string }
				call(t, "POST", again.url+"/api/v1/login", "", map[string]string{"username": who.Username, "password": "correct horse " + who.Username}, &in)
				who.token = in.Token
				for _, s := range who.stored(t, again.url, conv) {
					name, n, _ := strings.Cut(s, " ")
					if n != fmt.Sprint(next[name]) {
						t.Fatalf("%s: %q where %d was due", conv, s, next[name])
					}
					next[name]++
					there++
				}
			}
			if there < before {
				t.Errorf("%d texts are there, %d were acknowledged before the backup began", there, before)
			}
			t.Logf("%d texts are there, %d were acknowledged before the backup began", there, before)
		})
	}
}
