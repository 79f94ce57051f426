package export

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"kamachat/server/jobs"
	"kamachat/server/servicetest"
	"kamachat/server/store"
	"kamachat/server/store/storetest"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

func TestMain(m *testing.M) {
	code := m.Run()
	servicetest.EndShared()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

const (
	ann, bob = chat.UserID("Uann"), chat.UserID("Ubob")
	group    = chat.ConvID("Ggroup")
)

// log is one conversation of ann and bob, of which ann has deleted the entries up to cleared.
type log struct {
	entries []chat.Message
	cleared int64
	most    int // entries that were asked for at once
}

func (l *log) Before(_ context.Context, u chat.UserID, conv chat.ConvID, seq int64, limit int) (chat.Page, error) {
	if u != ann && u != bob || conv != group {
		return chat.Page{}, chat.Refuse(chat.Forbidden, "not a conversation of yours")
	}
	l.most = max(l.most, limit)
	last := int64(len(l.entries))
	if seq < 1 || seq > last+1 {
		seq = last + 1
	}
	p := chat.Page{Conv: conv, LastSeq: last, Entries: slices.Clone(l.entries[max(0, seq-1-int64(limit)) : seq-1]), People: []chat.Person{{ID: ann, Nickname: "Ann <b>"}, {ID: bob, Nickname: "Bob"}}}
	if u == ann {
		p.Entries = slices.DeleteFunc(p.Entries, func(m chat.Message) bool { return m.Seq <= l.cleared })
	}
	return p, nil
}

func (l *log) Lines(context.Context, chat.UserID, wire.List) (wire.Listed, error) {
	return wire.Listed{Convs: []chat.Summary{{Conv: group, Title: "All", LastSeq: int64(len(l.entries))}}, People: []chat.Person{{ID: ann}}}, nil
}

func (l *log) say(by chat.UserID, c chat.Content) {
	n := int64(len(l.entries)) + 1
	l.entries = append(l.entries, chat.Message{ID: n, Conv: group, Seq: n, Author: by, Ref: "r", At: 1_700_000_000_000 + n*1000, Content: c})
}

func long(n int) *log {
	l := &log{}
	for i := range n {
		l.say([]chat.UserID{ann, bob}[i%2], chat.TextContent(fmt.Sprint("text ", i+1)))
	}
	return l
}

func order(format string) Order {
	return Order{Me: chat.Person{ID: ann, Nickname: "Ann"}, Conv: group, Title: "All </title><script>", Format: format, Lang: "en", Zone: time.UTC, Site: "https://chat.example", Now: time.UnixMilli(1_800_000_000_000)}
}

// file is an export of a conversation, or an account, as JSON.
type file struct {
	Format, ID, Title string
	Entries, Messages []chat.Message
	People            []chat.Person
	Account           []map[string]any
	Conversations     []map[string]any
}

func parsed(t *testing.T, p []byte) (f file) {
	t.Helper()
	if err := json.Unmarshal(p, &f); err != nil {
		t.Fatalf("%v:\n%s", err, p)
	}
	return f
}

func TestJSONHasEachEntryOnceInOrder(t *testing.T) {
	for _, n := range []int{0, 1, 99, 100, 101, 200, 537} {
		for _, cleared := range []int64{0, 1, 100, 150} {
			l := long(n)
			l.cleared = cleared
			var b bytes.Buffer
			if err := Conversation(t.Context(), l, order(JSON), &b, nil); err != nil {
				t.Fatal(err)
			}
			f := parsed(t, b.Bytes())
			if want := max(0, n-int(cleared)); len(f.Entries) != want || f.Format != "kamachat.conversation.1" {
				t.Fatalf("of %d, %d deleted: %d entries, want %d", n, cleared, len(f.Entries), want)
			}
			for i, m := range f.Entries {
				if m.Seq != cleared+int64(i)+1 {
					t.Fatalf("entry %d has the Seq %d", i, m.Seq)
				}
			}
			if l.most > chat.MaxPage {
				t.Errorf("%d entries were read at once", l.most)
			}
			if lines := strings.Count(b.String(), "\n{\"id\""); n > 0 && lines != len(f.Entries) {
				t.Errorf("%d of %d entries have a line of their own", lines, len(f.Entries))
			}
		}
	}
}

func TestHTMLRunsAndFetchesNothing(t *testing.T) {
	evil := `<script>alert(1)</script><img src=x onerror=alert(1)>"'`
	l := &log{}
	l.say(ann, chat.TextContent(evil))
	l.say(bob, chat.Content{Kind: chat.Text, Text: "answer", Re: &chat.Quote{Seq: 1, Author: ann, Text: evil}})
	l.say(bob, chat.Content{Kind: chat.FileK, File: &chat.File{URL: "/files/X/a%20b.png", Name: evil, Type: "image/png"}})
	l.say(bob, chat.Content{Kind: chat.FileK, File: &chat.File{URL: "javascript:alert(1)", Name: "bad link", Type: "image/png"}})
	l.say(bob, chat.Content{Kind: chat.Gone, Fate: &chat.Fate{Recalled: 9}})
	l.say(bob, chat.Content{Kind: chat.Event, Event: &chat.Change{What: "renamed", Name: evil}})
	l.say(bob, chat.Content{Kind: chat.React, Of: 1, Text: "👍"})
	l.entries[0].Content.Fate = &chat.Fate{Edited: 9, Reacts: map[string]map[chat.UserID]int64{"👍": {bob: 7}}}
	var b bytes.Buffer
	if err := Conversation(t.Context(), l, order(HTML), &b, nil); err != nil {
		t.Fatal(err)
	}
	got := b.String()
	for _, bad := range []string{"<script", "<img", "<b>Ann <b>", "javascript:", "<link", "http-equiv=\"refresh", "</title><"} {
		if strings.Contains(strings.ReplaceAll(got, "</title>\n<style>", ""), bad) {
			t.Errorf("it holds %s", bad)
		}
	}
	for _, want := range []string{"default-src 'none'", `href="https://chat.example/files/X/a%20b.png"`, "bad link", "👍 1", "edited", "Message unsent", "renamed the group", "&lt;script&gt;"} {
		if !strings.Contains(got, want) {
			t.Errorf("it lacks %s:\n%s", want, got)
		}
	}
	if n := strings.Count(got, "<article"); n != 5 {
		t.Errorf("%d messages, want 5", n)
	}
}

func TestNothingIsWrittenForWhoMayNotRead(t *testing.T) {
	var b bytes.Buffer
	o := order(JSON)
	o.Me.ID = "Ueve"
	if err := Conversation(t.Context(), long(3), o, &b, nil); chat.AsRefusal(err).Code != chat.Forbidden || b.Len() > 0 {
		t.Errorf("%v, and %q", err, &b)
	}
}

// service is one with a database of its own.
func service(t *testing.T, dsn string, l Log) (*Service, *store.DB) {
	t.Helper()
	ids := storetest.IDs()
	db := storetest.Open(t, dsn, store.Options{ID: ids.Next})
	for _, u := range []chat.UserID{ann, bob} {
		if err := db.AddUser(t.Context(), chat.Person{ID: u, Username: string(u)}, "secret hash", 1); err != nil {
			t.Fatal(err)
		}
	}
	js := jobs.New(jobs.Config{Store: db, ID: ids.Next})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); js.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return &Service{Log: l, Rows: db, Jobs: js, Folder: filepath.Join(t.TempDir(), "exports")}, db
}

