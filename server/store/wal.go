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
	walBack  = 4 << 20  // bytes that the log grows by until it is written back
	walMax   = 16 << 20 // bytes of the log until it begins anew
	walPause = 20 * time.Millisecond
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
	back := int64(0) // the size when it was last written back
	for {
		select {
		case <-w.done:
			return
		case <-w.moved:
		}
		switch size := w.size(); {
		case size >= walMax:
			w.anew()
			back = w.size()
		case size >= back+walBack || size < back:
			w.write(context.Background(), "PASSIVE")
			back = size
		}
		select {
		case <-w.done:
			return
		case <-time.After(walPause):
		}
	}
}

// anew writes all of the log back and empties it. The writer waits for the end
// of it: for what was committed during the first step, which waits for nobody.
func (w *wal) anew() {
	ctx := context.Background()
	w.write(ctx, "PASSIVE")
	writer, err := w.writer.Conn(ctx)
	if err != nil {
		return // closed
	}
	defer writer.Close()
	w.write(ctx, "TRUNCATE")
}

// write makes a checkpoint. One that others are in the way of is made the next time.
func (w *wal) write(ctx context.Context, mode string) {
	var busy, pages, written int
	if err := w.check.QueryRowContext(ctx, "PRAGMA wal_checkpoint("+mode+")").Scan(&busy, &pages, &written); err != nil {
		w.log.Warn("the database's log was not written back, will be tried again", "err", err)
	}
}

// afterCommit does what a commit leaves to do.
func (d *DB) afterCommit(ctx context.Context) {
	if d.mysql {
		return
	}
	d.wal.committed()
	d.prepare(ctx)
}
