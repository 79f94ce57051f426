package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"kamachat/server/servicetest"
	"kamachat/shared/chat"
)

// migrating is the command as a process of its own.
func migrating(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], append([]string{"migrate"}, args...)...)
	cmd.Env = append(os.Environ(), asServer+"=1")
	return cmd
}

// A server moves to MariaDB and back while people write. Moves and switches are
// killed and gone on with, and every text arrives once and in order.
func TestServerMovesUnderLoad(t *testing.T) {
	first, second := "sqlite:"+filepath.Join(t.TempDir(), "first.db"), "sqlite:"+filepath.Join(t.TempDir(), "second.db")
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	p := &process{t: t, data: t.TempDir(), flags: []string{"--db", first}}
	p.start("127.0.0.1:0")
	t.Cleanup(func() { p.kill() })
	c := gather(t, p.url, 12)
	c.write(400, seed)
	flows := func() {
		t.Helper()
		want := c.acknowledged() + 300
		eventually(t, func() string { return fmt.Sprintf("%d texts are acknowledged, want %d", c.acknowledged(), want) }, func() bool { return c.acknowledged() >= want })
	}
	flows()
	from := first
	for _, to := range []string{servicetest.MariaDB(t).Database(), second} {
		for _, how := range [][]string{nil, nil, {"--switch"}, {"--switch"}} {
			cmd := migrating(append([]string{"--from", from, "--to", to}, how...)...)
			cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(20+r.IntN(500)) * time.Millisecond) // wherever that is
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
		out, err := migrating("--from", from, "--to", to, "--switch").CombinedOutput()
		if err != nil || !strings.Contains(string(out), "start the new one with --db ") {
			t.Fatalf("switch: %v\n%s", err, out)
		}
		t.Logf("%s", out)
		// The old server goes on for a while, and acknowledges nothing.
		queued := c.queued()
		eventually(t, func() string { return "texts wait" }, func() bool { return c.queued() > queued+20 })
		if out, err := migrating("--from", from, "--to", to, "--verify").CombinedOutput(); err != nil || !strings.Contains(string(out), "Both are the same.") {
			t.Errorf("verify: %v\n%s", err, out)
		}
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := p.cmd.Wait(); err != nil {
			t.Errorf("the old server ended with %v", err)
		}
		p.flags = []string{"--db", to}
		p.again()
		c.wake()
		flows()
		again := exec.Command(os.Args[0], "serve", "--addr", "127.0.0.1:0", "--data", p.data, "--db", from)
		again.Env = append(os.Environ(), asServer+"=1")
		if out, err := again.CombinedOutput(); err == nil || !strings.Contains(string(out), "this database has moved to ") {
			t.Errorf("a server on the old database: %v, %s", err, out)
		}
		from = to
	}
	c.quiet()
	t.Logf("%d texts, each stored once and in order", c.settle(p.url))
	if n := c.failed(); n > 0 {
		t.Errorf("%d texts were refused for good", n)
	}
	var in struct{ User chat.Person }
	call(t, "POST", p.url+"/api/v1/login", "", map[string]string{"username": "crowd03", "password": "correct horse crowd03"}, &in)
	if in.User.ID != c.people[3].ID {
		t.Errorf("crowd03 signs in as %+v", in.User)
	}
}
