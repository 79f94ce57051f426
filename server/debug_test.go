package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"kamachat/server/account"
	"kamachat/server/room"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// A pad is written by some and read by others.
type pad struct {
	mu sync.Mutex
	b  strings.Builder
}

func (p *pad) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.Write(b)
}

func (p *pad) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.String()
}

// A watched is the real server in this process, its log, and its addresses.
type watched struct {
	url, private string
	log          *pad
	stop         func() // until it has ended
}

// watch runs the server with a private address. Further flags win.
func watch(t *testing.T, flags ...string) *watched {
	t.Helper()
	w, out, done := &watched{log: &pad{}}, &pad{}, make(chan error, 1)
	ctx, stop := context.WithCancel(context.Background())
	args := append([]string{"serve", "--addr", "127.0.0.1:0", "--debug-addr", "127.0.0.1:0", "--data", t.TempDir()}, flags...)
	go func() { done <- run(ctx, args, noEnv, out, w.log) }()
	w.stop = sync.OnceFunc(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	t.Cleanup(w.stop)
	find := func(in fmt.Stringer, pattern string) (found string) {
		re := regexp.MustCompile(pattern)
		eventually(t, func() string { return fmt.Sprintf("no %s in\n%s%s", pattern, out, w.log) }, func() bool {
			m := re.FindStringSubmatch(in.String())
			if m != nil {
				found = m[1]
			}
			return m != nil
		})
		return found
	}
	w.url, w.private = find(out, `KamaChat is at (\S+)\n`), find(w.log, `msg="private address is open" url=(\S+)\n`)
	return w
}

// fetch returns the status and body of a page.
func fetch(t *testing.T, url string) (int, string) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// metrics returns what the server counts: series → value.
func (w *watched) metrics(t *testing.T) map[string]string {
	t.Helper()
	status, page := fetch(t, w.private+"/metrics")
	if status != 200 {
		t.Fatalf("/metrics: %d %s", status, page)
	}
	got := map[string]string{}
	for line := range strings.Lines(page) {
		if i := strings.LastIndexByte(line, ' '); i > 0 && line[0] != '#' {
			got[line[:i]] = strings.TrimSpace(line[i:])
		}
	}
	return got
}

// A collector of traces keeps the bytes it is sent: texts stand in them as they are.
func newCollector(t *testing.T) (url string, sent *pad) {
	t.Helper()
	sent = &pad{}
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(sent, r.Body) }))
	t.Cleanup(s.Close)
	return s.URL, sent
}

