package backup

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"kamachat/server/files"
	"kamachat/server/store"
)

// A Restoring is what Restore needs.
type Restoring struct {
	In         string // the backup
	Database   string // where to, as store.Open takes it
	Safe       string // the same without a password, for words
	Data       string // a folder with room for a database
	Files      string // the folder for files
	Migrations fs.FS
	Force      bool // lose what is there
	EndTokens  bool // bots are signed out, too
	Progress   Progress
	// Step is called before each step that can't be seen from outside until the
	// last; an error of it ends the run as a kill would, leaving everything as it is. For tests.
	Step func(name string) error
}

// made begins the names of files that hold a database until it is whole.
const made = "kamachat-restoring-"

// Restore makes the backup c.In the installation's database and files. It checks
// all of it before it touches anything. All sign-ins of people end with it, and
// the database is another for clients: its epoch is. Until the last step, which is one
// rename, what was there is untouched; it refuses to replace anything unless c.Force
// says so, and any database that somebody uses.
func Restore(ctx context.Context, c Restoring) (Manifest, error) {
	m, err := Check(c.In, c.Progress)
	if err != nil {
		return m, err
	}
	if err := knows(c.Migrations, m.Schema); err != nil {
		return m, err
	}
	folder, err := files.OpenFolder(c.Files)
	if err != nil {
		return m, err
	}
	defer folder.Close()
	r := &restore{Restoring: c, manifest: m, folder: folder}
	if err := r.run(ctx); err != nil {
		return m, fmt.Errorf("restore: %w", err)
	}
	return m, nil
}

// knows answers nil where the program has the migration that a backup is of.
func knows(migrations fs.FS, schema string) error {
	if there, err := fs.Glob(migrations, schema+"_*.up.sql"); err != nil || len(there) == 0 {
		return fmt.Errorf("the backup is of a version of the database (%s) that this version of kamachat does not know: use a newer one", schema)
	}
	return nil
}

type restore struct {
	Restoring
	manifest Manifest
	folder   *files.Folder
	ids      []string // of the files that are staged
	replaced bool     // the last step is done
}

// errKilled is what a Step answers in tests, to end a run as a kill would.
var errKilled = errors.New("killed")

func (r *restore) step(name string) error {
	if r.Step == nil {
		return nil
	}
	return r.Step(name)
}

func (r *restore) run(ctx context.Context) (err error) {
	if err := r.look(ctx); err != nil {
		return err
	}
	dir := r.Data
	path, lite := store.IsSQLite(r.Database)
	if lite {
		dir = filepath.Dir(path) // the last step is a rename there
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := sweep(dir); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, made+"*.db")
	if err != nil {
		return err
	}
	fresh := f.Name()
	if err := f.Close(); err != nil {
		return err
	}
	defer func() {
		switch {
		case errors.Is(err, errKilled):
		case r.replaced:
			err = errors.Join(err, r.folder.Unstage(), sweep(dir))
		default:
			err = errors.Join(err, r.undo(context.WithoutCancel(ctx)), sweep(dir))
		}
	}()
	if err := r.fill(ctx, fresh); err != nil {
		return err
	}
	if lite {
		return r.lite(ctx, fresh, path)
	}
	return r.mysql(ctx, fresh)
}

// sweep removes what runs that were killed have left in dir.
func sweep(dir string) error {
	left, err := filepath.Glob(filepath.Join(dir, made+"*"))
	for _, p := range left {
		err = errors.Join(err, os.Remove(p))
	}
	return err
}

// open opens the database to restore to, nil where there is none.
func (r *restore) open(ctx context.Context) (*store.DB, error) {
	if path, ok := store.IsSQLite(r.Database); ok {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		if err := store.Release(ctx, path); err != nil {
			return nil, err
		}
	}
	db, err := store.Open(ctx, r.Database, store.Options{})
	if err == nil {
		if err = db.Alone(ctx); err != nil {
			err = errors.Join(err, db.Close())
		}
	}
	return db, err
}

