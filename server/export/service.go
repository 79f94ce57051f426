package export

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"kamachat/server/jobs"
	"kamachat/shared/chat"
)

// Kind is that of the jobs here. Their Detail has the following.
const (
	Kind = "export"

	What   = "what"   // "conversation" or "account"
	Conv   = "conv"   // of a conversation
	Title  = "title"  // of it
	Format = "format" // JSON or HTML
	Size   = "size"   // bytes, once it is done
)

// Values of What.
const (
	OfConversation = "conversation"
	OfAccount      = "account"
)

// KeptFor is how long a file can be fetched.
const KeptFor = 24 * time.Hour

// A Service makes files by jobs. Its methods are safe for concurrent use.
type Service struct {
	Log    Log
	Rows   Rows
	Jobs   *jobs.Service
	Folder string // made when it is needed; nodes that share a database share it, too
	Logs   *slog.Logger
	Now    func() time.Time // nil: time.Now
}

func (s *Service) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

// Conversation starts a job that writes what o says. It refuses who may not read
// the conversation, and a format that there is not, at once.
func (s *Service) Conversation(ctx context.Context, o Order) (chat.Job, error) {
	if o.Format != JSON && o.Format != HTML {
		return chat.Job{}, chat.Refuse(chat.Invalid, "there is no such format")
	}
	if _, err := s.Log.Before(ctx, o.Me.ID, o.Conv, 0, 1); err != nil {
		return chat.Job{}, err
	}
	detail := map[string]string{What: OfConversation, Conv: string(o.Conv), Title: o.Title, Format: o.Format}
	return s.start(ctx, o, detail, func(ctx context.Context, w io.Writer, p *jobs.Progress) error {
		return Conversation(ctx, s.Log, o, w, p)
	})
}

// Account starts a job that writes all that is kept of o.Me.
func (s *Service) Account(ctx context.Context, o Order) (chat.Job, error) {
	return s.start(ctx, o, map[string]string{What: OfAccount, Format: JSON}, func(ctx context.Context, w io.Writer, p *jobs.Progress) error {
		return Account(ctx, s.Log, s.Rows, o, w, p)
	})
}

func (s *Service) start(ctx context.Context, o Order, detail map[string]string, write func(context.Context, io.Writer, *jobs.Progress) error) (chat.Job, error) {
	o.Now = s.now()
	return s.Jobs.Start(ctx, Kind, o.Me.ID, detail, func(ctx context.Context, p *jobs.Progress) (err error) {
		if err := os.MkdirAll(s.Folder, 0o700); err != nil {
			return err
		}
		path := s.path(p.Job())
		f, err := os.OpenFile(path+".part", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		n := &counter{w: f}
		err = write(ctx, n, p)
		if err = errors.Join(err, f.Close()); err == nil {
			err = os.Rename(path+".part", path)
		}
		if err != nil {
			_ = os.Remove(path + ".part")
			return err
		}
		p.Note(Size, strconv.FormatInt(n.n, 10))
		return nil
	})
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

func (s *Service) path(j chat.Job) string {
	ext := JSON
	if j.Detail[Format] == HTML {
		ext = HTML
	}
	return filepath.Join(s.Folder, fmt.Sprintf("%d.%s", j.ID, ext))
}

// List returns the latest jobs of u for one conversation, or where conv is empty
// for the account, that have something to show: at most ten.
func (s *Service) List(ctx context.Context, u chat.UserID, conv chat.ConvID) ([]chat.Job, error) {
	all, err := s.Jobs.List(ctx, u, 100)
	var out []chat.Job
	for _, j := range all {
		if j.Kind != Kind || j.Detail[Conv] != string(conv) || len(out) == 10 {
			continue
		}
		if j, err = s.Jobs.Get(ctx, u, j.ID); err != nil { // as it is now
			return nil, err
		}
		if s.expired(j) {
			continue
		}
		out = append(out, j)
	}
	return out, err
}

// expired reports whether the file of a job is gone.
func (s *Service) expired(j chat.Job) bool {
	return j.State != chat.JobRunning && s.now().UnixMilli() >= j.Updated+KeptFor.Milliseconds()
}

// Open opens the file of a job of u, and says what to call it. It answers
// chat.ErrNotFound for what is not u's, or not done, and chat.NoFile for what is gone.
func (s *Service) Open(ctx context.Context, u chat.UserID, id int64) (*os.File, chat.Job, error) {
	j, err := s.Jobs.Get(ctx, u, id)
	if err != nil {
		return nil, j, err
	}
	if j.Kind != Kind || j.State != chat.JobDone {
		return nil, j, chat.ErrNotFound
	}
	gone := chat.Refuse(chat.NoFile, "the file is gone")
	if s.expired(j) {
		return nil, j, gone
	}
	f, err := os.Open(s.path(j))
	if errors.Is(err, os.ErrNotExist) {
		err = gone
	}
	return f, j, err
}

// sweepEvery is how often files that have expired are looked for.
const sweepEvery = time.Hour

// Run removes files that have expired, now and then, until ctx ends.
func (s *Service) Run(ctx context.Context) {
	t := time.NewTicker(sweepEvery)
	defer t.Stop()
	for {
		if err := s.Sweep(); err != nil {
			s.Logs.Error("files that people had made are not removed, will be tried again", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// Sweep removes files older than KeptFor.
func (s *Service) Sweep() error {
	there, err := os.ReadDir(s.Folder)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, e := range there {
		info, ierr := e.Info()
		if ierr != nil || !info.Mode().IsRegular() {
			continue // another node removed it, or it is nothing of ours
		}
		name, _, _ := strings.Cut(e.Name(), ".")
		if _, nerr := strconv.ParseInt(name, 10, 64); nerr == nil && s.now().Sub(info.ModTime()) >= KeptFor {
			err = errors.Join(err, os.Remove(filepath.Join(s.Folder, e.Name())))
		}
	}
	return err
}

// Cancel ends a job of u that is not done, and returns it. What is u's and ended stays.
func (s *Service) Cancel(ctx context.Context, u chat.UserID, id int64) (chat.Job, error) {
	j, err := s.Jobs.Get(ctx, u, id)
	if err == nil && j.Kind != Kind {
		err = chat.ErrNotFound
	}
	if err != nil {
		return j, err
	}
	return j, s.Jobs.Cancel(ctx, u, id)
}