// What is counted is what happened, and nothing that people wrote or are is in
// any metric, trace or line of the log.
func TestMetricsAndTracesTellWhatHappenedAndNoSecret(t *testing.T) {
	collector, traces := newCollector(t)
	w := watch(t, "--trace", collector)
	bob := join(t, w.url, "bobthereader")
	var ann struct {
		User  chat.Person
		Token string
	}
	call(t, "POST", w.url+"/api/v1/register", "", map[string]string{"username": "annthewriter", "password": "correct horse", "nickname": "Annabell"}, &ann)
	conv := chat.Direct(ann.User.ID, bob.ID)
	eventually(t, func() string { return "bob is not online" }, func() bool { return w.metrics(t)["kamachat_connections"] == "1" })

	const secret = "kept-between-us"
	for i := range 3 {
		var m chat.Message
		call(t, "POST", w.url+"/api/v1/conversations/"+string(conv)+"/messages", ann.Token, map[string]string{"text": secret, "ref": fmt.Sprint(secret, i)}, &m)
	}
	var m chat.Message
	call(t, "POST", w.url+"/api/v1/conversations/"+string(conv)+"/messages", ann.Token, map[string]string{"text": secret, "ref": secret + "0"}, &m)
	for _, bad := range []chat.ConvID{"Gnosuch", chat.Direct(bob.ID, "Usomebody")} {
		if status, answer := post(t, t.Context(), w.url+"/api/v1/conversations/"+string(bad)+"/messages", ann.Token, `{"text":"`+secret+`"}`); status < 400 {
			t.Fatalf("a post to %s was taken: %d %s", bad, status, answer)
		}
	}
	bob.say(conv, secret+" too")
	eventually(t, func() string { return "bob does not see all, or owes one" }, func() bool {
		seen, queued := texts(bob.Client, conv)
		return len(seen) == 4 && queued == 0
	})

	want := map[string]string{
		"kamachat_people_online":                                                                      "1",
		"kamachat_connections":                                                                        "1",
		"kamachat_posts_accepted_total":                                                               "5",
		"kamachat_posts_stored_total":                                                                 "4",
		"kamachat_posts_repeated_total":                                                               "1",
		`kamachat_posts_refused_total{code="not_found"}`:                                              "1",
		`kamachat_posts_refused_total{code="forbidden"}`:                                              "1",
		`kamachat_posts_refused_total{code="busy"}`:                                                   "0",
		"kamachat_commit_drafts_sum":                                                                  "5",
		"kamachat_post_latency_seconds_count":                                                         "5",
		`kamachat_events_total{kind="posted"}`:                                                        "5",
		`kamachat_frames_pushed_total{kind="posted"}`:                                                 "4", // bob alone has a socket
		`kamachat_sessions_opened_total{dialect="native"}`:                                            "1",
		`kamachat_sessions_opened_total{dialect="classic"}`:                                           "0",
		`kamachat_queue_length{queue="carrier"}`:                                                      "0",
		`kamachat_queue_limit{queue="fanout"}`:                                                        fmt.Sprint(queue),
		`kamachat_queue_limit{queue="session"}`:                                                       "4096",
		`kamachat_queue_length{queue="late"}`:                                                         "0",
		`kamachat_queue_limit{queue="late"}`:                                                          fmt.Sprint(room.MaxLate),
		`kamachat_queue_limit{queue="marks"}`:                                                         fmt.Sprint(room.MaxMarks),
		`kamachat_queue_limit{queue="passwords"}`:                                                     fmt.Sprint(account.MaxPasswords),
		`kamachat_sockets_refused_total{why="full"}`:                                                  "0",
		`kamachat_pool_limit{pool="database_write"}`:                                                  "1",
		`kamachat_http_requests_total{route="GET /ws",status="1xx"}`:                                  "1",
		`kamachat_http_requests_total{route="POST /api/v1/conversations/{id}/messages",status="2xx"}`: "4",
		`kamachat_http_requests_total{route="POST /api/v1/conversations/{id}/messages",status="4xx"}`: "2",
	}
	got := w.metrics(t)
	for series, v := range want {
		if got[series] != v {
			t.Errorf("%s is %q, want %s", series, got[series], v)
		}
	}
	if got["kamachat_database_wal_bytes"] == "0" || got["kamachat_database_wal_bytes"] == "" {
		t.Errorf("the write-ahead log has %q bytes", got["kamachat_database_wal_bytes"])
	}
	_, page := fetch(t, w.private+"/metrics")

	w.stop()
	for _, span := range []string{"post", "commit", "deliver", "kamachat.drafts", "POST /api/v1/conversations/{id}/messages", "GET /ws"} {
		if !strings.Contains(traces.String(), span) {
			t.Errorf("the traces have no %s", span)
		}
	}
	written := []string{secret, "correct horse", ann.Token, bob.token}
	who := []string{"annthewriter", "bobthereader", "Annabell", "BOBTHEREADER", string(ann.User.ID), string(bob.ID)}
	for what, c := range map[string]struct {
		text    string
		secrets []string
	}{
		"metrics": {page, append(who, written...)},
		"traces":  {traces.String(), append(who, written...)},
		"log":     {w.log.String(), written},
	} {
		for _, s := range c.secrets {
			if strings.Contains(c.text, s) {
				t.Errorf("the %s tell %q", what, s)
			}
		}
	}
}