// look refuses to replace what is there, or says that it is lost, and removes
// what runs that were killed have left.
func (r *restore) look(ctx context.Context) error {
	db, err := r.open(ctx)
	if err != nil {
		return err
	}
	if db != nil {
		defer db.Close()
	}
	if err := r.clear(ctx, db); err != nil {
		return err
	}
	there := map[string]int64{}
	if db != nil {
		ts, err := db.Tables(ctx)
		if err != nil {
			return err
		}
		for _, t := range ts {
			if there[t.Name], err = db.Count(ctx, t); err != nil {
				return err
			}
		}
	}
	var kept int64
	for _, err := range r.folder.IDs() {
		if err != nil {
			return err
		}
		kept++
	}
	if there["users"]+there["conversations"]+there["messages"]+there["files"]+kept == 0 {
		return nil
	}
	what := fmt.Sprintf("%d people, %d conversations and %d messages in %s, and %d files in %s", there["users"], there["conversations"], there["messages"], r.Safe, kept, r.Files)
	if !r.Force {
		return fmt.Errorf("there are %s: --force replaces them, and they are lost then", what)
	}
	r.Progress.Say("Lost by this: " + what + ".")
	return nil
}

// undo leaves nothing of a run that failed.
func (r *restore) undo(ctx context.Context) error {
	db, err := r.open(ctx)
	if err != nil {
		return err // the next run does it
	}
	if db != nil {
		defer db.Close()
	}
	return r.clear(ctx, db)
}

// clear removes the files that a run that was killed had put in their places, and
// that db does not know.
func (r *restore) clear(ctx context.Context, db *store.DB) error {
	ids, err := r.folder.Unsettled()
	if err != nil {
		return err
	}
	known := map[string]bool{}
	if db != nil && len(ids) > 0 {
		if s, err := db.Schema(ctx); err != nil {
			return err
		} else if s != "" {
			if known, err = db.KnownUploads(ctx, ids); err != nil {
				return err
			}
		}
	}
	for _, id := range ids {
		if !known[id] {
			if err := r.folder.Remove(id); err != nil {
				return err
			}
		}
	}
	return r.folder.Unstage()
}

// fill makes the database at path of the backup, and stages its files.
func (r *restore) fill(ctx context.Context, path string) error {
	db, err := store.Open(ctx, "sqlite:"+path, store.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.Migrate(ctx, upTo{r.Migrations, r.manifest.Schema}); err != nil {
		return err
	}
	ts, err := db.Tables(ctx)
	if err != nil {
		return err
	}
	info, err := os.Stat(r.In)
	if err != nil {
		return err
	}
	r.Progress.Stage("Restoring", info.Size())
	defer r.Progress.Done()
	for _, t := range ts { // what the migrations have put there
		if err := empty(ctx, db, t); err != nil {
			return err
		}
	}
	err = walk(r.In, r.Progress.Add, func(e entry) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if id := e.upload(); id != "" {
			r.ids = append(r.ids, id)
			return r.folder.Stage(id, e.r)
		}
		name := e.table()
		if name == "" {
			return nil
		}
		i := slices.IndexFunc(ts, func(t store.Table) bool { return t.Name == name })
		if i < 0 {
			return damaged("there is no table %s", name)
		}
		p, err := e.all(maxRows)
		if err != nil {
			return err
		}
		columns, rows, err := decoded(p)
		if err == nil && !slices.Equal(columns, ts[i].Columns) {
			err = fmt.Errorf("%s has the columns %v, want %v", name, columns, ts[i].Columns)
		}
		if err != nil {
			return damaged("%s: %w", e.name, err)
		}
		return db.Put(ctx, "", ts[i], rows, nil)
	})
	if err != nil {
		return err
	}
	if err := r.step("filled"); err != nil {
		return err
	}
	for _, t := range ts {
		if n, err := db.Count(ctx, t); err != nil || n != r.manifest.Tables[t.Name] {
			return fmt.Errorf("%s has %d rows, want %d (%w)", t.Name, n, r.manifest.Tables[t.Name], errors.Join(err, errDiffers))
		}
	}
	if _, err := db.Migrate(ctx, r.Migrations); err != nil {
		return err
	}
	if err := db.BeginAnew(ctx, rand.Text()[:16], r.EndTokens); err != nil {
		return err
	}
	return db.Close()
}

