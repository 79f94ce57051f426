package move

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"kamachat/server/store"
)

// Switch ends the move: it catches up, fences the old database, copies the rest,
// compares everything, and finishes the new one. It is nil when a server may start on
// the new database, also where an earlier run had come that far. Otherwise the fence
// is lifted again and the old server goes on, unless the error says that it is not.
func (m *Move) Switch(ctx context.Context) error {
	if m.finished && m.fenced {
		return nil
	}
	if !m.fenced {
		if err := m.usable(); err != nil {
			return err
		}
		if err := m.catchUp(ctx); err != nil {
			return err
		}
		if _, _, err := m.pass(ctx, false); err != nil { // what came while all was compared
			return m.interrupted(ctx, err)
		}
	}
	by := strings.ToLower(m.holder[:8])
	start := time.Now()
	err := m.From.Fence(ctx, m.tables, by, m.Address)
	if err == nil {
		m.Progress.Say("The old database takes nothing more: whoever writes now is told to wait.")
		err = m.rest(ctx)
	}
	if err == nil {
		// The answer may get lost on the way back: then it may be finished, and the fence stays.
		if err = m.To.Finish(context.WithoutCancel(ctx), m.holder); err != nil && !errors.Is(err, store.ErrNotHeld) {
			return fmt.Errorf("the old database stays fenced until --switch is run again, or --unswitch: %w", err)
		}
	}
	if err == nil {
		m.Progress.Say(fmt.Sprintf("Both are the same. Nobody could write for %s, nor can until the new server has started.", time.Since(start).Round(10*time.Millisecond)))
		return nil
	}
	// Only one's own: another run that goes on has a fence of its own.
	if lerr := m.From.Lift(context.WithoutCancel(ctx), by); lerr != nil {
		return fmt.Errorf("%w; and the old database is still fenced, take that back with --unswitch: %w", err, lerr)
	}
	if s, serr := m.From.MoveState(context.WithoutCancel(ctx)); serr == nil && s.Fenced {
		return fmt.Errorf("the old database stays fenced by another run until --switch is run again, or --unswitch: %w", err)
	}
	return fmt.Errorf("the old database is in use again, nothing was lost: %w", err)
}

// rest makes the copy the same as the fenced database.
func (m *Move) rest(ctx context.Context) error {
	there, err := m.From.Tables(ctx)
	if err == nil {
		err = alike(there, m.tables) // it was brought up to date meanwhile?
	}
	if err != nil {
		return err
	}
	if _, _, err := m.pass(ctx, false); err != nil {
		return err
	}
	r, err := m.check(ctx, true)
	if err != nil {
		return err
	}
	if r.differ+r.behind > 0 {
		m.Progress.Say(fmt.Sprintf("%d rows differed and were copied again:\n%s", r.differ+r.behind, r.differences()))
		if r, err = m.check(ctx, false); err != nil {
			return err
		}
	}
	if r.differ+r.behind > 0 {
		return fmt.Errorf("%d rows differ all the same:\n%s", r.differ+r.behind, r.differences())
	}
	m.Progress.Say(r.String())
	return nil
}

// Unswitch takes a switch back, finished or not, so that the old database can be
// used again. It refuses where a server has used the new one since. The move can
// go on afterwards.
func (m *Move) Unswitch(ctx context.Context) error {
	if m.finished {
		r, err := m.check(ctx, false)
		if err != nil {
			return err
		}
		if r.differ+r.behind > 0 {
			return fmt.Errorf("the new database has been used since the switch: move back with --from and --to the other way round, to an empty database. %d rows differ:\n%s",
				r.differ+r.behind, r.differences())
		}
		if err := m.To.Hold(ctx, m.seen, m.id, m.holder); err != nil { // no server starts on it any more
			return err
		}
	}
	return m.From.Lift(ctx, "")
}

// Lift takes the fence of a database away without a look at where it was moved to,
// for when that is gone. What was written there since is not in it.
func Lift(ctx context.Context, from *store.DB) error {
	there, err := from.Tables(ctx)
	if err != nil {
		return err
	}
	if len(there) == 0 {
		return errors.New("the old database is empty")
	}
	return from.Lift(ctx, "")
}
