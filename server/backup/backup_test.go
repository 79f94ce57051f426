package backup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"kamachat"
	"kamachat/server/files"
	"kamachat/server/servicetest"
	"kamachat/server/store"
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

// silent is a Progress that keeps what it was told.
type silent struct{ said []string }

func (*silent) Stage(string, int64) {}
func (*silent) Add(int64)           {}
func (*silent) Done()               {}
func (s *silent) Say(words string)  { s.said = append(s.said, words) }

func migrations(t *testing.T) fs.FS {
	t.Helper()
	f, err := fs.Sub(kamachat.Migrations, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// A site is an installation: a database and a folder.
type site struct{ dsn, files string }

func lite(t *testing.T) site {
	dir := t.TempDir()
	return site{"sqlite:" + filepath.Join(dir, "kamachat.db"), filepath.Join(dir, "files")}
}

func maria(t *testing.T) site {
	return site{servicetest.SharedDatabase(t), filepath.Join(t.TempDir(), "files")}
}

func (s site) open(t *testing.T) *store.DB {
	t.Helper()
	ids := chat.NewIDs(0, func() int64 { return time.Now().UnixMilli() })
	db, err := store.Open(t.Context(), s.dsn, store.Options{ID: ids.Next})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Migrate(t.Context(), migrations(t)); err != nil {
		t.Fatal(err)
	}
	return db
}

const group = chat.ConvID("Gall")

// filled puts people, a group, values that are hard to write down, and a posted file into db.
func (s site) filled(t *testing.T, db *store.DB) (file string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	var all []chat.UserID
	for i := range 4 {
		u := chat.UserID(fmt.Sprint("U", i))
		all = append(all, u)
		must(db.AddUser(ctx, chat.Person{ID: u, Username: fmt.Sprint("person", i), Nickname: "你 <b> \\ \" \u2028"}, "hash", 1))
	}
	must(db.CreateGroup(ctx, group, "all 🥾", all[0], all, 1))
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	must(db.Logins().CommitCtx(ctx, "login", every, time.Now().Add(time.Hour)))
	must(db.AddPasskey(ctx, all[0], chat.Passkey{ID: "key", Data: every}, 9))
	must(db.SaveSetting(ctx, "empty", ""))
	must(db.Name(ctx, "this database"))
	folder, err := files.OpenFolder(s.files)
	must(err)
	defer folder.Close()
	fs := files.New(files.Config{Records: db, Store: folder, Max: 1 << 20})
	up, err := fs.Take(ctx, chat.Upload{Owner: all[0], Name: "a.txt"}, -1, bytes.NewReader([]byte("what is in it")))
	must(err)
	f := up.File()
	rs, err := db.Append(ctx, []chat.Draft{{Conv: group, Author: all[0], Ref: "file", Content: chat.Content{Kind: chat.FileK, File: &f}}})
	if err == nil {
		err = rs[0].Err
	}
	must(err)
	return up.ID
}

func (s site) restoring(t *testing.T, in string) Restoring {
	return Restoring{In: in, Database: s.dsn, Safe: s.dsn, Data: t.TempDir(), Files: s.files, Migrations: migrations(t), Progress: &silent{}}
}

// each runs a test for backups of each kind of database restored into each.
func each(t *testing.T, f func(t *testing.T, from, to site)) {
	t.Helper()
	for name, c := range map[string][2]func(*testing.T) site{
		"sqlite to sqlite": {lite, lite}, "sqlite to mariadb": {lite, maria}, "mariadb to sqlite": {maria, lite}, "mariadb to mariadb": {maria, maria},
	} {
		t.Run(name, func(t *testing.T) { f(t, c[0](t), c[1](t)) })
	}
}

// texts are the texts of conv, in order; the test fails where its log has a hole.
func texts(t *testing.T, db *store.DB, conv chat.ConvID) (all []string) {
	t.Helper()
	var before int64
	for {
		p, err := db.Before(t.Context(), conv, before, 500)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Entries) == 0 {
			return all
		}
		part := make([]string, len(p.Entries))
		for i, m := range p.Entries {
			if want := p.Entries[0].Seq + int64(i); m.Seq != want {
				t.Fatalf("after Seq %d comes %d", want-1, m.Seq)
			}
			part[i] = m.Content.Text
		}
		all, before = append(part, all...), p.Entries[0].Seq
		if before == 1 {
			return all
		}
	}
}

func TestBackupUnderLoadHoldsWhatWasAcknowledged(t *testing.T) {
	each(t, func(t *testing.T, from, to site) {
		db := from.open(t)
		defer db.Close()
		file := from.filled(t, db)
		var acked [4]atomic.Int64
		ctx, stop := context.WithCancel(t.Context())
		var writing sync.WaitGroup
		for w := range acked {
			writing.Go(func() {
				for n := int64(1); ctx.Err() == nil; n++ {
					u := chat.UserID(fmt.Sprint("U", w))
					d := chat.Draft{Conv: group, Author: u, Ref: fmt.Sprint(n), Content: chat.TextContent(fmt.Sprint(u, " ", n))}
					rs, err := db.Append(context.WithoutCancel(ctx), []chat.Draft{d})
					if err != nil || rs[0].Err != nil {
						t.Errorf("append: %v, %+v", err, rs)
						return
					}
					acked[w].Store(n)
				}
			})
		}
		for w := range acked {
			for acked[w].Load() < 30 {
				time.Sleep(time.Millisecond)
			}
		}
		var before, after [4]int64
		for w := range acked {
			before[w] = acked[w].Load()
		}
		out := filepath.Join(t.TempDir(), "b.tar.zst")
		m, err := Make(t.Context(), Making{DB: db, Files: from.files, Out: out, Build: "test", Progress: &silent{}})
		for w := range acked {
			after[w] = acked[w].Load()
		}
		stop()
		writing.Wait()
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(out); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the backup has the mode %v (%v), want 0600", info.Mode(), err)
		}
		if got, err := Restore(t.Context(), to.restoring(t, out)); err != nil || got.String() != m.String() || m.Files != 1 {
			t.Fatalf("restore: %v, %v; want %v", got, err, m)
		}
		again := to.open(t)
		defer again.Close()
		next := [4]int64{}
		for _, s := range texts(t, again, group)[1:] {
			var w int
			var n int64
			if _, err := fmt.Sscanf(s, "U%d %d", &w, &n); err != nil {
				t.Fatalf("%q: %v", s, err)
			}
			if next[w]++; n != next[w] {
				t.Fatalf("of U%d, %d comes where %d should", w, n, next[w])
			}
		}
		for w, n := range next {
			if n < before[w] || n > after[w]+1 {
				t.Errorf("of U%d, %d texts are there; %d were acknowledged before and %d after", w, n, before[w], after[w])
			}
		}
		rs, err := again.Append(t.Context(), []chat.Draft{{Conv: group, Author: "U0", Ref: "new", Content: chat.TextContent("on")}})
		if err != nil || rs[0].Err != nil || rs[0].Message.Seq != int64(len(texts(t, again, group))) {
			t.Errorf("the log goes on with %+v, %v", rs, err)
		}
		folder, err := files.OpenFolder(to.files)
		if err != nil {
			t.Fatal(err)
		}
		defer folder.Close()
		fs := files.New(files.Config{Records: again, Store: folder})
		_, r, err := fs.Open(t.Context(), "U3", file)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		var got bytes.Buffer
		if _, err := got.ReadFrom(r); err != nil || got.String() != "what is in it" {
			t.Errorf("the file holds %q (%v)", &got, err)
		}
		ks, err := again.Passkeys(t.Context(), "U0")
		if err != nil || len(ks) != 1 || len(ks[0].Data) != 256 || ks[0].Data[255] != 255 {
			t.Errorf("the passkeys are %+v, %v", ks, err)
		}
		if s, err := again.MoveState(t.Context()); err != nil || s.ID != "" {
			t.Errorf("the restored database goes by the ID %q of the other (%v)", s.ID, err)
		}
	})
}