var errDiffers = errors.New("what was written is not what is there")

// empty removes the rows of t.
func empty(ctx context.Context, db *store.DB, t store.Table) error {
	for {
		page, _, err := db.Page(ctx, t, nil, nil, pageRows)
		if err != nil || len(page) == 0 {
			return err
		}
		if err := db.Put(ctx, "", t, nil, page); err != nil {
			return err
		}
	}
}

// settle puts the files in their places, where nobody knows them yet.
func (r *restore) settle() error {
	if err := r.step("settle"); err != nil {
		return err
	}
	if err := r.folder.Settle(r.ids); err != nil {
		return err
	}
	return r.step("settled")
}

// lite makes the file fresh the database at path.
func (r *restore) lite(ctx context.Context, fresh, path string) error {
	if err := store.Release(ctx, fresh); err != nil {
		return err
	}
	f, err := os.OpenFile(fresh, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := r.settle(); err != nil {
		return err
	}
	if err := store.Release(ctx, path); err != nil {
		return err
	}
	if err := os.Rename(fresh, path); err != nil {
		return err
	}
	return errors.Join(r.finish(), syncDir(filepath.Dir(path)))
}

// mysql copies the file fresh into tables beside those of the database, and puts
// them in their places.
func (r *restore) mysql(ctx context.Context, fresh string) error {
	from, err := store.Open(ctx, "sqlite:"+fresh, store.Options{})
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := store.Open(ctx, r.Database, store.Options{})
	if err != nil {
		return err
	}
	defer to.Close()
	if _, err := to.Migrate(ctx, r.Migrations); err != nil {
		return err
	}
	ts, err := to.Tables(ctx)
	if err != nil {
		return err
	}
	beside, err := to.Beside(ctx, ts)
	if err != nil {
		return err
	}
	var total int64
	for _, n := range r.manifest.Tables {
		total += n
	}
	r.Progress.Stage("Writing", total)
	for i, t := range ts {
		var n int64
		for after, more := store.Row(nil), true; more; {
			var page []store.Row
			if page, more, err = from.Page(ctx, t, nil, after, pageRows); err == nil && len(page) > 0 {
				after, n = page[len(page)-1][:t.Key], n+int64(len(page))
				err = to.Put(ctx, "", beside[i], page, nil)
				r.Progress.Add(int64(len(page)))
			}
			if err != nil {
				return errors.Join(err, to.Tidy(context.WithoutCancel(ctx)))
			}
		}
		if got, err := to.Count(ctx, beside[i]); err != nil || got != n {
			return errors.Join(fmt.Errorf("%s has %d rows, want %d", t.Name, got, n), err, to.Tidy(context.WithoutCancel(ctx)))
		}
	}
	r.Progress.Done()
	if err := r.settle(); err != nil {
		return err
	}
	if err := to.PutInPlace(ctx, ts); err != nil {
		return err
	}
	if err := r.finish(); err != nil {
		return err
	}
	return to.Tidy(context.WithoutCancel(ctx))
}

// finish removes the files that the new database, now in its place, does not know.
func (r *restore) finish() error {
	r.replaced = true
	if err := r.step("in place"); err != nil {
		return err
	}
	ours := make(map[string]bool, len(r.ids))
	for _, id := range r.ids {
		ours[id] = true
	}
	var gone []string
	for id, err := range r.folder.IDs() {
		if err != nil {
			return err
		}
		if !ours[id] {
			gone = append(gone, id)
		}
	}
	for _, id := range gone {
		if err := r.folder.Remove(id); err != nil {
			return err
		}
	}
	return nil
}

// upTo is a folder of migrations without those behind last.
type upTo struct {
	fs.FS
	last string
}

// ReadDir leaves out what comes later.
func (u upTo) ReadDir(name string) ([]fs.DirEntry, error) {
	es, err := fs.ReadDir(u.FS, name)
	return slices.DeleteFunc(es, func(e fs.DirEntry) bool {
		step, _, _ := strings.Cut(e.Name(), "_")
		return step > u.last
	}), err
}
