package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/csv"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kamachat/server/config"
	"kamachat/shared/chat"
)

func TestExpiredSignInsAreSweptUntilTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		n := 0
		done := make(chan struct{})
		go func() {
			defer close(done)
			sweep(ctx, slog.New(slog.DiscardHandler), func(context.Context) (int64, error) {
				n++
				return 0, errors.New("the database is away") // it is asked again all the same
			})
		}()
		time.Sleep(3*sweepEvery + time.Minute)
		stop()
		<-done
		if n != 4 {
			t.Errorf("swept %d times in three hours, want at the start and hourly", n)
		}
	})
}

func TestServerSweepsAtItsStart(t *testing.T) {
	data := t.TempDir()
	if err := run(t.Context(), []string{"migrate", "--data", data}, noEnv, new(bytes.Buffer), t.Output()); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(data, "kamachat.db")) // store has registered the driver
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for token, left := range map[string]time.Duration{"old": -time.Hour, "new": time.Hour} {
		if _, err := db.Exec("INSERT INTO logins (token, data, expires_at) VALUES (?, '', ?)", token, time.Now().Add(left).UnixMilli()); err != nil {
			t.Fatal(err)
		}
	}
	inProcess(t, "--data", data)
	var tokens string
	eventually(t, func() string { return "sign-ins are " + tokens }, func() bool {
		err := db.QueryRow("SELECT group_concat(token) FROM logins").Scan(&tokens)
		return err == nil && tokens == "new"
	})
}

func TestImportedPeopleSignInWithTheirTokens(t *testing.T) {
	data := t.TempDir()
	file := filepath.Join(data, "people.csv")
	if err := os.WriteFile(file, []byte("username,nickname\nann,Ann\nbob,小明\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	url := inProcess(t, "--data", data) // an import may run beside the server
	var out bytes.Buffer
	if err := run(t.Context(), []string{"admin", "people", "import", "--data", data, file}, noEnv, &out, t.Output()); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil || len(rows) != 3 || strings.Join(rows[0], ",") != "username,id,token" {
		t.Fatalf("the import printed %v, %v", rows, err)
	}
	var people []*someone
	for i, r := range rows[1:] {
		var me struct{ User chat.Person }
		call(t, "GET", url+"/api/v1/me", r[2], nil, &me)
		if me.User.Username != r[0] || string(me.User.ID) != r[1] || me.User.Nickname != []string{"Ann", "小明"}[i] {
			t.Errorf("row %v is %+v", r, me.User)
		}
		s := &someone{Person: me.User, token: r[2]}
		s.Client = s.connect(t, url)
		people = append(people, s)
	}
	a, b := people[0], people[1]
	a.say(chat.Direct(a.ID, b.ID), "ann 0")
	agree(t, url, chat.Direct(a.ID, b.ID), 1, a, b)

	deeds := printed[[]chat.Deed](t, data, "audit")
	if me := shellUser(); len(deeds) != 1 || deeds[0].What != chat.ActImport || deeds[0].Detail != "2" || deeds[0].ByName != me.Name || deeds[0].Addr != me.Addr {
		t.Errorf("noted is %+v", deeds)
	}

	out.Reset()
	err = run(t.Context(), []string{"admin", "people", "import", "--data", data, file}, noEnv, &out, t.Output())
	if n := len(printed[[]chat.Deed](t, data, "audit")); n != 1 {
		t.Errorf("%d deeds after an import that failed, want 1", n)
	}
	if err == nil || !strings.Contains(err.Error(), "line 2") || !strings.Contains(err.Error(), "line 3") || out.Len() > 0 {
		t.Errorf("importing twice: %v, printed %q", err, out.String())
	}
}

func TestCommandsSayWhatIsWrong(t *testing.T) {
	for args, code := range map[string]int{"--help": 0, "serve --help": 0, "--mode pigeon": 2, "--addr 8000": 2, "nope": 2} {
		var out, errs bytes.Buffer
		err := run(t.Context(), strings.Fields(args), noEnv, &out, &errs)
		var x *config.Exit
		if !errors.As(err, &x) || x.Code != code || x.Words == "" || out.Len()+errs.Len() > 0 {
			t.Errorf("%s: %v, %q %q", args, err, out.String(), errs.String())
		}
	}
}

// The API posts for people who have no socket, and for those who have.
func TestPostThroughTheAPIIsStoredAndSeen(t *testing.T) {
	for name, flags := range databases(t) {
		t.Run(name, func(t *testing.T) { postThroughTheAPI(t, inProcess(t, flags(t)...)) })
	}
}

func postThroughTheAPI(t *testing.T, url string) {
	b := join(t, url, "bob")
	var in struct {
		User  chat.Person
		Token string
	}
	call(t, "POST", url+"/api/v1/register", "", map[string]string{"username": "ann", "password": "correct horse"}, &in)
	conv := chat.Direct(in.User.ID, b.ID)
	post := func(to, token, text, ref string) (m chat.Message) {
		t.Helper()
		call(t, "POST", url+"/api/v1/conversations/"+to+"/messages", token, map[string]string{"text": text, "ref": ref}, &m)
		return m
	}
	first := post(string(b.ID), in.Token, "ann 0", "r1")
	if again := post(string(conv), in.Token, "ann 0", "r1"); again.ID != first.ID || again.Seq != 1 {
		t.Errorf("sent again it is %+v, was %+v", again, first)
	}
	if m := post(string(conv), b.token, "bob 0", ""); m.Seq != 2 || m.Author != b.ID {
		t.Errorf("the answer is %+v", m)
	}
	agree(t, url, conv, 2, b)
}

// Who asks for much and reads nothing does not keep the server busy for ever.
func TestAnswerThatNobodyReadsIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		ln := &onePipe{conn: ours, done: make(chan struct{})}
		cut := make(chan error, 1)
		srv := &http.Server{Handler: patient(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, err := w.Write(make([]byte, 1<<20))
			cut <- err
		}))}
		served := make(chan struct{})
		go func() {
			defer close(served)
			_ = srv.Serve(ln)
		}()
		if _, err := theirs.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if err := <-cut; err == nil {
			t.Error("all was written to nobody")
		}
		if d := time.Since(start); d != answerWithin {
			t.Errorf("cut after %v, want %v", d, answerWithin)
		}
		_ = srv.Close()
		_ = ln.Close()
		<-served
		_ = theirs.Close()
	})
}

// onePipe is a listener of one connection.
type onePipe struct {
	conn net.Conn
	once sync.Once
	done chan struct{}
}

func (p *onePipe) Accept() (c net.Conn, err error) {
	if c, p.conn = p.conn, nil; c != nil {
		return c, nil
	}
	<-p.done
	return nil, net.ErrClosed
}
func (p *onePipe) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *onePipe) Addr() net.Addr { return &net.TCPAddr{} }
