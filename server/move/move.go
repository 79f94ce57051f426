// Package move takes everything from one database to another, SQLite or MySQL,
// while a server goes on with the old one: it copies, follows what is new, compares
// both sides, and at the end fences the old database, so that nothing is
// acknowledged that the new one does not have (docs/decisions/022-moving.md).
//
// It keeps no state of its own beside the two databases. What the copy has tells
// where to go on, everything written twice is written once, and one run at a time
// may write; so a run can end at any moment and another go on.
package move

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"kamachat/server/store"
)

// A Config is what a move needs. From, To, Address and Migrate must be set.
type Config struct {
	From, To *store.DB
	Address  string                                 // of To, without a password: who opens From later is told
	Migrate  func(context.Context, *store.DB) error // makes the schema of To
	Progress *Progress                              // nil: nobody is told
	Look     bool                                   // write nothing: for Verify alone
	Pause    func(context.Context, time.Duration)   // between two passes; nil: waits
	Batch    int                                    // rows written at a time; 0: 4,000
	Before   func()                                 // called before each write to To, for tests; nil: nothing
}

// A Move is one run of a move from one database to another.
type Move struct {
	Config
	holder   string
	tables   []store.Table
	id       string          // of From
	seen     store.MoveState // of To
	finished bool            // To was finished by an earlier run
	fenced   bool            // From was fenced by an earlier run
	fencedTo string
}

// inStep is how many messages the copy may be behind to be in step.
const inStep = 1000

// Open looks at both databases, refuses those that do not belong together, and
// takes the move over from any other run, for which it is over then.
func Open(ctx context.Context, c Config) (*Move, error) {
	m := &Move{Config: c, holder: rand.Text()}
	if m.Progress == nil {
		m.Progress = &Progress{}
	}
	if m.Batch == 0 {
		m.Batch = batchRows
	}
	id, err := m.openFrom(ctx)
	if err != nil {
		return nil, err
	}
	m.id = id
	known, err := m.openTo(ctx, id)
	if err != nil {
		return nil, err
	}
	switch {
	case m.Look && !known:
		return nil, errors.New("the new database is not a copy of the old one")
	case m.fenced && (!known || m.fencedTo != store.FencedTo(m.Address)):
		return nil, fmt.Errorf("the old database has moved already, to %s: give that address, or take it back with --unswitch", m.fencedTo)
	}
	if !m.Look {
		if err := m.Migrate(ctx, m.To); err != nil {
			return nil, err
		}
	}
	there, err := m.To.Tables(ctx)
	if err != nil {
		return nil, err
	}
	to, err := planned(there)
	if err != nil {
		return nil, err
	}
	if err := alike(m.tables, to); err != nil {
		return nil, err
	}
	// The words for writing are those of the new database.
	m.tables = to
	if m.finished || m.Look {
		return m, nil
	}
	return m, m.To.Hold(ctx, m.seen, id, m.holder)
}

// openFrom reads the schema of the old database and returns its ID, a new one
// where it has none.
func (m *Move) openFrom(ctx context.Context) (id string, err error) {
	there, err := m.From.Tables(ctx)
	if err != nil {
		return "", err
	}
	if len(there) == 0 {
		return "", errors.New("the old database is empty")
	}
	if m.tables, err = planned(there); err != nil {
		return "", err
	}
	s, err := m.From.MoveState(ctx)
	if err != nil {
		return "", err
	}
	if s.Holder != "" {
		return "", errors.New("the old database is itself a copy that is not finished")
	}
	if m.fenced, m.fencedTo = s.Fenced, s.To; m.fenced || m.Look || s.ID != "" {
		return s.ID, nil
	}
	id = rand.Text()
	return id, m.From.Name(ctx, id)
}

// openTo finds out whether the new database is a copy of the one with that id. It
// refuses one that holds anything else.
func (m *Move) openTo(ctx context.Context, id string) (known bool, err error) {
	there, err := m.To.Tables(ctx)
	if err != nil {
		return false, err
	}
	s, err := m.To.MoveState(ctx)
	if err != nil {
		return false, err
	}
	m.seen = s
	if s.ID != "" && s.ID == id {
		return false, errors.New("both are the same database")
	}
	if s.From != "" && s.From == id {
		m.finished = s.Holder == ""
		return true, nil
	}
	for _, t := range there {
		page, _, err := m.To.Page(ctx, t, nil, nil, 1)
		if err != nil {
			return false, err
		}
		if len(page) > 0 {
			return false, fmt.Errorf("the new database is not empty, and what it holds is not from this move (see the table %s): give an empty one", t.Name)
		}
	}
	return false, nil
}

// Follow copies, compares, and then copies what is new until ctx ends, which is
// not an error once the copy is in step.
func (m *Move) Follow(ctx context.Context) error {
	if err := m.usable(); err != nil {
		return err
	}
	if err := m.catchUp(ctx); err != nil {
		return err
	}
	pause := m.Pause
	if pause == nil {
		pause = wait
	}
	for ctx.Err() == nil {
		start := time.Now()
		_, behind, err := m.pass(ctx, false)
		if err == nil {
			err = m.held(ctx)
		}
		switch {
		case ctx.Err() != nil:
			continue
		case err == nil:
			m.Progress.Status(step(behind))
		case store.IsPassing(err) && !store.IsMoved(err):
			m.Progress.Status(fmt.Sprintf("Will be tried again: %v", err))
		default:
			return err
		}
		pause(ctx, max(time.Second, 4*time.Since(start)))
	}
	m.Progress.Say("Stopped. The same command goes on from here; with --switch it ends the move.")
	return nil
}

