package sim

import (
	"context"
	"errors"
	"time"

	"kamachat/server/room"
	"kamachat/server/room/roomtest"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

var (
	errAway = errors.New("the database is away")
	errDead = errors.New("the process is dead")
)

// A faulty is the store as one server sees it: in the plan's time it fails,
// is slow, or does not tell how a commit ended. Nothing reaches it from a dead server.
type faulty struct {
	roomtest.Base
	s *server
}

func (f *faulty) Append(ctx context.Context, ds []chat.Draft) ([]chat.Receipt, error) {
	w := f.s.w
	if err := f.before("append is slow", "append fails"); err != nil {
		return nil, err
	}
	switch f.s.fate.Swap("") {
	case "kill before commit":
		w.fault("kill before commit")
		w.kill(f.s)
		return nil, errDead
	case "kill after commit":
		w.fault("kill after commit")
		rs, err := f.Base.Append(ctx, ds)
		w.note("committed for nobody", "%d drafts, %v", len(rs), err)
		w.kill(f.s)
		return nil, errDead
	}
	rs, err := f.Base.Append(ctx, ds)
	for i, r := range rs {
		w.note("commit", "%s %s %s/%d again=%v %v", ds[i].Author, ds[i].Content.Text, ds[i].Conv, r.Message.Seq, r.Again, r.Err)
	}
	if v, ok := w.during("append is not answered", -1); ok && w.plan.chance("unanswered", int64(w.since())) < v.p {
		w.fault("append is not answered")
		w.note("commit", "is not answered")
		return nil, errAway
	}
	return rs, err
}

// before waits and fails as the plan says.
func (f *faulty) before(slow, fails string) error {
	w := f.s.w
	if v, ok := w.during(slow, -1); ok && v.by > 0 {
		w.fault(slow)
		select {
		case <-time.After(v.by):
		case <-f.s.dead:
		}
	}
	if f.s.isDead() {
		return errDead
	}
	if v, ok := w.during(fails, -1); ok && w.plan.chance(fails, int64(w.since())) < v.p {
		w.fault(fails)
		w.note("store", "%s", fails)
		return errAway
	}
	return nil
}

func (f *faulty) reads() error { return f.before("reads are slow", "reads fail") }

func (f *faulty) Members(ctx context.Context, conv chat.ConvID) ([]chat.Marks, error) {
	if err := f.reads(); err != nil {
		return nil, err
	}
	return f.Base.Members(ctx, conv)
}

func (f *faulty) Summaries(ctx context.Context, u chat.UserID, limit int, convs ...chat.ConvID) ([]chat.Summary, error) {
	if err := f.reads(); err != nil {
		return nil, err
	}
	return f.Base.Summaries(ctx, u, limit, convs...)
}

func (f *faulty) Heads(ctx context.Context, u chat.UserID) ([]chat.Head, error) {
	if err := f.reads(); err != nil {
		return nil, err
	}
	return f.Base.Heads(ctx, u)
}

func (f *faulty) Line(ctx context.Context, u chat.UserID, conv chat.ConvID) (chat.Line, error) {
	if err := f.reads(); err != nil {
		return chat.Line{}, err
	}
	return f.Base.Line(ctx, u, conv)
}

func (f *faulty) Pinned(ctx context.Context, u chat.UserID) ([]chat.ConvID, error) {
	if err := f.reads(); err != nil {
		return nil, err
	}
	return f.Base.Pinned(ctx, u)
}

func (f *faulty) SetLine(ctx context.Context, u chat.UserID, conv chat.ConvID, c chat.LineChange) (chat.Line, error) {
	if err := f.before("append is slow", "append fails"); err != nil {
		return chat.Line{}, err
	}
	return f.Base.SetLine(ctx, u, conv, c)
}

func (f *faulty) Summary(ctx context.Context, conv chat.ConvID) (chat.Summary, error) {
	if err := f.reads(); err != nil {
		return chat.Summary{}, err
	}
	return f.Base.Summary(ctx, conv)
}

func (f *faulty) After(ctx context.Context, conv chat.ConvID, seq int64, limit int) (chat.Page, error) {
	if err := f.reads(); err != nil {
		return chat.Page{}, err
	}
	return f.Base.After(ctx, conv, seq, limit)
}

func (f *faulty) Before(ctx context.Context, conv chat.ConvID, seq int64, limit int) (chat.Page, error) {
	if err := f.reads(); err != nil {
		return chat.Page{}, err
	}
	return f.Base.Before(ctx, conv, seq, limit)
}

func (f *faulty) Moved(ctx context.Context, at int64, conv chat.ConvID, limit int) ([]chat.Head, error) {
	if err := f.reads(); err != nil {
		return nil, err
	}
	return f.Base.Moved(ctx, at, conv, limit)
}

func (f *faulty) Groups(ctx context.Context, u chat.UserID) ([]chat.ConvID, error) {
	if err := f.reads(); err != nil {
		return nil, err
	}
	return f.Base.Groups(ctx, u)
}

func (f *faulty) Joined(ctx context.Context, at int64, convs ...chat.ConvID) ([]chat.Marks, error) {
	if err := f.reads(); err != nil {
		return nil, err
	}
	return f.Base.Joined(ctx, at, convs...)
}

func (f *faulty) People(ctx context.Context, ids ...chat.UserID) ([]chat.Person, error) {
	if err := f.before("reads are slow", "people fail"); err != nil {
		return nil, err
	}
	return f.Base.People(ctx, ids...)
}

func (f *faulty) CreateGroup(ctx context.Context, conv chat.ConvID, name string, owner chat.UserID, members []chat.UserID, at int64) error {
	if err := f.before("append is slow", "append fails"); err != nil {
		return err
	}
	return f.Base.CreateGroup(ctx, conv, name, owner, members, at)
}

// SaveMarks also checks that no mark is saved that is beyond its log.
func (f *faulty) SaveMarks(ctx context.Context, ms []chat.Marks) error {
	if err := f.before("append is slow", "marks fail"); err != nil {
		return err
	}
	for _, m := range ms {
		if s, err := f.Base.Summary(ctx, m.Conv); err == nil && (m.Read > s.LastSeq || m.Delivered > s.LastSeq || m.Read > m.Delivered) {
			f.s.w.wrong("marks %+v are saved for a log that ends at %d", m, s.LastSeq)
		}
	}
	return f.Base.SaveMarks(ctx, ms)
}

// A carrier counts what it has no place for.
type carrier struct {
	room.Carrier
	w *world
}

func (c carrier) Carry(ctx context.Context, d chat.Draft) error {
	err := c.Carrier.Carry(ctx, d)
	if errors.Is(err, &chat.Refusal{Code: chat.Busy}) {
		c.w.fault("carrier full")
	}
	return err
}

// A meter counts what sessions do to those who are too slow or too fast.
type meter struct{ w *world }

func (m meter) Opened(bool)    {}
func (m meter) Wrote(int, int) {}
func (m meter) TooFast()       { m.w.fault("too fast") }
func (m meter) Closed(reason string) {
	if reason == "slow" {
		m.w.fault("queue full")
	}
}

// A lossy fan-out uses all that the contract of room.Fanout allows.
type lossy struct {
	room.Fanout
	s *server
}

func (l *lossy) Publish(ctx context.Context, es ...wire.Event) error {
	w := l.s.w
	if w.since() >= w.plan.end {
		return l.Fanout.Publish(ctx, es...)
	}
	var now []wire.Event
	for i, e := range es {
		seq := int64(0)
		if p, ok := e.Frame.Body.(wire.Posted); ok {
			seq = p.Seq
		}
		switch x := w.plan.chance("event "+string(e.Conv), int64(w.since()), int64(i), seq); {
		case x < 0.08:
			w.fault("event lost")
			w.note("event", "%s/%d is lost", e.Conv, seq)
		case x < 0.16:
			w.fault("event doubled")
			now = append(now, e, e)
		case x < 0.32: // comes behind others
			w.fault("event late")
			w.wg.Go(func() {
				select {
				case <-time.After(time.Duration(x * float64(time.Second))):
					_ = l.Fanout.Publish(l.s.ctx, e)
				case <-l.s.ctx.Done():
				}
			})
		default:
			now = append(now, e)
		}
	}
	if len(now) == 0 {
		return nil
	}
	return l.Fanout.Publish(ctx, now...)
}
