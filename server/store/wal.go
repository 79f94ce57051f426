package store

import (
	"context"
	"database/sql"
	"log/slog"
	"os"
	"sync"
	"time"
)

// A wal writes SQLite's write-ahead log back to the database, off the path of
// commits: most of it on a connection of its own while commits go on, and the
// rest while the writing connection is held for a moment, so that the log
// begins anew. Left to SQLite, every so many commits one waits for all of it.
// The file of the log is written over and over, since one that grows makes each
// commit wait for the file system, too; it is cut only where it got out of hand.
type wal struct {
	path          string
	writer, check *sql.DB
	log           *slog.Logger
	moved         chan struct{} // something was committed; holds one
	done          chan struct{}
	wg            sync.WaitGroup
	closing       sync.Once
}

const (
	walBack  = 1_000    // pages that are not yet written back, until they are
	walMax   = 4_000    // pages in the log, until it begins anew
	walCut   = 4 * 16e6 // bytes of the file, until it is cut
	walPause = 20 * time.Millisecond
	walRest  = 500 * time.Millisecond // while somebody reads the log for long, as a backup does: writers wait for no more tries
)

// watchWAL starts writing the log at path back. writer is the pool of the one
// connection that writes; check is the pool for this alone, closed by close.
func watchWAL(path string, writer, check *sql.DB, log *slog.Logger) *wal {
	w := &wal{path: path, writer: writer, check: check, log: log, moved: make(chan struct{}, 1), done: make(chan struct{})}
	w.wg.Go(w.run)
	return w
}

// close ends it. The last connection to close writes the rest of the log back.
func (w *wal) close() error {
	w.closing.Do(func() { close(w.done) })
	w.wg.Wait()
	return w.check.Close()
}

// size is the size of the log in bytes.
func (w *wal) size() int64 {
	info, err := os.Stat(w.path)
	if err != nil {
		return 0 // before the first write and after the last close there is none
	}
	return info.Size()
}

// committed notes that the log may have grown. It does not wait.
func (w *wal) committed() {
	select {
	case w.moved <- struct{}{}:
	default:
	}
}

func (w *wal) run() {
	var rest time.Time
	for {
		select {
		case <-w.done:
			return
		case <-w.moved:
		}
		switch pages, written := w.checkpoint("NOOP"); {
		case pages >= walMax && time.Now().Before(rest):
		case pages >= walMax:
			if !w.anew() {
				rest = time.Now().Add(walRest)
			}
		case pages-written >= walBack:
			w.checkpoint("PASSIVE")
		}
		select {
		case <-w.done:
			return
		case <-time.After(walPause):
		}
	}
}

// anew writes all of the log back, so that the next commit begins it anew. The
// writer waits for the end of it: for what was committed during the first step,
// which waits for nobody, and 20 ms at most for who still reads the log. It
// reports whether nobody was in the way.
func (w *wal) anew() bool {
	w.checkpoint("PASSIVE")
	writer, err := w.writer.Conn(context.Background())
	if err != nil {
		return true // closed
	}
	defer writer.Close()
	mode := "RESTART"
	if w.size() > walCut {
		mode = "TRUNCATE"
	}
	_, _, busy := w.checkpointed(mode)
	return !busy
}

// checkpoint makes a checkpoint in one of the ways of SQLite and returns how many
// pages the log has and how many of them are written back. One that others are in
// the way of is made the next time.
func (w *wal) checkpoint(mode string) (pages, written int) {
	pages, written, _ = w.checkpointed(mode)
	return pages, written
}

// checkpointed is checkpoint, and tells whether others were in the way.
func (w *wal) checkpointed(mode string) (pages, written int, busy bool) {
	if err := w.check.QueryRowContext(context.Background(), "PRAGMA wal_checkpoint("+mode+")").Scan(&busy, &pages, &written); err != nil {
		w.log.Warn("the database's log was not written back, will be tried again", "err", err)
	}
	return pages, written, busy
}

// afterCommit does what a commit leaves to do.
func (d *DB) afterCommit(ctx context.Context) {
	if d.mysql {
		return
	}
	d.wal.committed()
	d.prepare(ctx)
}
