package retention

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"kamachat/server/files"
	"kamachat/server/jobs"
	"kamachat/server/servicetest"
	"kamachat/server/store"
	"kamachat/server/store/storetest"
	"kamachat/shared/chat"
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

// A world is a database with a clock, and nodes on it.
type world struct {
	*testing.T
	db              *store.DB
	now             atomic.Int64
	folder          *files.Folder
	uploads         *files.Files
	messages, files int // days
	refs            int
}

func (w *world) clock() time.Time { return time.UnixMilli(w.now.Load()) }

func (w *world) later(days float64) { w.now.Add(int64(days * float64(day.Milliseconds()))) }

func each(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, dsn string) {
		w := &world{T: t}
		w.now.Store(1_700_000_000_000)
		w.db = storetest.Open(t, dsn, store.Options{Now: w.clock})
		for _, u := range []chat.UserID{ann, bob} {
			w.must(w.db.AddUser(t.Context(), chat.Person{ID: u, Username: string(u)}, "", 1))
		}
		w.must(w.db.CreateGroup(t.Context(), group, "g", ann, []chat.UserID{ann, bob}, 1))
		var err error
		w.folder, err = files.OpenFolder(filepath.Join(t.TempDir(), "files"))
		w.must(err)
		t.Cleanup(func() { _ = w.folder.Close() })
		w.uploads = files.New(files.Config{Records: w.db, Store: w.folder, Max: 1 << 20, Now: w.clock})
		f(t, w)
	})
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) post(by chat.UserID, conv chat.ConvID, c chat.Content) chat.Message {
	w.Helper()
	w.refs++
	rs, err := w.db.Append(context.WithoutCancel(w.Context()), []chat.Draft{{Conv: conv, Author: by, Ref: fmt.Sprint("r", w.refs), Content: c}})
	if err == nil {
		err = rs[0].Err
	}
	w.must(err)
	return rs[0].Message
}

func (w *world) text(s string) chat.Message { return w.post(ann, group, chat.TextContent(s)) }

func (w *world) file() (chat.Message, string) {
	w.Helper()
	u, err := w.uploads.Take(w.Context(), chat.Upload{Owner: ann, Name: "f"}, -1, bytes.NewReader([]byte("bytes")))
	w.must(err)
	f := u.File()
	return w.post(ann, group, chat.Content{Kind: chat.FileK, File: &f}), u.ID
}

// node is a service on the database.
func (w *world) node(n int) *Service {
	js := jobs.New(jobs.Config{Store: w.db, ID: func() int64 { return time.Now().UnixNano() }, Node: n, Now: w.clock})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); js.Run(ctx) }()
	w.Cleanup(func() { cancel(); <-done })
	return New(Config{Store: w.db, Jobs: js, Days: func() (int, int) { return w.messages, w.files }, Now: w.clock})
}

// run has s look, and waits for the end of what it started.
func (w *world) run(s *Service) (removed string, started bool) {
	w.Helper()
	j, started, err := s.Look(w.Context())
	w.must(err)
	if !started {
		return "", false
	}
	for {
		got, err := w.db.Job(w.Context(), j.ID)
		w.must(err)
		if got.State == chat.JobRunning {
			time.Sleep(time.Millisecond)
			continue
		}
		if got.State != chat.JobDone {
			w.Fatalf("the job ended as %+v", got)
		}
		return got.Detail[Removed], true
	}
}

// kinds are those of the log, which must have no hole.
func (w *world) kinds(conv chat.ConvID) string {
	w.Helper()
	p, err := w.db.Before(w.Context(), conv, 0, 1000)
	w.must(err)
	var out []string
	for i, m := range p.Entries {
		if m.Seq != int64(i)+1 {
			w.Fatalf("entry %d has the Seq %d", i+1, m.Seq)
		}
		if m.Content.Kind == chat.Gone && (m.Content.Text != "" || m.Content.File != nil) {
			w.Errorf("what is gone says %+v", m.Content)
		}
		out = append(out, string(m.Content.Kind))
	}
	return strings.Join(out, " ")
}

