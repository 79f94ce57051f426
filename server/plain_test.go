//go:build unix

package main

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// fewFiles makes a server that is the test binary have so many files at most.
const fewFiles = "KAMACHAT_TEST_FILES"

func init() {
	if n, err := strconv.ParseUint(os.Getenv(fewFiles), 10, 31); err == nil && os.Getenv(asServer) != "" {
		_ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: n, Max: n})
	}
}

// However many connections are opened and left alone, in whatever state, people
// go on writing and newcomers are answered.
func TestConnectionsThatDoNothingKeepNobodyOut(t *testing.T) {
	t.Setenv(fewFiles, "200")
	p := &process{t: t, data: t.TempDir()}
	p.start("127.0.0.1:0")
	defer p.kill()
	addr := strings.TrimPrefix(p.url, "http://")
	ann := registered(t, p.url, "ann")
	ws, err := dialed(t, p.url, ann, "")
	if err != nil {
		t.Fatal(err)
	}
	var me struct{ User chat.Person }
	call(t, "GET", p.url+"/api/v1/me", ann, nil, &me)
	for what, begin := range map[string]string{
		"nothing":       "",
		"a slow header": "GET / HTTP/1.1\r\nHost: x\r\n",
		"a slow body":   "POST /api/v1/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{",
		"keep-alive":    "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		t.Run(what, func(t *testing.T) {
			for range 300 {
				c, err := net.Dial("tcp", addr)
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				if _, err := io.WriteString(c, begin); err != nil {
					t.Fatal(err)
				}
			}
			// A connection of its own, as a newcomer has.
			newcomer := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second) // longer than slow headers are waited for
			defer cancel()
			req, _ := http.NewRequestWithContext(ctx, "GET", p.url+"/readyz", nil)
			res, err := newcomer.Do(req)
			if err != nil {
				t.Fatalf("a newcomer: %v", err)
			}
			res.Body.Close()
			if res.StatusCode != 200 {
				t.Errorf("a newcomer is answered %s", res.Status)
			}
			post, _, _ := wire.V1.Append(nil, wire.Frame{Ref: what, Body: wire.Post{Conv: chat.Direct(me.User.ID, me.User.ID), Content: chat.TextContent(what)}})
			if err := ws.Write(ctx, websocket.MessageText, post); err != nil {
				t.Fatal(err)
			}
			for {
				_, p, err := ws.Read(ctx)
				if err != nil {
					t.Fatalf("the socket: %v", err)
				}
				if strings.Contains(string(p), `"ref":"`+what+`"`) || strings.Contains(string(p), `"r":"`+what+`"`) {
					break
				}
			}
		})
	}
}

func TestOldestThatWaitsMakesRoom(t *testing.T) {
	conn := func() net.Conn {
		a, b := net.Pipe()
		t.Cleanup(func() { a.Close(); b.Close() })
		return a
	}
	c := []net.Conn{conn(), conn(), conn(), conn(), conn(), conn()}
	p := newPlain(nil, nil)
	step := func(what string, got []net.Conn, want ...net.Conn) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: %d were closed, want %d, or others", what, len(got), len(want))
		}
	}
	const room = 3
	step("there is room", slices.Concat(p.note(c[0], http.StateNew, room), p.note(c[1], http.StateNew, room), p.note(c[2], http.StateNew, room)))
	p.note(c[0], http.StateActive, 0)
	step("the oldest that waits goes first", p.note(c[3], http.StateNew, room), c[1])
	p.note(c[1], http.StateClosed, 0)
	p.note(c[3], http.StateActive, 0)
	p.note(c[2], http.StateActive, 0)
	p.note(c[3], http.StateIdle, 0)
	step("one that waits again goes before requests", p.note(c[4], http.StateNew, room), c[3])
	p.note(c[4], http.StateActive, 0)
	step("then the oldest request", p.note(c[5], http.StateNew, room), c[0])
	p.note(c[0], http.StateIdle, 0) // it ended before it knew
	p.note(c[2], http.StateHijacked, 0)
	step("a socket is not ours any more", p.note(c[0], http.StateNew, room))
	if n := len(p.at); n != 3 || p.waiting.Len()+p.active.Len() != 3 {
		t.Errorf("%d are known, %d wait and %d are active", n, p.waiting.Len(), p.active.Len())
	}
}

func TestConnectionsEndInTime(t *testing.T) {
	const whole = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
	for what, c := range map[string]struct {
		say  string
		want time.Duration
	}{
		"nothing said":  {"", headerWithin},
		"a slow header": {"GET / HTTP/1.1\r\nHost: x\r\n", headerWithin},
		"a slow body":   {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx", requestWithin},
		"keep-alive":    {whole, idleWithin},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ours, theirs := net.Pipe()
				ln := &onePipe{conn: ours, done: make(chan struct{})}
				srv := newServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }),
					newPlain(func() int { return 1 }, func() {}), slog.New(slog.DiscardHandler))
				served := make(chan struct{})
				go func() {
					defer close(served)
					_ = srv.Serve(ln)
				}()
				start := time.Now()
				if _, err := io.WriteString(theirs, c.say); err != nil {
					t.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, bufio.NewReader(theirs)) // until it is closed
				if d := time.Since(start); d < c.want || d > c.want+time.Second {
					t.Errorf("closed after %v, want %v", d, c.want)
				}
				_ = srv.Close()
				_ = ln.Close()
				<-served
				_ = theirs.Close()
			})
		})
	}
}
