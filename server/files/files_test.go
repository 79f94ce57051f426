package files_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"kamachat/server/files"
	"kamachat/shared/chat"
)

// records are files.Records in memory.
type records struct {
	mu    sync.Mutex
	of    map[string]chat.Upload
	ready map[string]bool
	fail  error // of EndUpload
}

func (r *records) BeginUpload(_ context.Context, u chat.Upload, _, bytes int64, most int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.of) >= most || u.Size > bytes {
		return &chat.Refusal{Code: chat.RateLimited}
	}
	r.of[u.ID] = u
	return nil
}

func (r *records) EndUpload(_ context.Context, u chat.Upload) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.of[u.ID], r.ready[u.ID] = u, true
	return r.fail
}

func (r *records) UploadFor(_ context.Context, id string, u chat.UserID) (chat.Upload, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if up := r.of[id]; r.ready[id] && up.Owner == u {
		return up, nil
	}
	return chat.Upload{}, chat.ErrNotFound
}

func (r *records) StaleUploads(_ context.Context, before int64, limit int) (ids []string, _ error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, u := range r.of {
		if u.At < before && len(ids) < limit {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

func (r *records) ForgetUpload(_ context.Context, id string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.of, id)
	delete(r.ready, id)
	return nil
}

func (r *records) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.of)
}

// A desk is Files over a folder and records of its own, at a time of its own.
type desk struct {
	*files.Files
	records *records
	dir     string
	folder  *files.Folder
	now     time.Time
}

func newDesk(t *testing.T, change func(*files.Config)) *desk {
	t.Helper()
	d := &desk{records: &records{of: map[string]chat.Upload{}, ready: map[string]bool{}}, dir: t.TempDir(), now: time.Unix(1_000_000, 0)}
	var err error
	if d.folder, err = files.OpenFolder(d.dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.folder.Close() })
	c := files.Config{Records: d.records, Store: d.folder, Max: 1000, Now: func() time.Time { return d.now }, Log: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&c)
	}
	d.Files = files.New(c)
	return d
}

