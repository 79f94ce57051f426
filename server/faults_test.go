package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"kamachat/server/servicetest"
)

// The tests here break real things under load: the server, its database, its
// disk. CI runs each a few times; `make faults` as often as the promises say.

// rounds is how often a test does its worst: few times, or what the
// environment asks for under name.
func rounds(t *testing.T, name string, few int) int {
	v := os.Getenv(name)
	if v == "" {
		return few
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// databases are the stores that must behave the same: name → the flags for it.
func databases(t *testing.T) map[string]func(*testing.T) []string {
	return map[string]func(*testing.T) []string{
		"sqlite":  func(*testing.T) []string { return nil },
		"mariadb": func(t *testing.T) []string { return []string{"--db", servicetest.MariaDB(t).Database()} },
	}
}

// again starts p on the address it had.
func (p *process) again() {
	addr := strings.TrimPrefix(p.url, "http://")
	for { // the port may need a moment
		if ln, err := net.Listen("tcp", addr); err == nil {
			_ = ln.Close()
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	p.start(addr)
}

func TestKillAtAnyMomentUnderLoad(t *testing.T) {
	for name, flags := range databases(t) {
		t.Run(name, func(t *testing.T) {
			n := rounds(t, "KAMACHAT_KILLS_"+strings.ToUpper(name), 3)
			seed := uint64(time.Now().UnixNano())
			t.Logf("%d kills, seed %d", n, seed)
			r := rand.New(rand.NewPCG(seed, 0))
			p := &process{t: t, data: t.TempDir(), flags: flags(t)}
			p.start("127.0.0.1:0")
			t.Cleanup(func() { p.kill() })
			c := gather(t, p.url, 20)
			c.write(500, seed)
			flowed := 0 // texts that were acknowledged before the last kill
			for range n {
				time.Sleep(100*time.Millisecond + time.Duration(r.IntN(900))*time.Millisecond)
				flowed = c.acknowledged()
				p.kill()
				p.again()
				c.wake()
			}
			time.Sleep(300 * time.Millisecond)
			c.quiet()
			total, asked := c.settle(p.url), c.asked()
			t.Logf("%d texts, each stored once and in order; %d were to be written, %d were acknowledged before the last kill", total, asked, flowed)
			// A kill proves something where much is under way. What this machine was
			// too busy to write is not counted.
			if total < asked*6/10 || flowed < 20*n {
				t.Errorf("%d of %d texts were written, and %d acknowledged before %d kills: that is no load", total, asked, flowed, n)
			}
		})
	}
}

// Hundreds come back at once when the server does, and nothing they wrote
// meanwhile is lost.
func TestCrowdComesBackUnderLoad(t *testing.T) {
	for name, flags := range databases(t) {
		for _, how := range []string{"term", "kill"} {
			t.Run(name+"/"+how, func(t *testing.T) {
				members := rounds(t, "KAMACHAT_CROWD", 60)
				p := &process{t: t, data: t.TempDir(), flags: flags(t)}
				users := imported(t, members, append(p.flags, "--data", p.data)...)
				p.start("127.0.0.1:0")
				first, back := p.cmd, make(chan struct{})
				go func() {
					defer close(back)
					_ = first.Wait() // the generator ends it
					p.again()
				}()
				rep, err := load(t, p.url, users, "--workload", "storm", "--members", fmt.Sprint(members), "--cut", how,
					"--server-pid", fmt.Sprint(first.Process.Pid), "--duration", "2m")
				_ = first.Process.Kill() // if it was not ended
				<-back
				p.kill()
				if err != nil {
					t.Fatal(err)
				}
				if s := rep.Storm; s == nil || s.Clients != members || s.CaughtUp <= 0 || s.Missing+s.Unsent+rep.Doubled+rep.Reordered > 0 {
					t.Errorf("%+v, %+v", rep, s)
				}
				t.Logf("%d clients, all back %.1f s after the cut, with everything after %.1f s", members, rep.Storm.Welcomed, rep.Storm.CaughtUp)
			})
		}
	}
}

func TestDatabaseGoesAwayUnderLoad(t *testing.T) {
	db := servicetest.MariaDB(t)
	url := inProcess(t, "--db", db.Database())
	c := gather(t, url, 12)
	c.write(300, 1)
	for range rounds(t, "KAMACHAT_OUTAGES", 1) {
		for what, outage := range map[string]func(){
			"stopped": func() { db.Stop(); time.Sleep(500 * time.Millisecond); db.Start() },
			"killed":  func() { db.Kill(); time.Sleep(500 * time.Millisecond); db.Start() },
			"hangs":   func() { db.Pause(); time.Sleep(2 * time.Second); db.Resume() },
		} {
			time.Sleep(300 * time.Millisecond)
			outage()
			t.Logf("the database was %s: %d texts wait", what, c.queued())
			before := c.queued()
			eventually(t, func() string { return fmt.Sprintf("%d texts wait, were %d", c.queued(), before) }, func() bool { return c.queued() < 60 })
		}
	}
	c.quiet()
	t.Logf("%d texts, each stored once and in order", c.settle(url))
	if n := c.failed(); n > 0 {
		t.Errorf("%d texts were refused for good", n)
	}
}

// smallDisk mounts a file system of so many megabytes.
func smallDisk(t *testing.T, mb int) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%dm", mb), "tmpfs", dir).CombinedOutput(); err != nil {
		if os.Getenv("KAMACHAT_REQUIRE") == "all" {
			t.Fatalf("mount: %v: %s", err, out)
		}
		t.Skipf("a small disk needs the right to mount: %s", out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	return dir
}

// fill leaves no room in dir and returns what makes room again.
func fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	path := filepath.Join(dir, "ballast")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 4096); err == nil; {
		_, err = f.Write(block)
	}
	return func() {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFullDiskRefusesAndRecovers(t *testing.T) {
	dir := smallDisk(t, 24)
	url := inProcess(t, "--data", dir)
	c := gather(t, url, 4)
	c.write(100, 1)
	time.Sleep(500 * time.Millisecond)
	free := fill(t, dir)
	// What can't be stored is not acknowledged, and the server says so.
	eventually(t, func() string { return fmt.Sprintf("%d texts wait", c.queued()) }, func() bool { return c.queued() > 20 })
	var saidWhy string
	eventually(t, func() string { return "the refusal says " + saidWhy }, func() bool {
		saidWhy = refusal(t, url, c.people[0].token, string(c.people[2].ID)) // not one of the crowd's conversations
		return strings.Contains(saidWhy, `"busy"`)
	})
	var p struct{ Entries []struct{ Seq int64 } }
	call(t, "GET", fmt.Sprintf("%s/api/v1/conversations/%s/messages", url, c.convs[0]), c.people[0].token, nil, &p) // reading goes on
	if len(p.Entries) == 0 {
		t.Error("with a full disk nothing can be read")
	}
	c.quiet()
	free()
	t.Logf("%d texts, each stored once and in order", c.settle(url))
	if n := c.failed(); n > 0 {
		t.Errorf("%d texts were refused for good", n)
	}
}

// refusal posts through the API and returns the body of the answer, "" where it was stored.
func refusal(t *testing.T, url, token, to string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second) // what was accepted before waits
	defer cancel()
	status, body := post(t, ctx, url+"/api/v1/conversations/"+to+"/messages", token, `{"text":"is there room?"}`)
	if status < 300 {
		return ""
	}
	return body
}

func post(t *testing.T, ctx context.Context, url, token, body string) (status int, answer string) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, "POST", url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, ""
	}
	defer res.Body.Close()
	p, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(p)
}
