package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A table is the settings of a database.
type table struct {
	mu   sync.Mutex
	rows map[string]string
	away bool
}

func (t *table) Setting(_ context.Context, name string) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.away {
		return "", errors.New("the database is away")
	}
	return t.rows[name], nil
}

func (t *table) SaveSetting(_ context.Context, name, value string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.away {
		return errors.New("the database is away")
	}
	t.rows[name] = value
	return nil
}

func TestTwoServersWithOneNumberFindOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := &table{rows: map[string]string{}}
		type server struct {
			*twin
			log  *bytes.Buffer
			stop func()
		}
		var all []server
		start := func(node int) server {
			s := server{log: new(bytes.Buffer)}
			s.twin = newTwin(db, node, slog.New(slog.NewTextHandler(s.log, nil)))
			ctx, stop := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() { defer close(done); s.run(ctx) }()
			s.stop = func() { stop(); <-done }
			all = append(all, s)
			return s
		}
		want := func(what string, alike ...bool) {
			t.Helper()
			time.Sleep(2 * lookEvery)
			for i, a := range alike {
				if all[i].alike() != a {
					t.Errorf("%s: server %d: %v, want %v", what, i, all[i].alike(), a)
				}
			}
		}
		first := start(0)
		other := start(1)
		want("different numbers", false, false)
		first.stop() // as by a kill: it takes nothing back
		second := start(0)
		want("started again", false, false, false)
		time.Sleep(lookEvery / 3)
		third := start(0)
		want("the same number", false, false, true, true)
		db.mu.Lock()
		db.away = true
		db.mu.Unlock()
		want("nothing is known", false, false, true, true)
		db.mu.Lock()
		db.away = false
		db.mu.Unlock()
		time.Sleep(10 * lookEvery)
		second.stop()
		time.Sleep(3 * lookEvery)
		want("one has gone", false, false, true, false)
		third.stop()
		other.stop()
		for i, n := range []int{0, 0, 1, 1} {
			if got := strings.Count(all[i].log.String(), "level=ERROR"); got != n {
				t.Errorf("server %d complained %d times, want %d:\n%s", i, got, n, all[i].log)
			}
		}
		if len(db.rows) != 2 {
			t.Errorf("left behind: %v", db.rows)
		}
	})
}
