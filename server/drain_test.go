//go:build unix

package main

import (
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"kamachat/server/servicetest"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// A drained is one who posts until the server says bye, and what came of it.
type drained struct {
	ws    *websocket.Conn
	name  string
	acked map[string]bool // refs
	bye   wire.Bye
	err   error // how it ended
}

// post sends one post after another, each with its own ref, until the socket ends.
func (d *drained) post(t *testing.T, conv chat.ConvID) {
	for i := 0; ; i++ {
		p, _, _ := wire.V1.Append(nil, wire.Frame{Ref: fmt.Sprint(d.name, "-", i), Body: wire.Post{Conv: conv, Content: chat.TextContent("x")}})
		if d.ws.Write(t.Context(), websocket.MessageText, p) != nil {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// read notes acknowledgements and bye.
func (d *drained) read(t *testing.T, acks *atomic.Int64) {
	for {
		_, p, err := d.ws.Read(t.Context())
		if err != nil {
			d.err = err
			return
		}
		fs, err := wire.V1.Parse(p)
		if err != nil {
			d.err = err
			return
		}
		for _, f := range fs {
			switch b := f.Body.(type) {
			case wire.Posted:
				if f.Ref != "" {
					d.acked[f.Ref] = true
					acks.Add(1)
				}
			case wire.Bye:
				d.bye = b
			}
		}
	}
}

// A server that is told to stop under load, with peers that read and peers that
// do not, says that it is not ready, answers what it accepted, tells each when to
// come back, keeps what it acknowledged, and exits with 0 within 10 s.
func TestStoppedServerDrains(t *testing.T) {
	p := &process{t: t, data: t.TempDir()}
	p.start("127.0.0.1:0")
	defer p.kill()
	var members []chat.UserID
	var in struct {
		User  chat.Person
		Token string
	}
	var tokens []string
	for i := range 9 {
		call(t, "POST", p.url+"/api/v1/register", "", map[string]string{"username": fmt.Sprint("person", i), "password": "correct horse"}, &in)
		members, tokens = append(members, in.User.ID), append(tokens, in.Token)
	}
	var made struct{ Group struct{ ID chat.ConvID } }
	call(t, "POST", p.url+"/api/v1/groups", tokens[0], map[string]any{"name": "All", "members": members}, &made)

	for range 4 { // these read their welcome and nothing more
		if _, err := dialed(t, p.url, tokens[8], ""); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	var acks atomic.Int64
	var all []*drained
	for i, token := range tokens[:8] {
		c, err := dialed(t, p.url, token, "")
		if err != nil {
			t.Fatal(err)
		}
		c.SetReadLimit(-1)
		d := &drained{ws: c, name: fmt.Sprint("p", i), acked: map[string]bool{}}
		all = append(all, d)
		wg.Go(func() { d.read(t, &acks) })
		wg.Go(func() { d.post(t, made.Group.ID) })
	}
	eventually(t, func() string { return fmt.Sprint(acks.Load(), " acknowledgements") }, func() bool { return acks.Load() > 500 })

	start := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	unready := false
	exited := make(chan error, 1)
	go func() { exited <- p.cmd.Wait() }()
	for !unready {
		res, err := http.Get(p.url + "/readyz")
		if err != nil {
			break // the port is closed
		}
		res.Body.Close()
		unready = res.StatusCode == http.StatusServiceUnavailable
	}
	if !unready {
		t.Error("the server went without saying that it is not ready")
	}
	if err := <-exited; err != nil {
		t.Errorf("it exited with %v", err)
	}
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("it took %v to exit", d)
	}
	wg.Wait()
	for _, d := range all {
		if d.bye.Reason != "restart" || d.bye.ComeAfter < 1000 || websocket.CloseStatus(d.err) != websocket.StatusServiceRestart {
			t.Errorf("%s: bye is %+v, then %v", d.name, d.bye, d.err)
		}
	}
	agreeOnRefs(t, p.data, all)
}

// agreeOnRefs checks that exactly what was acknowledged is stored.
func agreeOnRefs(t *testing.T, data string, all []*drained) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(data, "kamachat.db")) // store has registered the driver
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query("SELECT ref FROM messages WHERE kind = 'text'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	stored := map[string]bool{}
	for rows.Next() {
		var ref string
		if err := rows.Scan(&ref); err != nil {
			t.Fatal(err)
		}
		stored[ref] = true
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, d := range all {
		for ref := range d.acked {
			if n++; !stored[ref] {
				t.Errorf("%s was acknowledged and is not stored", ref)
			}
		}
	}
	if n != len(stored) {
		t.Errorf("%d are stored, %d were acknowledged: the others come again from the outbox, though all peers read", len(stored), n)
	}
}

// A server that is told to stop while its database hangs or is gone does not
// wait for it: it says how much is not stored, which it told nobody, and exits
// with 0 within 10 s. Those who wrote still have it.
func TestStoppedServerDoesNotWaitForItsDatabaseUnderLoad(t *testing.T) {
	for what, away := range map[string]struct{ begin, end func(*servicetest.Service) }{
		"hangs":  {(*servicetest.Service).Pause, (*servicetest.Service).Resume},
		"killed": {(*servicetest.Service).Kill, (*servicetest.Service).Start},
	} {
		t.Run(what, func(t *testing.T) {
			db, log := servicetest.MariaDB(t), &pad{}
			p := &process{t: t, data: t.TempDir(), flags: []string{"--db", db.Database()}, log: log}
			p.start("127.0.0.1:0")
			t.Cleanup(func() { p.kill() })
			c := gather(t, p.url, 12)
			c.write(300, 1)
			eventually(t, func() string { return fmt.Sprint(len(c.people[0].stored(t, p.url, c.convs[0])), " texts") }, func() bool {
				return len(c.people[0].stored(t, p.url, c.convs[0])) > 10
			})
			away.begin(db)
			before := c.queued()
			eventually(t, func() string { return fmt.Sprint(c.queued(), " texts wait") }, func() bool { return c.queued() > before+100 })

			start := time.Now()
			if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if err := p.cmd.Wait(); err != nil {
				t.Errorf("it exited with %v\n%s", err, log)
			}
			if d := time.Since(start); d > 10*time.Second {
				t.Errorf("it took %v to exit", d)
			}
			if said := regexp.MustCompile(`msg="ended with messages that are not stored, which nobody was told they are" messages=[1-9]`); !said.MatchString(log.String()) {
				t.Errorf("it does not say what is not stored:\n%s", log)
			}
			away.end(db)
			p.again()
			c.quiet()
			t.Logf("%d texts, each stored once and in order", c.settle(p.url))
		})
	}
}

func TestNobodyIsLetInWhileDrainingOrInACrowd(t *testing.T) {
	var whys []string
	s := newSessions(nil, chat.NewIDs(0, func() int64 { return time.Now().UnixMilli() }), socketLimits{Waiting: 3}, func(w string) { whys = append(whys, w) })
	for name, c := range map[string]struct {
		draining bool
		waiting  int
		want     error
		why      []string // as it is counted
	}{
		"as usual": {false, 2, nil, nil}, "draining": {true, 0, &chat.Refusal{Code: chat.Busy}, []string{"restart"}},
		"a crowd": {false, 3, &chat.Refusal{Code: chat.Busy}, []string{"crowd"}},
	} {
		whys = nil
		s.draining, s.waiting = func() bool { return c.draining }, func() int { return c.waiting }
		_, err := s.admit("")
		if !errors.Is(err, c.want) || !slices.Equal(whys, c.why) {
			t.Errorf("%s: %v and %v, want %v and %v", name, err, whys, c.want, c.why)
		}
		if r := chat.AsRefusal(err); err != nil && (r.RetryAfter < time.Second || r.RetryAfter > 3*time.Second) {
			t.Errorf("%s: come after %v", name, r.RetryAfter)
		}
	}
}
