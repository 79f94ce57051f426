package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"
)

// lookEvery is how often a server looks whether another has its number.
const lookEvery = 10 * time.Second

// singles is where servers on one database see each other.
type singles interface {
	Setting(ctx context.Context, name string) (string, error)
	SaveSetting(ctx context.Context, name, value string) error
}

// A twin finds out whether another server with the same number uses the same
// database. Each writes its name into one row, over and over: who finds another
// name there than its own has a twin.
//
// That a name is there says nothing at the start: whoever wrote it may have been
// killed, and to wait until that is sure would be a longer outage than a twin is
// worth. So both serve, and complain. What a twin can do is make ids that are in
// use: the database refuses those of people and groups. Those of messages are then
// not unique, which matters to other programs alone: here they go by Seq.
type twin struct {
	db    singles
	row   string
	name  string
	node  int
	log   *slog.Logger
	wrote bool // of run alone, like alone
	alone int  // looks since the other was seen
	found atomic.Bool
}

func newTwin(db singles, node int, log *slog.Logger) *twin {
	return &twin{db: db, row: fmt.Sprint("node.", node), name: rand.Text(), node: node, log: log}
}

// alike reports whether there is another, as far as is known.
func (t *twin) alike() bool { return t.found.Load() }

// run looks until ctx ends.
func (t *twin) run(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if err := t.look(ctx); err != nil && ctx.Err() == nil {
			t.log.Debug("whether another server has our number is not known", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (t *twin) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lookEvery/2)
	defer cancel()
	there, err := t.db.Setting(ctx, t.row)
	if err != nil {
		return err
	}
	if t.wrote {
		t.tell(there != t.name)
	}
	if there == t.name {
		return nil
	}
	if err := t.db.SaveSetting(ctx, t.row, t.name); err != nil {
		return err
	}
	t.wrote = true
	return nil
}

// tell notes what was found. One look may miss a twin that could not write just then.
func (t *twin) tell(alike bool) {
	if t.alone++; alike {
		t.alone = 0
	}
	switch {
	case alike && !t.found.Swap(true):
		t.log.Error("another server with the same number uses this database; give each its own --node", "node", t.node)
	case t.alone == 3 && t.found.Swap(false):
		t.log.Info("no other server has our number any more", "node", t.node)
	}
}