// kept are the files in the desk's folder.
func (d *desk) kept(t *testing.T) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(d.dir, func(p string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			paths = append(paths, p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

var png = "\x89PNG\r\n\x1a\n" + strings.Repeat("x", 900)

func TestWhatIsTakenComesBack(t *testing.T) {
	d := newDesk(t, nil)
	for _, body := range []string{png, "", "x", strings.Repeat("y", 1000)} {
		for _, size := range []int64{int64(len(body)), -1} {
			up, err := d.Take(t.Context(), chat.Upload{Owner: "Uann", Name: "../a.png", Width: 9, Height: 8}, size, iotest.OneByteReader(strings.NewReader(body)))
			if err != nil || up.Size != int64(len(body)) || up.Name != "a.png" || up.Width != 9 || up.At != d.now.UnixMilli() || !chat.ValidUpload(up.ID) {
				t.Fatalf("taken as %+v, %v", up, err)
			}
			got, r, err := d.Open(t.Context(), "Uann", up.ID)
			if err != nil || got != up {
				t.Fatalf("opened as %+v, %v", got, err)
			}
			if b, err := io.ReadAll(r); err != nil || string(b) != body {
				t.Errorf("it has %d bytes, %v, want %d", len(b), err, len(body))
			}
			_ = r.Close()
			if _, _, err := d.Open(t.Context(), "Ubob", up.ID); !errors.Is(err, chat.ErrNotFound) {
				t.Errorf("a stranger got %v", err)
			}
		}
	}
	for _, id := range []string{"", "../../../../etc/passwd", strings.Repeat("A", 26), strings.Repeat("/", 26)} {
		if _, _, err := d.Open(t.Context(), "Uann", id); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestHugeSidesAreForgotten(t *testing.T) {
	d := newDesk(t, nil)
	for _, side := range [][2]int{{1 << 40, 3}, {3, 1 << 40}, {0, 5}, {-1, 5}, {chat.MaxSide + 1, 1}} {
		up, err := d.Take(t.Context(), chat.Upload{Owner: "Uann", Name: "a.png", Width: side[0], Height: side[1]}, -1, strings.NewReader(png))
		if err != nil || up.Width != 0 || up.Height != 0 {
			t.Errorf("%v became %d by %d, %v", side, up.Width, up.Height, err)
		}
	}
}

var errCut = errors.New("the line was cut")

// broken is a store whose disk is broken.
type broken struct{ *files.Folder }

func (broken) Put(id string, r io.Reader) (int64, error) {
	_, _ = io.CopyN(io.Discard, r, 1)
	return 0, &os.PathError{Op: "write", Path: "x", Err: syscall.EIO}
}

func TestWhatFailsLeavesNothing(t *testing.T) {
	code := func(c chat.Code) error { return &chat.Refusal{Code: c} }
	for name, c := range map[string]struct {
		change func(*files.Config)
		size   int64
		body   io.Reader
		want   error
	}{
		"cut in the beginning":  {nil, 900, io.MultiReader(strings.NewReader("x"), iotest.ErrReader(errCut)), errCut},
		"cut like a short body": {nil, 900, io.MultiReader(strings.NewReader("x"), iotest.ErrReader(io.ErrUnexpectedEOF)), io.ErrUnexpectedEOF},
		"cut in the middle":     {nil, 1000, io.MultiReader(strings.NewReader(png), iotest.ErrReader(errCut)), errCut},
		"larger than it says":   {nil, -1, strings.NewReader(png + png), code(chat.TooLong)},
		"says that it is large": {nil, 1001, strings.NewReader(png), code(chat.TooLong)},
		"no room": {func(c *files.Config) { c.Room = func() (int64, bool) { return 256<<20 + 899, true } }, 900,
			strings.NewReader(png), code(chat.Full)},
		"disk broken":       {func(c *files.Config) { c.Store = broken{c.Store.(*files.Folder)} }, 900, strings.NewReader(png), syscall.EIO},
		"record not stored": {func(c *files.Config) { c.Records.(*records).fail = errCut }, 900, strings.NewReader(png), errCut},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, c.change)
			if _, err := d.Take(t.Context(), chat.Upload{Owner: "Uann", Name: "a"}, c.size, c.body); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if left := d.kept(t); len(left) > 0 || d.records.count() > 0 {
				t.Errorf("left are %v and %d records", left, d.records.count())
			}
		})
	}
}

func TestCallerThatGivesUpLeavesNothing(t *testing.T) {
	d := newDesk(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	done := make(chan error)
	go func() {
		_, err := d.Take(ctx, chat.Upload{Owner: "Uann", Name: "a"}, 900, r)
		done <- err
	}()
	if _, err := w.Write([]byte(png[:600])); err != nil {
		t.Fatal(err)
	}
	if d.records.count() != 1 {
		t.Error("the record is not there before the bytes")
	}
	cancel()
	_ = w.CloseWithError(errCut)
	if err := <-done; !errors.Is(err, errCut) || d.records.count() > 0 || len(d.kept(t)) > 0 {
		t.Errorf("%v, left are %v", err, d.kept(t))
	}
}

func TestOnePersonUploadsSoManyAtOnce(t *testing.T) {
	d := newDesk(t, nil)
	var wg sync.WaitGroup
	var held []*io.PipeWriter
	for range 8 {
		r, w := io.Pipe()
		held = append(held, w)
		wg.Go(func() {
			if _, err := d.Take(t.Context(), chat.Upload{Owner: "Uann"}, -1, r); err != nil {
				t.Error(err)
			}
		})
		if _, err := w.Write([]byte("x")); err != nil { // it is being read
			t.Fatal(err)
		}
	}
	if _, err := d.Take(t.Context(), chat.Upload{Owner: "Uann"}, -1, strings.NewReader("x")); !errors.Is(err, &chat.Refusal{Code: chat.RateLimited}) {
		t.Errorf("the ninth: %v", err)
	}
	if _, err := d.Take(t.Context(), chat.Upload{Owner: "Ubob"}, -1, strings.NewReader("x")); err != nil {
		t.Errorf("another person: %v", err)
	}
	for _, w := range held {
		_ = w.Close()
	}
	wg.Wait()
	if _, err := d.Take(t.Context(), chat.Upload{Owner: "Uann"}, -1, strings.NewReader("x")); err != nil {
		t.Errorf("then: %v", err)
	}
}

func TestSweepRemovesWhatIsStale(t *testing.T) {
	d := newDesk(t, nil)
	for range 3 {
		if _, err := d.Take(t.Context(), chat.Upload{Owner: "Uann"}, -1, strings.NewReader("x")); err != nil {
			t.Fatal(err)
		}
	}
	// What a crash leaves: a record, and a part of the bytes.
	id := strings.Repeat("Z", 26)
	d.records.of[id] = chat.Upload{ID: id, At: d.now.UnixMilli()}
	if err := os.WriteFile(filepath.Join(d.dir, "arriving", id), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if n, err := d.Sweep(t.Context()); n != 0 || err != nil || len(d.kept(t)) != 4 {
		t.Errorf("at once %d, %v", n, err)
	}
	d.now = d.now.Add(24*time.Hour + time.Second)
	if n, err := d.Sweep(t.Context()); n != 4 || err != nil {
		t.Errorf("a day later %d, %v", n, err)
	}
	if left := d.kept(t); len(left) > 0 || d.records.count() > 0 {
		t.Errorf("left are %v and %d records", left, d.records.count())
	}
}

func TestFolderKeepsWhatWasThereBefore(t *testing.T) {
	dir := t.TempDir()
	id := strings.Repeat("A", 26)
	for i := range 2 {
		f, err := files.OpenFolder(dir)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			if n, err := f.Put(id, strings.NewReader("hello")); n != 5 || err != nil {
				t.Fatal(n, err)
			}
		}
		r, err := f.Open(id)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if string(b) != "hello" || err != nil {
			t.Errorf("%q %v", b, err)
		}
		_ = r.Close()
		for _, bad := range []string{"../" + id[3:], id[:25] + "/", "", strings.ToLower(id)} {
			if _, err := f.Put(bad, bytes.NewReader(nil)); err == nil {
				t.Errorf("%q was kept", bad)
			}
			if _, err := f.Open(bad); err == nil {
				t.Errorf("%q was opened", bad)
			}
			if err := f.Remove(bad); err == nil {
				t.Errorf("%q was removed", bad)
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