// saved is a small backup of its own.
func saved(t *testing.T, with ...func(*Making)) (out, file string, m Manifest) {
	t.Helper()
	s := lite(t)
	db := s.open(t)
	defer db.Close()
	file = s.filled(t, db)
	out = filepath.Join(t.TempDir(), "b.tar.zst")
	c := Making{DB: db, Files: s.files, Out: out, Progress: &silent{}}
	for _, f := range with {
		f(&c)
	}
	m, err := Make(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return out, file, m
}

func TestDamagedBackupIsRefused(t *testing.T) {
	out, _, _ := saved(t)
	whole, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string][]byte{"empty": nil, "something else": []byte(strings.Repeat("no backup", 100))}
	for i := range 8 {
		at := (i*2 + 1) * len(whole) / 16
		bent := bytes.Clone(whole)
		bent[at] ^= 0x10
		cases[fmt.Sprint("bent at ", at)] = bent
		cases[fmt.Sprint("cut at ", at)] = whole[:at]
	}
	for name, p := range cases {
		t.Run(name, func(t *testing.T) {
			in := filepath.Join(t.TempDir(), "in")
			if err := os.WriteFile(in, p, 0o600); err != nil {
				t.Fatal(err)
			}
			to := lite(t)
			if _, err := Restore(t.Context(), to.restoring(t, in)); err == nil || !strings.Contains(err.Error(), "damaged") {
				t.Errorf("restored with %v", err)
			}
			if _, err := os.Stat(filepath.Dir(to.files)); err == nil {
				left, _ := os.ReadDir(filepath.Dir(to.files))
				if len(left) > 0 {
					t.Errorf("it left %v", left)
				}
			}
		})
	}
}

