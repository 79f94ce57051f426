package main

import (
	"fmt"
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
				for _, s := range c.people[2*i%len(c.people)].stored(t, again.url, conv) {
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
