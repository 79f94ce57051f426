// Package backup writes everything that an installation keeps, its database and
// the files that people uploaded, to one file while a server goes on, and makes
// an installation of such a file (docs/decisions/025-operations.md).
//
// A backup is a tar archive in a zstd stream, so "tar --zstd -x" reads it, too:
//
//   - tables/NAME/NNNNNN.jsonl: rows of a table, in the order of their keys. The
//     first line holds the names of the columns, each other line the values of a row:
//     a number, a text, null, or {"b":"…"} for bytes that are no text (base64).
//   - files/ID: what was uploaded under that id.
//   - sums/NNNNNN: SHA-256 sums of what came before, as "sha256sum -c" reads them.
//   - manifest.json, the last: the Manifest.
//
// The rows are those of one moment, and the same whichever database they are
// from, so each can be restored into either. Files never change: they are copied after.
package backup

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"kamachat/server/files"
	"kamachat/server/store"
)

// Progress is told how far a run is. *move.Progress is one.
type Progress interface {
	Stage(what string, total int64) // begins something of about total steps
	Add(n int64)
	Done()
	Say(words string)
}

// A Manifest says what is in a backup.
type Manifest struct {
	Format  int              `json:"format"`  // 1
	Build   string           `json:"build"`   // of the program that made it
	Schema  string           `json:"schema"`  // the last migration
	Made    time.Time        `json:"made"`    // the moment that it is of, by the clock of who made it
	Tables  map[string]int64 `json:"tables"`  // rows by table
	Files   int64            `json:"files"`   // in it
	Bytes   int64            `json:"bytes"`   // of these files together
	Missing []string         `json:"missing"` // files that the database knew and that were gone when they were copied; the first hundred
	Gone    int64            `json:"gone"`    // how many these are
	Sums    string           `json:"sums"`    // SHA-256 of all of sums/, one behind the other
}

// format is the version of the form of backups that this program writes and reads.
const format = 1

// people and what else a person would count first.
func (m Manifest) String() string {
	return fmt.Sprintf("%d people, %d conversations, %d messages and %d files (%s)",
		m.Tables["users"], m.Tables["conversations"], m.Tables["messages"], m.Files, size(m.Bytes))
}

func size(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f kB", float64(n)/1e3)
}

// A Making is what Make needs.
type Making struct {
	DB       *store.DB
	Files    string // the folder; none there is fine
	Out      string // the file to write; there must be none
	Build    string
	Progress Progress
	Now      func() time.Time // nil: time.Now
	// Copying is called between the rows and the files, for tests; nil: nothing.
	Copying func()
}

// pageRows is how many rows are read at a time.
const pageRows = 4000

// Make writes a backup to c.Out, whole or not at all, that only the own user of
// the system may read. The server goes on meanwhile.
func Make(ctx context.Context, c Making) (Manifest, error) {
	m := Manifest{Format: format, Build: c.Build, Tables: map[string]int64{}, Missing: []string{}}
	if _, err := os.Lstat(c.Out); err == nil {
		return m, fmt.Errorf("there is a file %s already", c.Out)
	}
	f, err := os.CreateTemp(filepath.Dir(c.Out), filepath.Base(c.Out)+".part-*") // mode 0600
	if err != nil {
		return m, err
	}
	part := f.Name()
	buffered := bufio.NewWriterSize(f, 1<<20)
	err = write(ctx, c, &m, buffered)
	if err == nil {
		err = buffered.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Link(part, c.Out) // unlike a rename, never over what somebody else put there
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return m, errors.Join(os.Rename(part, c.Out), syncDir(filepath.Dir(c.Out)))
		}
	}
	_ = os.Remove(part)
	if err != nil {
		return m, fmt.Errorf("backup: %w", err)
	}
	return m, syncDir(filepath.Dir(c.Out))
}

func write(ctx context.Context, c Making, m *Manifest, to io.Writer) error {
	now := c.Now
	if now == nil {
		now = time.Now
	}
	var err error
	if m.Schema, err = c.DB.Schema(ctx); err != nil {
		return err
	}
	if m.Schema == "" {
		return errors.New("the database is empty")
	}
	snap, err := c.DB.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer snap.Close()
	m.Made = now().UTC()
	w, err := newWriter(to, m.Made)
	if err != nil {
		return err
	}
	defer w.abandon()
	ids, err := rows(ctx, c, snap, m, w)
	if err != nil {
		return err
	}
	snap.Close()
	if c.Copying != nil {
		c.Copying()
	}
	if err := uploads(ctx, c, ids, m, w); err != nil {
		return err
	}
	return w.end(m)
}

// rows writes all tables, and returns the ids of the files that they tell of.
func rows(ctx context.Context, c Making, snap *store.Snapshot, m *Manifest, w *writer) (ids []string, err error) {
	var total int64
	for _, t := range snap.Tables() {
		n, err := snap.Count(ctx, t)
		if err != nil {
			return nil, err
		}
		total += n
	}
	c.Progress.Stage("Rows", total)
	defer c.Progress.Done()
	for _, t := range snap.Tables() {
		m.Tables[t.Name] = 0
		var after store.Row
		for part, more := 1, true; more; part++ {
			var page []store.Row
			if page, more, err = snap.Page(ctx, t, after, pageRows); err != nil {
				return nil, err
			}
			if len(page) == 0 {
				break
			}
			after = page[len(page)-1][:t.Key]
			read := int64(len(page))
			if t.Name == "settings" {
				page = slices.DeleteFunc(page, func(r store.Row) bool { // of moves: about the database itself
					name, _ := r[0].(string)
					return strings.HasPrefix(name, store.MoveSettings)
				})
			}
			for _, r := range page {
				if id, kept := t.UploadOf(r); kept {
					ids = append(ids, id)
				}
			}
			if err := w.rows(t, part, page); err != nil {
				return nil, err
			}
			m.Tables[t.Name] += int64(len(page))
			c.Progress.Add(read)
		}
	}
	return ids, nil
}

// uploads writes the files of ids that there are.
func uploads(ctx context.Context, c Making, ids []string, m *Manifest, w *writer) error {
	if _, err := os.Stat(c.Files); len(ids) == 0 || errors.Is(err, fs.ErrNotExist) {
		for _, id := range ids {
			m.lost(id)
		}
		return nil
	}
	folder, err := files.OpenFolder(c.Files)
	if err != nil {
		return err
	}
	defer folder.Close()
	c.Progress.Stage("Files", int64(len(ids)))
	defer c.Progress.Done()
	for _, id := range ids {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := w.upload(folder, id)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			m.lost(id)
		case err != nil:
			return err
		default:
			m.Files, m.Bytes = m.Files+1, m.Bytes+n
		}
		c.Progress.Add(1)
	}
	return nil
}

func (m *Manifest) lost(id string) {
	if m.Gone++; len(m.Missing) < 100 {
		m.Missing = append(m.Missing, id)
	}
}

// syncDir has the names in dir on the disk. Not all systems can or need to.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	_ = d.Sync()
	return d.Close()
}