func TestPrivateThingsAreOnThePrivateAddressAlone(t *testing.T) {
	w := watch(t)
	for path, want := range map[string][2]int{ // public, private
		"/metrics":               {404, 200},
		"/debug/pprof/":          {404, 200},
		"/debug/pprof/goroutine": {404, 200},
		"/debug/vars":            {404, 404},
		"/healthz":               {200, 200},
		"/readyz":                {200, 200},
		"/login":                 {200, 404},
	} {
		for i, url := range []string{w.url, w.private} {
			if status, _ := fetch(t, url+path); status != want[i] {
				t.Errorf("%s answered %d, want %d", url+path, status, want[i])
			}
		}
	}
	_, body := fetch(t, w.url+"/readyz")
	if want := `{"ready":true,"checks":{"carrier":{"ok":true},"database":{"ok":true},"store":{"ok":true}}}`; strings.TrimSpace(body) != want {
		t.Errorf("/readyz says %s, want %s", body, want)
	}
	if strings.Contains(w.log.String(), "WARN") {
		t.Errorf("a loopback address was warned of: %s", w.log)
	}
}

func TestAPrivateAddressForEverybodyIsWarnedOf(t *testing.T) {
	w := watch(t, "--debug-addr", ":0")
	if !strings.Contains(w.log.String(), `level=WARN msg="the private address can be reached from other machines`) {
		t.Errorf("there is no warning: %s", w.log)
	}
}

// Without the flag there is one port, and no second.
func TestThereIsNoPrivateAddressByDefault(t *testing.T) {
	stop, err := serveDebug("", nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	stop()
	url := inProcess(t)
	if status, _ := fetch(t, url+"/readyz"); status != 200 {
		t.Errorf("/readyz answered %d", status)
	}
}

// A client that takes its time to leave keeps the server from ending at once.
// Meanwhile those who ask are told to send nobody here.
func TestAServerThatStopsSaysThatItIsNotReady(t *testing.T) {
	w := watch(t)
	ann := join(t, w.url, "ann")
	seedConnect(t, w.url, "/ws", ann) // it has read its greeting and reads no more, not even that it should go
	if status, body := fetch(t, w.private+"/readyz"); status != 200 {
		t.Fatalf("before the end: %d %s", status, body)
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		w.stop()
	}()
	said := ""
	eventually(t, func() string { return "it did not say so" }, func() bool {
		res, err := http.Get(w.private + "/readyz")
		if err != nil {
			select {
			case <-stopped:
				t.Fatal("the server stopped without saying that it is not ready")
			default:
			}
			return false
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		said = string(b)
		return res.StatusCode == http.StatusServiceUnavailable
	})
	if !strings.Contains(said, `"ready":false,"draining":true`) {
		t.Errorf("it says %s", said)
	}
	<-stopped
}

// So is one that is refused at the API's door.
func TestPostsThatTheAPIRefusesAreCounted(t *testing.T) {
	w := watch(t, "--rate-limit", "0.001/s:2")
	ann := registered(t, w.url, "ann")
	for _, text := range []string{"", "x", "y"} { // nothing said, nobody there, too fast
		post(t, t.Context(), w.url+"/api/v1/conversations/Gnosuch/messages", ann, `{"text":"`+text+`"}`)
	}
	got := w.metrics(t)
	for _, code := range []string{"invalid", "not_found", "rate_limited"} {
		if n := got[`kamachat_posts_refused_total{code="`+code+`"}`]; n != "1" {
			t.Errorf("%s posts were refused as %s, want 1", n, code)
		}
	}
}

// A post that is refused at the socket's door is a refused post like any other.
func TestPostsThatComeTooFastAreCounted(t *testing.T) {
	w := watch(t, "--rate-limit", "0.001/s:2")
	ann := registered(t, w.url, "ann")
	ws, err := dialed(t, w.url, ann, "")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		p, _, _ := wire.V1.Append(nil, wire.Frame{Ref: fmt.Sprint(i), Body: wire.Post{Conv: "Gnosuch", Content: chat.TextContent("x")}})
		if err := ws.Write(t.Context(), websocket.MessageText, p); err != nil {
			t.Fatal(err)
		}
	}
	var got map[string]string
	eventually(t, func() string { return fmt.Sprint(got) }, func() bool {
		got = w.metrics(t)
		return got[`kamachat_posts_refused_total{code="rate_limited"}`] == "2" && got[`kamachat_posts_refused_total{code="not_found"}`] == "2"
	})
}