func ended(t *testing.T, s *Service, id int64) chat.Job {
	t.Helper()
	for {
		j, err := s.Jobs.Store.Job(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if j.State != chat.JobRunning {
			return j
		}
		time.Sleep(time.Millisecond)
	}
}

var each = storetest.Each

func TestFileIsForWhoAskedAndForADay(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		s, _ := service(t, dsn, long(250))
		j, err := s.Conversation(t.Context(), order(HTML))
		if err != nil {
			t.Fatal(err)
		}
		if j = ended(t, s, j.ID); j.State != chat.JobDone || j.Done != 250 || j.Total != 250 {
			t.Fatalf("%+v", j)
		}
		f, _, err := s.Open(t.Context(), ann, j.ID)
		if err != nil {
			t.Fatal(err)
		}
		info, err := f.Stat()
		_ = f.Close()
		if err != nil || info.Mode().Perm() != 0o600 || fmt.Sprint(info.Size()) != j.Detail[Size] {
			t.Errorf("the file is %v with %d bytes, want 0600 and %s (%v)", info.Mode(), info.Size(), j.Detail[Size], err)
		}
		if _, _, err := s.Open(t.Context(), bob, j.ID); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("bob opens ann's: %v", err)
		}
		if js, err := s.List(t.Context(), ann, group); err != nil || len(js) != 1 {
			t.Errorf("listed %v, %v", js, err)
		}
		if js, err := s.List(t.Context(), ann, ""); err != nil || len(js) != 0 {
			t.Errorf("listed for the account %v, %v", js, err)
		}
		s.Now = func() time.Time { return time.Now().Add(KeptFor + time.Minute) }
		if _, _, err := s.Open(t.Context(), ann, j.ID); chat.AsRefusal(err).Code != chat.NoFile {
			t.Errorf("a day later: %v", err)
		}
		if err := s.Sweep(); err != nil {
			t.Fatal(err)
		}
		if left, err := os.ReadDir(s.Folder); err != nil || len(left) > 0 {
			t.Errorf("a day later %v is left (%v)", left, err)
		}
		if _, err := s.Conversation(t.Context(), order("pdf")); chat.AsRefusal(err).Code != chat.Invalid {
			t.Errorf("another format: %v", err)
		}
	})
}

func TestAccountHasOnesOwnMessagesAndNoSecret(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		s, db := service(t, dsn, long(120))
		if err := db.AddToken(t.Context(), "token hash", ann, 1); err != nil {
			t.Fatal(err)
		}
		j, err := s.Account(t.Context(), order(""))
		if err != nil {
			t.Fatal(err)
		}
		if j = ended(t, s, j.ID); j.State != chat.JobDone {
			t.Fatalf("%+v", j)
		}
		p, err := os.ReadFile(s.path(j))
		if err != nil {
			t.Fatal(err)
		}
		f := parsed(t, p)
		if len(f.Messages) != 60 || f.Messages[1].Seq != 3 || f.Format != "kamachat.account.1" || len(f.Conversations) != 1 || len(f.Account) != 1 || f.Account[0]["username"] != "Uann" {
			t.Errorf("%d messages, %+v, %+v", len(f.Messages), f.Conversations, f.Account)
		}
		for _, secret := range []string{"hash", "Ubob\"", "password"} {
			if strings.Contains(string(p), secret) {
				t.Errorf("it holds %s", secret)
			}
		}
	})
}
