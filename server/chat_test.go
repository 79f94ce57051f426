package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"kamachat/server/apitest"
	"kamachat/server/config"
	"kamachat/shared/chat"
	"kamachat/ui/link"
	"kamachat/ui/state"
)

// asServer makes the test binary be the server, so that it can be killed.
const asServer = "KAMACHAT_TEST_AS_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(asServer) != "" {
		ctx, _ := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		if err := run(ctx, os.Args[1:], noEnv, os.Stdout, os.Stderr); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	end := apitest.Hold(described)
	os.Exit(end(m.Run()))
}

func noEnv(string) string { return "" }

// inProcess runs the real server in this process, under the race detector
// where the test is, and returns its address. Further flags win.
func inProcess(t *testing.T, flags ...string) string {
	t.Helper()
	args := append([]string{"serve", "--addr", "127.0.0.1:0", "--data", t.TempDir(), "--rate-limit", "off"}, flags...)
	cfg, err := config.Load(args, noEnv)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	addr, done := make(chan string, 1), make(chan error, 1)
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	go func() { done <- serve(ctx, cfg, log, func(url, _ string) { addr <- url }) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	select {
	case a := <-addr:
		return a
	case err := <-done:
		done <- nil
		t.Fatal(err)
		return ""
	}
}

// A process is a server that can be killed.
type process struct {
	t         *testing.T
	data, url string
	flags     []string  // further ones, which win
	log       io.Writer // nil: the test's output
	cmd       *exec.Cmd
}

func (p *process) start(addr string) {
	p.t.Helper()
	p.cmd = exec.Command(os.Args[0], "serve", "--addr", addr, "--data", p.data, "--rate-limit", "off")
	p.cmd.Args = append(p.cmd.Args, p.flags...)
	p.cmd.Env = append(os.Environ(), asServer+"=1")
	if p.cmd.Stderr = p.log; p.log == nil {
		p.cmd.Stderr = p.t.Output()
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	r := bufio.NewReader(out)
	line, err := r.ReadString('\n')
	if err != nil {
		p.t.Fatalf("the server said %q: %v", line, err)
	}
	p.url = strings.TrimSpace(line[strings.Index(line, "http"):])
	go func() { _, _ = io.Copy(io.Discard, r) }()
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill() // SIGKILL
	_ = p.cmd.Wait()
}

// A someone is a person with the browser's own state and link.
type someone struct {
	*link.Client
	chat.Person
	token string
	sent  int
}

func call(t *testing.T, method, url, token string, in, out any) {
	t.Helper()
	var body []byte // nothing, where there is nothing to say
	if in != nil {
		body, _ = json.Marshal(in)
	}
	req, _ := http.NewRequest(method, url, bytes.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	p, _ := io.ReadAll(res.Body)
	if res.StatusCode >= 300 {
		t.Fatalf("%s %s: %s %s", method, url, res.Status, p)
	}
	if err := json.Unmarshal(p, out); err != nil {
		t.Fatal(err)
	}
}

func join(t *testing.T, url, name string) *someone {
	t.Helper()
	var out struct {
		User  chat.Person
		Token string
	}
	call(t, "POST", url+"/api/v1/register", "", map[string]string{"username": name, "password": "correct horse " + name, "nickname": strings.ToUpper(name)}, &out)
	s := &someone{Person: out.User, token: out.Token}
	s.Client = s.connect(t, url)
	return s
}

// connect opens another device of s.
func (s *someone) connect(t *testing.T, url string) *link.Client {
	c := link.New(link.Config{URL: "ws" + strings.TrimPrefix(url, "http") + "/ws", Token: s.token}, state.New())
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = c.Run(ctx) })
	t.Cleanup(func() { stop(); wg.Wait() })
	return c
}

func (s *someone) say(conv chat.ConvID, text string) {
	s.Post(conv, chat.TextContent(text))
	s.sent++
}

// texts is what a client shows of conv.
func texts(c *link.Client, conv chat.ConvID) (out []string, queued int) {
	c.Do(func(st *state.State) {
		for _, r := range st.Rows(conv, time.UTC) {
			if r.Message.Content.Kind == chat.Text {
				out = append(out, r.Message.Content.Text)
			}
		}
		queued = st.Status().Queued
	})
	return out, queued
}

// eventually waits until ok; the test's own time limit ends the wait.
func eventually(t *testing.T, what func() string, ok func() bool) {
	t.Helper()
	deadline, _ := t.Deadline()
	for !ok() {
		if !deadline.IsZero() && time.Until(deadline) < 10*time.Second {
			t.Fatal("waited in vain: " + what())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// stored reads all texts of conv through the API.
func (s *someone) stored(t *testing.T, url string, conv chat.ConvID) []string {
	var all []string
	before := int64(0)
	for {
		var p chat.Page
		call(t, "GET", fmt.Sprintf("%s/api/v1/conversations/%s/messages?limit=100&before=%d", url, conv, before), s.token, nil, &p)
		var part []string
		for i, m := range p.Entries {
			if i > 0 && m.Seq != p.Entries[i-1].Seq+1 {
				t.Fatalf("a gap after Seq %d", p.Entries[i-1].Seq)
			}
			if m.Content.Kind == chat.Text {
				part = append(part, m.Content.Text)
			}
		}
		all = append(part, all...)
		if len(p.Entries) == 0 || p.Entries[0].Seq == 1 {
			return all
		}
		before = p.Entries[0].Seq
	}
}

// agree waits until every client has sent everything and shows what is stored,
// and checks that each text of each author is there once and in order.
func agree(t *testing.T, url string, conv chat.ConvID, want int, people ...*someone) {
	t.Helper()
	var views [][]string
	eventually(t, func() string { return fmt.Sprintf("%d texts wanted, the views are %.2000v", want, views) }, func() bool {
		views = nil
		for _, p := range people {
			p.Open(conv)
			p.Older(conv)
			v, queued := texts(p.Client, conv)
			views = append(views, v)
			if queued > 0 || len(v) != want {
				return false
			}
		}
		return true
	})
	db := people[0].stored(t, url, conv)
	for i, v := range views {
		if strings.Join(v, "\n") != strings.Join(db, "\n") {
			t.Errorf("%s sees\n%v\nstored is\n%v", people[i].Name(), v, db)
		}
	}
	next := map[string]int{}
	for _, s := range db {
		name, n, _ := strings.Cut(s, " ")
		if n != fmt.Sprint(next[name]) {
			t.Fatalf("%q where %s %d was due", s, name, next[name])
		}
		next[name]++
	}
}

func TestPeopleChatAndAllViewsAgree(t *testing.T) {
	for name, flags := range databases(t) {
		t.Run(name, func(t *testing.T) { peopleChat(t, inProcess(t, flags(t)...)) })
	}
}

func peopleChat(t *testing.T, url string) {
	a, b, c := join(t, url, "ann"), join(t, url, "bob"), join(t, url, "cat")
	phone := &someone{Person: a.Person, token: a.token}
	phone.Client = phone.connect(t, url)

	direct := chat.Direct(a.ID, b.ID)
	a.say(direct, "ann 0")
	agree(t, url, direct, 1, a, b, phone)
	b.say(direct, "bob 0")
	agree(t, url, direct, 2, a, b, phone)

	var made struct{ Group struct{ ID chat.ConvID } }
	call(t, "POST", url+"/api/v1/groups", a.token, map[string]any{"name": "徒步", "members": []chat.UserID{b.ID, c.ID}}, &made)
	group := made.Group.ID
	var wg sync.WaitGroup
	people := []*someone{a, b, c}
	for _, p := range people {
		eventually(t, func() string { return "the group in the list" }, func() (ok bool) {
			p.Do(func(st *state.State) {
				cv, in := st.Conv(group)
				ok = in && cv.Title == "徒步"
			})
			return ok
		})
		wg.Go(func() {
			for i := range 50 {
				p.say(group, fmt.Sprintf("%s %d", p.Username, i))
			}
		})
	}
	wg.Wait()
	agree(t, url, group, 150, a, b, c)

	// Reading moves the other's ticks and empties one's own badge, on every device.
	a.Open(group)
	last := int64(0)
	a.Do(func(st *state.State) {
		rows := st.Rows(group, time.UTC)
		last = rows[len(rows)-1].Message.Seq
	})
	for _, p := range []*someone{a, b, c} {
		p.Read(group, last)
	}
	eventually(t, func() string { return "everything read" }, func() (ok bool) {
		b.Do(func(st *state.State) {
			rows := st.Rows(group, time.UTC)
			ok = true
			for _, r := range rows {
				ok = ok && (!r.Mine || r.Tick == chat.Read || r.Message.Content.Kind != chat.Text)
			}
		})
		return ok
	})
	eventually(t, func() string { return "no badge on the other device" }, func() (ok bool) {
		phone.Do(func(st *state.State) { cv, _ := st.Conv(group); ok = cv.Unread == 0 })
		return ok
	})
}

func TestKilledServerLosesAndDoublesNothing(t *testing.T) {
	for name, flags := range databases(t) {
		t.Run(name, func(t *testing.T) { killedServer(t, &process{t: t, data: t.TempDir(), flags: flags(t)}) })
	}
}

func killedServer(t *testing.T, p *process) {
	p.start("127.0.0.1:0")
	t.Cleanup(func() { p.kill() })
	a, b := join(t, p.url, "ann"), join(t, p.url, "bob")
	conv := chat.Direct(a.ID, b.ID)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for _, s := range []*someone{a, b} {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				case <-time.After(2 * time.Millisecond):
					s.say(conv, fmt.Sprintf("%s %d", s.Username, i))
				}
			}
		})
	}
	for round := range 5 {
		time.Sleep(time.Duration(50+37*round) * time.Millisecond)
		p.kill()
		p.again()
		a.Wake()
		b.Wake()
	}
	close(stop)
	wg.Wait()
	agree(t, p.url, conv, a.sent+b.sent, a, b)
}
