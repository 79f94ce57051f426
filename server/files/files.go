// Package files keeps what people upload: the bytes in a Folder, and what is
// known of them with Records. It finds out what a file is, bounds what one
// person uploads, and removes what nobody posted.
//
// The record of a file is there before its first byte and until after its last:
// whenever the program is stopped, what it leaves is found by its record.
package files

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"kamachat/shared/chat"
)

// Records are what is known of files. server/store has them.
type Records interface {
	// BeginUpload answers chat.RateLimited where u's owner has uploaded more than
	// bytes, or than files, since a time in Unix milliseconds, u included.
	BeginUpload(ctx context.Context, u chat.Upload, since, bytes int64, files int) error
	// EndUpload makes u readable and its final type and size known. It fails where
	// u has been marked or forgotten in the meantime.
	EndUpload(ctx context.Context, u chat.Upload) error
	// UploadFor answers chat.ErrNotFound where u may not read the file.
	UploadFor(ctx context.Context, id string, u chat.UserID) (chat.Upload, error)
	// StaleUploads marks files begun before a time and never posted, so that nobody
	// can have them any more, and returns at most limit of those marked.
	StaleUploads(ctx context.Context, before int64, limit int) ([]string, error)
	// ForgetUpload forgets a file that is marked, or has not come to its end.
	ForgetUpload(ctx context.Context, id string) error
}

// Store keeps bytes. Folder is the one that there is.
type Store interface {
	Put(id string, r io.Reader) (n int64, err error)
	Open(id string) (io.ReadSeekCloser, error)
	Remove(id string) error
}

// Config is what Files need.
type Config struct {
	Records Records
	Store   Store
	Max     int64                        // bytes of one file
	Room    func() (free int64, ok bool) // on the disk; nil: nobody knows
	Now     func() time.Time             // nil: time.Now
	Log     *slog.Logger
}

const (
	dayFiles = 500 // files that one person uploads in a day
	dayTimes = 20  // files of the greatest size that one person uploads in a day
	atOnce   = 8   // files that one person uploads at once, on this node

	// spare is the room on the disk that files leave to others: messages may be
	// on the same one.
	spare = 256 << 20
	// keptFor is how long a file waits for the message that posts it.
	keptFor = 24 * time.Hour
	// sweepEvery is how often stale files are looked for, and sweepMost how many
	// are then removed before others get a turn.
	sweepEvery = time.Hour
	sweepMost  = 100
)

// Files are the files of an installation. Its methods are safe for concurrent use.
type Files struct {
	Config

	mu     sync.Mutex
	coming map[chat.UserID]int // uploads under way
}

// New returns Files. Nothing is removed until Run.
func New(c Config) *Files {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Files{Config: c, coming: map[chat.UserID]int{}}
}

// MaxUpload is the bytes of the largest file that is taken.
func (f *Files) MaxUpload() int64 { return f.Max }

// Take keeps what r has, as a file of u.Owner's called u.Name. size is how many
// bytes will come, -1 where that is not known. u.Type, Width and Height are what
// the client claims: the type is found anew, and sides beyond chat.MaxSide are
// forgotten. Of pictures it keeps no more than the picture, see stripped. It answers chat.TooLong, chat.RateLimited or chat.Full for what is
// not taken, and an error of r as it is. Then nothing is kept.
func (f *Files) Take(ctx context.Context, u chat.Upload, size int64, r io.Reader) (chat.Upload, error) {
	if size > f.Max {
		return u, tooLarge
	}
	if size < 0 {
		size = f.Max
	}
	if f.Room != nil {
		if free, ok := f.Room(); ok && free-size < spare {
			return u, noRoom
		}
	}
	if !f.begin(u.Owner) {
		return u, &chat.Refusal{Code: chat.RateLimited, Words: "too many uploads at once", RetryAfter: 5 * time.Second}
	}
	defer f.end(u.Owner)

	now := f.Now()
	u.ID, u.Name, u.Size, u.At = rand.Text(), chat.CleanName(u.Name), size, now.UnixMilli()
	if min(u.Width, u.Height) < 1 || max(u.Width, u.Height) > chat.MaxSide {
		u.Width, u.Height = 0, 0
	}
	claimed := u.Type
	u.Type = other
	if err := f.Records.BeginUpload(ctx, u, now.Add(-24*time.Hour).UnixMilli(), dayTimes*f.Max, dayFiles); err != nil {
		return u, err
	}
	err := f.take(ctx, &u, claimed, r)
	if err != nil {
		f.drop(ctx, u.ID)
	}
	return u, err
}

func (f *Files) take(ctx context.Context, u *chat.Upload, claimed string, r io.Reader) error {
	in := bufio.NewReaderSize(&bounded{r, f.Max}, 32<<10)
	head, err := in.Peek(sniffed)
	if err != nil && err != io.EOF { // which only means that it is short
		return err
	}
	u.Type = sniff(head, claimed)
	u.Size, err = f.Store.Put(u.ID, stripped(in, u.Type))
	if err != nil {
		return err
	}
	return f.Records.EndUpload(ctx, *u)
}

// drop leaves nothing of an upload that failed. What it can't remove, the sweep will.
func (f *Files) drop(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	err := f.Store.Remove(id)
	if err == nil {
		err = f.Records.ForgetUpload(ctx, id)
	}
	if err != nil {
		f.Log.Error("an upload that failed is not removed, will be tried again", "file", id, "err", err)
	}
}

func (f *Files) begin(u chat.UserID) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.coming[u] >= atOnce {
		return false
	}
	f.coming[u]++
	return true
}

func (f *Files) end(u chat.UserID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.coming[u]--; f.coming[u] == 0 {
		delete(f.coming, u)
	}
}

// Open returns a file that u may read, and what is known of it; otherwise chat.ErrNotFound.
func (f *Files) Open(ctx context.Context, u chat.UserID, id string) (chat.Upload, io.ReadSeekCloser, error) {
	if !chat.ValidUpload(id) {
		return chat.Upload{}, nil, chat.ErrNotFound
	}
	up, err := f.Records.UploadFor(ctx, id, u)
	if err != nil {
		return up, nil, err
	}
	r, err := f.Store.Open(id)
	if err != nil {
		return up, nil, fmt.Errorf("open file: %w", err)
	}
	return up, r, nil
}

// Run removes what nobody posted, now and then, until ctx ends.
func (f *Files) Run(ctx context.Context) {
	t := time.NewTicker(sweepEvery)
	defer t.Stop()
	for {
		n, err := f.Sweep(ctx)
		if err != nil && ctx.Err() == nil {
			f.Log.Error("remove files that nobody posted, will be tried again", "err", err)
		}
		if n > 0 {
			f.Log.Info("files that nobody posted removed", "n", n)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// Sweep removes what nobody posted for a day, and returns how many that were.
func (f *Files) Sweep(ctx context.Context) (n int, err error) {
	for ctx.Err() == nil {
		ids, err := f.Records.StaleUploads(ctx, f.Now().Add(-keptFor).UnixMilli(), sweepMost)
		if err != nil || len(ids) == 0 {
			return n, err
		}
		for _, id := range ids {
			if err := f.Store.Remove(id); err != nil {
				return n, err
			}
			if err := f.Records.ForgetUpload(ctx, id); err != nil {
				return n, err
			}
			n++
		}
	}
	return n, ctx.Err()
}

var tooLarge = chat.Refuse(chat.TooLong, "the file is too large")

// A bounded reader fails where there is more than it may give.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p[:min(int64(len(p)), b.left+1)])
	if b.left -= int64(n); b.left < 0 {
		return 0, tooLarge
	}
	return n, err
}