func TestAFileThatGoesMeanwhileIsNoted(t *testing.T) {
	var gone string
	out, file, m := saved(t, func(c *Making) {
		c.Copying = func() {
			folder, err := files.OpenFolder(c.Files)
			if err != nil {
				t.Fatal(err)
			}
			defer folder.Close()
			for id := range folder.IDs() {
				gone = id
			}
			if err := folder.Remove(gone); err != nil {
				t.Fatal(err)
			}
		}
	})
	if m.Files != 0 || m.Gone != 1 || len(m.Missing) != 1 || m.Missing[0] != file || gone != file {
		t.Errorf("the manifest says %+v, want the file %s missing", m, file)
	}
	if got, err := Check(out, &silent{}); err != nil || got.Gone != 1 {
		t.Errorf("checked: %+v, %v", got, err)
	}
}

func TestBackupReplacesNoFile(t *testing.T) {
	s := lite(t)
	db := s.open(t)
	defer db.Close()
	out := filepath.Join(t.TempDir(), "b")
	if err := os.WriteFile(out, []byte("another"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Make(t.Context(), Making{DB: db, Files: s.files, Out: out, Progress: &silent{}})
	if p, rerr := os.ReadFile(out); err == nil || rerr != nil || string(p) != "another" {
		t.Errorf("it was written over %q: %v, %v", p, err, rerr)
	}
}

// kinds runs a test on a site with either database.
func kinds(t *testing.T, f func(t *testing.T, to site)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, lite(t)) })
	t.Run("mariadb", func(t *testing.T) { f(t, maria(t)) })
}

func TestRestoreRefusesToReplaceUnlessToldTo(t *testing.T) {
	in, _, m := saved(t)
	kinds(t, func(t *testing.T, to site) {
		db := to.open(t)
		old := to.filled(t, db)
		if err := db.AddUser(t.Context(), chat.Person{ID: "Uold", Username: "old"}, "", 1); err != nil {
			t.Fatal(err)
		}
		c := to.restoring(t, in)
		c.Force = true
		if _, err := Restore(t.Context(), c); !errors.Is(err, store.ErrInUse) {
			t.Errorf("while somebody uses it: %v, want %v", err, store.ErrInUse)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		c.Force = false
		if _, err := Restore(t.Context(), c); err == nil || !strings.Contains(err.Error(), "5 people, 1 conversations and 1 messages") || !strings.Contains(err.Error(), "--force") {
			t.Fatalf("restored over something: %v", err)
		}
		told := &silent{}
		c.Force, c.Progress = true, told
		got, err := Restore(t.Context(), c)
		if err != nil || got.String() != m.String() {
			t.Fatal(got, err)
		}
		if len(told.said) != 1 || !strings.HasPrefix(told.said[0], "Lost by this: 5 people") {
			t.Errorf("told %q", told.said)
		}
		db = to.open(t)
		defer db.Close()
		if ps, err := db.People(t.Context(), "Uold"); err != nil || len(ps) > 0 {
			t.Errorf("%+v is still there (%v)", ps, err)
		}
		known, err := db.KnownUploads(t.Context(), []string{old})
		if err != nil || len(known) > 0 {
			t.Errorf("the file before is known: %v, %v", known, err)
		}
		if ids := kept(t, to); len(ids) != 1 || ids[0] == old {
			t.Errorf("the folder holds %v, want that of the backup", ids)
		}
	})
}

// kept are the ids of the files of a site.
func kept(t *testing.T, s site) (ids []string) {
	t.Helper()
	folder, err := files.OpenFolder(s.files)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	for id, err := range folder.IDs() {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return ids
}
