//go:build unix

package deploy_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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

// nginx returns the program, or skips: these tests take a minute and need it.
func nginx(t *testing.T) string {
	t.Helper()
	if os.Getenv("KAMACHAT_PROXY") == "" {
		t.Skip("it runs nginx: make proxy-test")
	}
	for _, name := range []string{"nginx", "/usr/sbin/nginx"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("nginx is missing (Debian: nginx-light)")
	return ""
}

// freeAddr is an address that nobody listens on just now.
func freeAddr(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// proxied runs nginx with a file of ours, changed by pairs of old and new, each
// of which must be there, and returns when addr answers.
func proxied(t *testing.T, file, addr string, change ...string) {
	t.Helper()
	program, dir := nginx(t), t.TempDir()
	// What it writes is in a folder of this test.
	text := strings.NewReplacer("/run/", dir+"/", "/var/log/nginx/", dir+"/", "/tmp/", dir+"/").Replace(read(t, file))
	for i := 0; i < len(change); i += 2 {
		if !strings.Contains(text, change[i]) {
			t.Fatalf("%s has no %q", file, change[i])
		}
		text = strings.ReplaceAll(text, change[i], change[i+1])
	}
	conf := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(program, "-t", "-p", dir, "-c", conf).CombinedOutput(); err != nil {
		t.Fatalf("nginx -t: %v\n%s", err, out)
	}
	cmd := exec.Command(program, "-p", dir, "-c", conf, "-g", "daemon off;")
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	for end := time.Now().Add(time.Minute); ; {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			_ = c.Close()
			return
		}
		if time.Now().After(end) {
			t.Fatalf("nginx does not answer: %v", err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// edge runs nginx.conf in front of nodes and returns its address and a client that trusts it.
func edge(t *testing.T, nodes []string, change ...string) (url string, c *http.Client) {
	t.Helper()
	tls := httptest.NewTLSServer(nil) // for its certificate, of 127.0.0.1
	t.Cleanup(tls.Close)
	key, err := x509.MarshalPKCS8PrivateKey(tls.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir, addr := t.TempDir(), freeAddr(t)
	write := func(name, kind string, der []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("fullchain.pem", "CERTIFICATE", tls.TLS.Certificates[0].Certificate[0])
	write("privkey.pem", "PRIVATE KEY", key)
	change = append(change,
		"listen [::]:443 ssl http2;", "", "listen [::]:80;", "", "listen 443 ssl", "listen "+addr+" ssl", "listen 80;", "listen "+freeAddr(t)+";",
		"/etc/ssl/kamachat", dir, "worker_connections 100000", "worker_connections 4000", "worker_rlimit_nofile 200000", "worker_rlimit_nofile 10000")
	for i := range 3 {
		old, now := fmt.Sprintf("server 127.0.0.1:800%d max_fails=0;", i+1), ""
		if i < len(nodes) {
			now = "server " + nodes[i] + " max_fails=0;"
		}
		change = append(change, old, now)
	}
	proxied(t, "nginx.conf", addr, change...)
	return "https://" + addr, tls.Client()
}

// A node is a server of its own.
type node struct {
	cmd  *exec.Cmd
	addr string
}

// nodes starts n servers at once on an empty database; several are in Kafka mode,
// as those of compose.yaml are.
func nodes(t *testing.T, n int) (all []*node) {
	t.Helper()
	bin := built(t)
	shared := []string{"--db", servicetest.MariaDB(t).Database(), "--redis", servicetest.Redis(t).URL()}
	if n > 1 {
		shared = append(shared, "--mode", "kafka", "--kafka", servicetest.Kafka(t, 1)[0].Addr)
	}
	for i := range n {
		v := &node{addr: freeAddr(t)}
		v.cmd = exec.Command(bin, append([]string{"serve", "--addr", v.addr, "--node", fmt.Sprint(i + 1), "--data", t.TempDir()}, shared...)...)
		v.cmd.Stderr = t.Output()
		if err := v.cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = v.cmd.Process.Kill(); _ = v.cmd.Wait() })
		all = append(all, v)
	}
	for _, v := range all {
		ready(t, "http://"+v.addr+"/readyz")
	}
	return all
}

func addrs(all []*node) (out []string) {
	for _, v := range all {
		out = append(out, v.addr)
	}
	return out
}

// A person has a socket by way of a proxy.
type person struct {
	url   string
	c     *http.Client
	id    chat.UserID
	token string
	ws    *websocket.Conn
}

func (p *person) call(ctx context.Context, path string, in, out any) error {
	b, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+path, bytes.NewReader(b))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+p.token)
	res, err := p.c.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		b, _ := io.ReadAll(res.Body)
		return fmt.Errorf("%s: %s: %s", path, res.Status, b)
	}
	return json.NewDecoder(res.Body).Decode(out)
}

// join registers somebody and opens a socket.
func join(t *testing.T, url string, c *http.Client, name string) *person {
	t.Helper()
	p := &person{url: url, c: c}
	var in struct {
		User  chat.Person
		Token string
	}
	if err := p.call(t.Context(), "/api/v1/register", map[string]string{"username": name, "password": "correct horse"}, &in); err != nil {
		t.Fatal(err)
	}
	p.id, p.token = in.User.ID, in.Token
	if err := p.dial(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.ws.CloseNow() })
	return p
}

// dial opens a socket and waits for the welcome.
func (p *person) dial(ctx context.Context) error {
	ws, _, err := websocket.Dial(ctx, "wss"+strings.TrimPrefix(p.url, "https")+"/ws", &websocket.DialOptions{
		HTTPClient: p.c, Subprotocols: []string{wire.V1.Name()}, HTTPHeader: http.Header{"Authorization": {"Bearer " + p.token}},
	})
	if err != nil {
		return err
	}
	p.ws = ws
	if err := p.say(ctx, "", wire.Hello{}); err != nil {
		return err
	}
	_, err = p.until(ctx, func(f wire.Frame) bool { _, ok := f.Body.(wire.Welcome); return ok })
	return err
}

func (p *person) say(ctx context.Context, ref string, b wire.Body) error {
	data, _, err := wire.V1.Append(nil, wire.Frame{Ref: ref, Body: b})
	if err != nil {
		return err
	}
	return p.ws.Write(ctx, websocket.MessageText, data)
}

// until reads until a frame is as wanted.
func (p *person) until(ctx context.Context, is func(wire.Frame) bool) (wire.Frame, error) {
	for {
		_, data, err := p.ws.Read(ctx)
		if err != nil {
			return wire.Frame{}, err
		}
		fs, err := wire.V1.Parse(data)
		if err != nil {
			return wire.Frame{}, err
		}
		for _, f := range fs {
			if is(f) {
				return f, nil
			}
		}
	}
}

// A node that is told to end says when to come back, and who comes back is let
// in by another one, behind the same address; nobody who asks for anything
// meanwhile is refused.
func TestDrainBehindNginxMovesClientsToAnotherNode(t *testing.T) {
	_ = nginx(t)
	all := nodes(t, 3)
	url, c := edge(t, addrs(all))
	var people []*person
	for i := range 9 {
		people = append(people, join(t, url, c, fmt.Sprint("person", i)))
	}
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	var asked, refused atomic.Int64
	asking, enough := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		for asking.Err() == nil {
			res, err := c.Get(url + "/healthz")
			if err != nil || res.StatusCode != http.StatusOK {
				refused.Add(1)
				t.Logf("asked: %v", err)
			}
			if err == nil {
				_ = res.Body.Close()
			}
			asked.Add(1)
		}
	})
	if err := all[0].cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	// Those on the other nodes hear nothing until somebody posts.
	moved := make(chan *person, len(people))
	for _, p := range people {
		wg.Go(func() {
			f, err := p.until(ctx, func(f wire.Frame) bool {
				switch b := f.Body.(type) {
				case wire.Bye:
					return true
				case wire.Posted:
					return b.Content.Text == "moved"
				}
				return false
			})
			if err != nil {
				t.Errorf("a socket ended without good-bye: %v", err)
				moved <- nil
				return
			}
			bye, left := f.Body.(wire.Bye)
			if !left {
				moved <- nil
				return
			}
			if bye.Reason != wire.ByeRestart || bye.ComeAfter < 1000 {
				t.Errorf("good-bye is %+v", bye)
			}
			if err := p.dial(ctx); err != nil { // before its time: another node is there already
				t.Errorf("did not get back in: %v", err)
			}
			moved <- p
		})
	}
	if err := all[0].cmd.Wait(); err != nil {
		t.Errorf("the node ended with %v", err)
	}
	first := <-moved
	if first == nil {
		t.Fatal("nobody moved")
	}
	enough()
	var made struct{ Group struct{ ID chat.ConvID } }
	var ids []chat.UserID
	for _, p := range people {
		ids = append(ids, p.id)
	}
	if err := first.call(ctx, "/api/v1/groups", map[string]any{"name": "All", "members": ids}, &made); err != nil {
		t.Fatal(err)
	}
	if err := first.say(ctx, "ref-1", wire.Post{Conv: made.Group.ID, Content: chat.TextContent("moved")}); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	n := 1
	for range len(people) - 1 {
		if p := <-moved; p != nil {
			n++
		}
	}
	t.Logf("%d of %d people moved; %d requests meanwhile", n, len(people), asked.Load())
	// Least connections: a third, but for a request just answered that still counts.
	if n < 2 || n > 4 {
		t.Errorf("%d people were on the first of three nodes, want 3 of 9 or nearly", n)
	}
	if refused.Load() > 0 || asked.Load() == 0 {
		t.Errorf("%d of %d requests were refused", refused.Load(), asked.Load())
	}
}