func TestOldMessagesAreEmptiedAndTheirPlacesStay(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.messages = 30
		s := w.node(0)
		direct := chat.Direct(ann, bob)
		w.text("old")
		w.post(bob, direct, chat.TextContent("old, too"))
		w.post(ann, group, chat.Content{Kind: chat.Edit, Of: 1, Text: "old and edited"})
		w.post(bob, group, chat.Content{Kind: chat.React, Of: 1, Text: "👍"})
		_, id := w.file()
		w.later(20)
		w.text("younger")
		if got, ok := w.run(s); !ok || got != "0" {
			t.Errorf("after 20 days %q, %v", got, ok)
		}
		w.later(11)
		if got, ok := w.run(s); !ok || got != "4" {
			t.Errorf("after 31 days %q, %v are removed, want 4", got, ok)
		}
		if got, want := w.kinds(group), "gone edit react gone text"; got != want {
			t.Errorf("the log is %q, want %q", got, want)
		}
		if got := w.kinds(direct); got != "gone" {
			t.Errorf("the direct one is %q", got)
		}
		p, err := w.db.Before(t.Context(), group, 0, 10)
		w.must(err)
		for _, m := range p.Entries {
			if f := m.Content.Fate; m.Content.Kind == chat.Gone && (f == nil || !f.Expired) {
				t.Errorf("it reads as if its author had unsent it: %+v", m)
			}
		}
		// All nodes know, and copies of clients become what the server has.
		other := w.node(1)
		w.must(other.Learn(t.Context()))
		if x := other.Expired(); x != s.Expired() || x.Messages != w.clock().Add(-30*day).UnixMilli() || x.Files != 0 {
			t.Errorf("known are %+v and %+v", s.Expired(), x)
		}
		if e := p.Entries[1].Content; e.Text != "" || e.Of != 1 {
			t.Errorf("the edit says %+v", e)
		}
		// The log goes on, and clients that fold take the tombstone over what they have.
		if m := w.text("new"); m.Seq != 6 {
			t.Errorf("the next entry has the Seq %d", m.Seq)
		}
		held := chat.Message{Conv: group, Seq: 1, Author: ann, Content: chat.Content{Kind: chat.Text, Text: "old and edited", Fate: &chat.Fate{Edited: 2, To: 3}}}
		if !chat.Merge(&held, p.Entries[0]) || held.Content.Kind != chat.Gone || held.Content.Text != "" {
			t.Errorf("a copy becomes %+v", held.Content)
		}
		rs, err := w.db.Append(t.Context(), []chat.Draft{{Conv: group, Author: bob, Ref: "late", Content: chat.Content{Kind: chat.React, Of: 1, Text: "👍"}}})
		if err != nil || chat.AsRefusal(rs[0].Err).Code != chat.Invalid {
			t.Errorf("a reaction to what is gone: %+v, %v", rs, err)
		}
		// The file is one that nobody posted, and goes a day after it came.
		if _, err := w.uploads.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if f, err := w.folder.Open(id); err == nil {
			_ = f.Close()
			t.Error("the file is still there")
		}
	})
}

func TestOldFilesGoBeforeMessages(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.files = 7
		s := w.node(0)
		w.text("kept")
		w.file()
		w.later(8)
		w.file()
		if got, ok := w.run(s); !ok || got != "1" {
			t.Errorf("%q, %v", got, ok)
		}
		if got, want := w.kinds(group), "text gone file"; got != want {
			t.Errorf("the log is %q, want %q", got, want)
		}
		w.messages = 4
		w.later(1.5)
		if got, ok := w.run(s); !ok || got != "1" {
			t.Errorf("with messages, too: %q, %v", got, ok)
		}
		if got, want := w.kinds(group), "gone gone file"; got != want {
			t.Errorf("the log is %q, want %q", got, want)
		}
	})
}

func TestManyMessagesGoInSteps(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.messages = 1
		for i := range 1203 {
			w.text(fmt.Sprint(i))
		}
		for i := range 3 { // conversations behind
			w.must(w.db.CreateGroup(t.Context(), chat.ConvID(fmt.Sprint("Gz", i)), "z", ann, []chat.UserID{ann}, 1))
			w.post(ann, chat.ConvID(fmt.Sprint("Gz", i)), chat.TextContent("z"))
		}
		w.later(2)
		if got, ok := w.run(w.node(0)); !ok || got != "1206" {
			t.Errorf("%q, %v", got, ok)
		}
		if p, err := w.db.After(t.Context(), group, 0, 2000); err != nil || len(p.Entries) != 1203 || strings.Contains(fmt.Sprintf("%+v", p.Entries), "text") {
			t.Errorf("%d entries, %v", len(p.Entries), err)
		}
	})
}

func TestOneNodeADayDoesIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a, b := w.node(0), w.node(1)
		if _, ok := w.run(a); ok {
			t.Error("it began though everything is kept")
		}
		w.messages = 1
		w.text("old")
		w.later(2)
		if ok, err := w.db.Lease(t.Context(), lease, b.holder, w.clock(), w.clock().Add(leased)); err != nil || !ok {
			t.Fatal(ok, err)
		}
		if _, ok := w.run(a); ok {
			t.Error("it began while another node has the lease")
		}
		w.now.Add(leased.Milliseconds())
		if _, ok := w.run(a); !ok {
			t.Error("it did not begin where the other is gone")
		}
		for _, s := range []*Service{a, b} {
			if _, ok := w.run(s); ok {
				t.Error("it began twice in a day")
			}
		}
		w.later(1)
		if got, ok := w.run(b); !ok || got != "0" {
			t.Errorf("a day later %q, %v", got, ok)
		}
	})
}

// Who amends a message just when it expires does not bring it back.
func TestAmendingBringsNothingBack(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const n = 200
		for i := range n {
			w.text(fmt.Sprint(i))
		}
		w.later(2)
		var amending sync.WaitGroup
		for k := range 3 {
			amending.Go(func() {
				for i := int64(n); i > 0; i-- {
					c, by := chat.Content{Kind: chat.React, Of: i, Text: "👍"}, bob
					if k == 0 {
						c, by = chat.Content{Kind: chat.Edit, Of: i, Text: "edited"}, ann
					}
					if _, err := w.db.Append(context.WithoutCancel(t.Context()), []chat.Draft{{Conv: group, Author: by, Ref: fmt.Sprint(k, ".", i), Content: c}}); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		_, _, err := w.db.ExpireSome(t.Context(), chat.Expiry{Kinds: []chat.Kind{chat.Text}, Until: w.now.Load() - day.Milliseconds()}, "")
		amending.Wait()
		w.must(err)
		p, err := w.db.Before(t.Context(), group, n+1, n)
		w.must(err)
		for _, m := range p.Entries {
			if m.Content.Kind != chat.Gone || m.Content.Text != "" {
				t.Fatalf("%d is %+v", m.Seq, m.Content)
			}
		}
	})
}