// held answers nil while no other run has taken the move over.
func (m *Move) held(ctx context.Context) error {
	s, err := m.To.MoveState(ctx)
	if err == nil && s.Holder != m.holder {
		err = store.ErrNotHeld
	}
	return err
}

func step(behind int64) string {
	if behind <= inStep {
		return fmt.Sprintf("In step, %d behind.", behind)
	}
	return fmt.Sprintf("%d behind.", behind)
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// usable answers nil where the move may go on without a switch.
func (m *Move) usable() error {
	switch {
	case m.finished && !m.fenced:
		return errors.New("this move was finished, and then the old database was given back: what was written there since is not in the new one; move to an empty one")
	case m.finished:
		return errors.New("this move is finished: use the new database")
	case m.fenced:
		return errors.New("the old database is fenced by a switch that was not ended: end it with --switch, or take it back with --unswitch")
	}
	return nil
}

// catchUp copies until the copy is in step, compares both sides, and copies again
// what differs.
func (m *Move) catchUp(ctx context.Context) error {
	for first := true; ; first = false {
		start := time.Now()
		n, behind, err := m.pass(ctx, first)
		if err != nil {
			return m.interrupted(ctx, err)
		}
		m.Progress.Say(fmt.Sprintf("Copied %d rows in %s. %s", n, time.Since(start).Round(10*time.Millisecond), step(behind)))
		if behind <= inStep || time.Since(start) < 2*time.Second {
			break
		}
	}
	r, err := m.check(ctx, true)
	if err != nil {
		return m.interrupted(ctx, err)
	}
	m.Progress.Say(r.String())
	if r.differ > 0 {
		m.Progress.Say(fmt.Sprintf("%d rows had changed meanwhile and were copied again.", r.differ))
	}
	return nil
}

// interrupted is err, or how to go on where it came of the end of ctx.
func (m *Move) interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.New("stopped before the copy was in step: the same command goes on from there")
	}
	return err
}

// Verify compares both sides and writes nothing. The error lists what differs.
func (m *Move) Verify(ctx context.Context) error {
	r, err := m.check(ctx, false)
	if err != nil {
		return err
	}
	m.Progress.Say(r.String())
	if r.behind > 0 {
		m.Progress.Say(fmt.Sprintf("The new database is %d messages behind.", r.behind))
	}
	if r.differ > 0 {
		return fmt.Errorf("%d rows differ:\n%s", r.differ, r.differences())
	}
	if r.behind == 0 {
		m.Progress.Say("Both are the same.")
	}
	return nil
}

// total is how many rows there are to read, about.
func (m *Move) total(ctx context.Context) (int64, error) {
	n, err := m.From.Entries(ctx)
	if err != nil {
		return 0, err
	}
	for _, t := range m.tables {
		if t.Name == log {
			continue
		}
		rows, err := m.From.Count(ctx, t)
		if err != nil {
			return 0, err
		}
		n += rows
	}
	return n, nil
}

// pass copies what has changed since the last, and returns how many rows that
// were and how many messages have come meanwhile. told says that it is the long one.
func (m *Move) pass(ctx context.Context, told bool) (copied, behind int64, err error) {
	if told {
		total, err := m.total(ctx)
		if err != nil {
			return 0, 0, err
		}
		m.Progress.Stage("Copying", total)
		defer m.Progress.Done()
	}
	for _, t := range m.tables[:len(m.tables)-1] {
		n, err := m.merge(ctx, t, nil, true, func(difference) { copied++ })
		if err != nil {
			return copied, 0, err
		}
		m.Progress.Add(n)
	}
	has, wrote, err := m.tail(ctx)
	if err != nil {
		return copied, 0, err
	}
	now, err := m.From.Entries(ctx)
	return copied + wrote, max(0, now-has), err
}

// convs is how many conversations are asked for at a time.
const convs = 1000

// tail copies the entries behind those that the copy has. It returns how many it
// has now, and how many of them it got.
func (m *Move) tail(ctx context.Context) (has, wrote int64, err error) {
	t := m.tables[len(m.tables)-1]
	w := m.writer(ctx, t)
	defer func() { err = w.close(err) }()
	for after := ""; ; {
		ends, err := m.From.LogEnds(ctx, after, "", convs)
		if err != nil || len(ends) == 0 {
			return has, wrote, err
		}
		last := ends[len(ends)-1].Conv
		there, err := m.To.LogEnds(ctx, after, last, 10*convs)
		if err != nil {
			return has, wrote, err
		}
		have := map[string]int64{}
		for _, e := range there {
			have[e.Conv] = e.Seq
		}
		for _, e := range ends {
			has += have[e.Conv]
			m.Progress.Add(have[e.Conv])
			if e.Seq <= have[e.Conv] {
				continue
			}
			c := &cursor{db: m.From, t: t, within: store.Row{e.Conv}, after: store.Row{e.Conv, have[e.Conv]}}
			for {
				row, err := c.peek(ctx)
				if err != nil {
					return has, wrote, err
				}
				if row == nil {
					break
				}
				w.put(row)
				c.next()
				has, wrote = has+1, wrote+1
				m.Progress.Add(1)
			}
		}
		after = last
	}
}

func (m *Move) beforeWrite() {
	if m.Before != nil {
		m.Before()
	}
}