// The server's heartbeat, every 25 s, is what keeps a silent socket open.
func TestSilentSocketOutlivesTheReadTimeoutOfNginx(t *testing.T) {
	_ = nginx(t)
	all := nodes(t, 1)
	for limit, lives := range map[string]bool{"30s": true, "10s": false} {
		t.Run(limit, func(t *testing.T) {
			t.Parallel()
			url, c := edge(t, addrs(all), "proxy_read_timeout 75s", "proxy_read_timeout "+limit)
			p := join(t, url, c, "person"+limit)
			ctx, stop := context.WithTimeout(t.Context(), 65*time.Second)
			defer stop()
			_, err := p.until(ctx, func(wire.Frame) bool { return false })
			if alive := errors.Is(err, context.DeadlineExceeded); alive != lives {
				t.Errorf("the socket ended with %v", err)
			}
		})
	}
}

func TestNginxTellsWhereRequestsComeFrom(t *testing.T) {
	_ = nginx(t)
	back := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Header.Values("X-Forwarded-For"), r.Header.Get("X-Forwarded-Proto"), r.Host)
	}))
	t.Cleanup(back.Close)
	at := back.Listener.Addr().String()
	url, c := edge(t, []string{at})
	beside := freeAddr(t)
	proxied(t, "kubernetes/nginx.conf", beside, "listen [::]:8080;", "", "listen 8080;", "listen "+beside+";",
		"worker_connections 65536", "worker_connections 1000", "worker_rlimit_nofile 200000", "worker_rlimit_nofile 4000",
		"set_real_ip_from 10.0.0.0/8;", "set_real_ip_from 127.0.0.1;", "127.0.0.1:8000", at,
		"server 127.0.0.2:8000 max_fails=0;", "", "server 127.0.0.3:8000 max_fails=0;", "", "server 127.0.0.4:8000 max_fails=0;", "")
	for name, k := range map[string]struct{ url, proto, want string }{
		"the edge believes nobody":    {url, "http", "[127.0.0.1]https" + strings.TrimPrefix(url, "https://")},
		"beside a node, the last hop": {"http://" + beside, "https", "[203.0.113.9]https" + beside},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, k.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Forwarded-For", "198.51.100.1, 203.0.113.9")
		req.Header.Set("X-Forwarded-Proto", k.proto)
		res, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil || string(got) != k.want {
			t.Errorf("%s: got %s (%v), want %s", name, got, err, k.want)
		}
	}
}
