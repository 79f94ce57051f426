package move_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kamachat/server/move"
	"kamachat/server/servicetest"
	"kamachat/server/store"
	"kamachat/shared/chat"
)

func TestMoveWhileSomebodyWritesHasEverythingAcknowledged(t *testing.T) {
	pairs(t, func(t *testing.T, from, to string) {
		filled(t, from)
		w, stop := start(t, from, 1)
		defer stop()

		// First it follows, until some passes found what is new.
		ctx, cancel := context.WithCancel(t.Context())
		passes := 0
		follows := mustBegin(t, from, to, func(c *move.Config) {
			c.Pause = func(context.Context, time.Duration) {
				before := w.count.Load()
				for w.count.Load() == before {
					time.Sleep(time.Millisecond)
				}
				if passes++; passes == 3 {
					cancel()
				}
			}
		})
		if err := follows.Follow(ctx); err != nil {
			t.Fatal(err)
		}
		if passes != 3 {
			t.Errorf("%d passes", passes)
		}

		// Then another run switches.
		if err := mustBegin(t, from, to).Switch(t.Context()); err != nil {
			t.Fatal(err)
		}
		stop()
		if w.post(1) {
			t.Error("the old database takes messages after the switch")
		}
		hasAll(t, open(t, to), w.acked)
		same(t, from, to)
		if len(w.acked) < 100 {
			t.Errorf("only %d messages were written meanwhile", len(w.acked))
		}
		t.Logf("%d messages were written meanwhile", len(w.acked))

		// And a server writes on, behind what there was.
		w.db = open(t, to)
		if !w.post(30) {
			t.Error("the new database takes no messages")
		}
		hasAll(t, w.db, w.acked)
		if p, hash, err := w.db.UserByName(t.Context(), "person00"); err != nil || !p.Admin || hash != "hash of U00" {
			t.Errorf("%+v, %q, %v", p, hash, err)
		}
		if err := mustBegin(t, from, to).Switch(t.Context()); err != nil {
			t.Errorf("a switch that is done is done again: %v", err)
		}
		hasAll(t, w.db, w.acked)
		if err := mustBegin(t, from, to).Follow(t.Context()); err == nil {
			t.Error("a finished move goes on over what is new")
		}
	})
}

// However often it ends, and wherever, another run goes on and the end is the same.
func TestMoveThatEndsAtAnyMomentGoesOn(t *testing.T) {
	pairs(t, func(t *testing.T, from, to string) {
		filled(t, from)
		w, stop := start(t, from, 2)
		defer stop()
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 3))
		ended := 0
		for runs := 0; ; runs++ {
			ctx, cancel := context.WithCancel(t.Context())
			left := r.IntN(25) // writes, until it ends
			if runs > 15 {
				left = 1 << 30
			}
			m, err := begin(t, from, to, func(c *move.Config) {
				c.Before = func() {
					if left--; left < 0 {
						cancel()
					}
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			err = m.Switch(ctx)
			cancel()
			if err == nil {
				break
			}
			ended++
			if s, serr := open(t, from).MoveState(t.Context()); serr != nil || s.Fenced {
				t.Fatalf("after %v the old database is fenced, or: %v", err, serr)
			}
		}
		stop()
		if ended < 3 {
			t.Errorf("it was ended only %d times", ended)
		}
		hasAll(t, open(t, to), w.acked)
		same(t, from, to)
	})
}

// What a server does to old rows arrives, too: entries that are amended, rows that
// go, names that change hands.
func TestMoveCarriesWhatChangesInPlace(t *testing.T) {
	pairs(t, func(t *testing.T, from, to string) {
		filled(t, from)
		ctx, cancel := context.WithCancel(t.Context())
		passes := 0
		m := mustBegin(t, from, to, func(c *move.Config) {
			c.Pause = func(context.Context, time.Duration) {
				if passes++; passes == 1 {
					db := raw(t, from)
					do(t, db, "UPDATE messages SET content = ? WHERE conv_id = ? AND seq = ?", `{"kind":"text","text":"amended"}`, "Gall", 2)
					do(t, db, "DELETE FROM tokens WHERE hash = ?", "token 3")
					do(t, db, "DELETE FROM members WHERE user_id = ?", "U05")
					do(t, db, "UPDATE users SET username = ? WHERE id = ?", "away", "U01")
					do(t, db, "UPDATE users SET username = ? WHERE id = ?", "person01", "U02")
					do(t, db, "UPDATE users SET username = ? WHERE id = ?", "person02", "U01")
					do(t, db, "DELETE FROM users WHERE id = ?", "U09")
					do(t, db, "UPDATE users SET username = ? WHERE id = ?", "person09", "U10")
				} else if passes == 3 {
					cancel()
				}
			}
		})
		if err := m.Follow(ctx); err != nil {
			t.Fatal(err)
		}
		if err := mustBegin(t, from, to).Switch(t.Context()); err != nil {
			t.Fatal(err)
		}
		same(t, from, to)
		p, err := open(t, to).After(t.Context(), "Gall", 1, 1<<30)
		if err != nil || p.Entries[0].Content.Text != "amended" {
			t.Errorf("%v, %v", p.Entries[0], err)
		}
		if p, _, err := open(t, to).UserByName(t.Context(), "person01"); err != nil || p.ID != "U02" {
			t.Errorf("%v, %v", p, err)
		}
	})
}

func TestVerifyFindsWhatWasAltered(t *testing.T) {
	pairs(t, func(t *testing.T, from, to string) {
		filled(t, from)
		if err := mustBegin(t, from, to).Switch(t.Context()); err != nil {
			t.Fatal(err)
		}
		look := func(c *move.Config) { c.Look = true }
		if err := mustBegin(t, from, to, look).Verify(t.Context()); err != nil {
			t.Fatal(err)
		}
		db := raw(t, to)
		for query, says := range map[string]string{
			"UPDATE messages SET content = '{\"kind\":\"text\",\"text\":\"forged\"}' WHERE conv_id = 'Gall' AND seq = 7": "messages: entry 7 of Gall is not the same in both",
			"UPDATE messages SET created_at = created_at + 1 WHERE conv_id = 'Gall' AND seq = 8":                         "messages: entry 8 of Gall is not the same in both",
			"DELETE FROM messages WHERE conv_id = 'Gall' AND seq = 9":                                                    "messages: entry 9 of Gall is missing in the new database",
			"UPDATE users SET admin = TRUE WHERE id = 'U04'":                                                             "users: U04 is not the same in both",
			"DELETE FROM tokens WHERE hash = 'token 1'":                                                                  "tokens: token 1 is missing in the new database",
			"INSERT INTO settings (name, value) VALUES ('forged', '1')":                                                  "settings: forged is only in the new database",
		} {
			do(t, db, query)
			if err := mustBegin(t, from, to, look).Verify(t.Context()); err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("after %s: %v", query, err)
			}
		}
		err := mustBegin(t, from, to, look).Verify(t.Context())
		if err == nil || !strings.HasPrefix(err.Error(), "6 rows differ") {
			t.Errorf("all: %v", err)
		}
		// The old database may not be used any more as if nothing had happened.
		if err := mustBegin(t, from, to).Unswitch(t.Context()); err == nil || !strings.Contains(err.Error(), "has been used since") {
			t.Errorf("unswitch: %v", err)
		}
	})
}

func TestSwitchCopiesAgainWhatWasAltered(t *testing.T) {
	pairs(t, func(t *testing.T, from, to string) {
		filled(t, from)
		ctx, cancel := context.WithCancel(t.Context())
		m := mustBegin(t, from, to, func(c *move.Config) { c.Pause = func(context.Context, time.Duration) { cancel() } })
		if err := m.Follow(ctx); err != nil {
			t.Fatal(err)
		}
		db := raw(t, to)
		do(t, db, "UPDATE messages SET author = 'U00' WHERE conv_id = 'Gall' AND seq > 3 AND seq < 100")
		do(t, db, "DELETE FROM messages WHERE conv_id = 'Gall' AND seq = 150")
		if err := mustBegin(t, from, to).Switch(t.Context()); err != nil {
			t.Fatal(err)
		}
		same(t, from, to)
	})
}

func TestUnswitchGivesTheOldDatabaseBack(t *testing.T) {
	pairs(t, func(t *testing.T, from, to string) {
		w := &writing{t: t, db: filled(t, from), r: rand.New(rand.NewPCG(9, 9))}
		if err := mustBegin(t, from, to).Switch(t.Context()); err != nil {
			t.Fatal(err)
		}
		if w.post(1) {
			t.Error("a fenced database takes messages")
		}
		if err := mustBegin(t, from, to).Unswitch(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !w.post(1) {
			t.Error("a database that was given back takes no messages")
		}
		if s, err := open(t, to).MoveState(t.Context()); err != nil || s.Holder == "" {
			t.Errorf("a server may start on the new database: %+v, %v", s, err)
		}
		if err := mustBegin(t, from, to).Switch(t.Context()); err != nil { // and once more
			t.Fatal(err)
		}
		// The first that a server does on a database is to write its own name.
		if err := open(t, to).SaveSetting(t.Context(), "node.0", "the new server"); err != nil {
			t.Fatal(err)
		}
		if err := mustBegin(t, from, to).Unswitch(t.Context()); err == nil || !strings.Contains(err.Error(), "has been used since") {
			t.Errorf("unswitch behind a server's back: %v", err)
		}
		hasAll(t, open(t, to), w.acked)
		if err := move.Lift(t.Context(), open(t, from)); err != nil { // without a look at the other
			t.Fatal(err)
		}
		if !w.post(1) {
			t.Error("a database that was given back takes no messages")
		}
		if err := mustBegin(t, from, to).Switch(t.Context()); err == nil || !strings.Contains(err.Error(), "was given back") {
			t.Errorf("the new database has not what was written since, and yet: %v", err)
		}
	})
}

// Every table, and every way to write.
func TestFenceStopsEveryWrite(t *testing.T) {
	pairs(t, func(t *testing.T, from, to string) {
		db := filled(t, from)
		if err := mustBegin(t, from, to).Switch(t.Context()); err != nil {
			t.Fatal(err)
		}
		past := raw(t, from)
		ts, err := db.Tables(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, tab := range ts {
			if len(everything(t, db, tab)) == 0 {
				continue
			}
			for _, query := range []string{
				"DELETE FROM " + tab.Name,
				fmt.Sprintf("UPDATE %s SET %s = %s", tab.Name, tab.Columns[0], tab.Columns[0]),
				fmt.Sprintf("INSERT INTO %s SELECT * FROM %s", tab.Name, tab.Name),
				fmt.Sprintf("REPLACE INTO %s SELECT * FROM %s", tab.Name, tab.Name),
			} {
				if _, err := past.ExecContext(t.Context(), query); err == nil || !strings.Contains(err.Error(), "this database has moved to") {
					t.Errorf("%s: %v", query, err)
				}
			}
		}
		_, err = db.Append(t.Context(), []chat.Draft{{Conv: "Gall", Author: user(1), Ref: "r", Content: chat.TextContent("x")}})
		if !store.IsMoved(err) || !store.IsPassing(err) {
			t.Errorf("append: %v", err)
		}
		if err := db.AddUser(t.Context(), chat.Person{ID: "Unew", Username: "new"}, "", 1); !store.IsMoved(err) {
			t.Errorf("a new account: %v", err)
		}
	})
}

// Who is overtaken writes nothing more, and takes no fence away but its own.
func TestOneRunAtATimeMayWrite(t *testing.T) {
	pairs(t, func(t *testing.T, from, to string) {
		filled(t, from)
		var first, second *move.Move
		first = mustBegin(t, from, to, func(c *move.Config) {
			n := 0
			c.Before = func() {
				if n++; n == 5 {
					second = mustBegin(t, from, to)
				}
			}
		})
		if err := first.Switch(t.Context()); !errors.Is(err, store.ErrNotHeld) {
			t.Errorf("the first: %v", err)
		}
		if err := second.Switch(t.Context()); err != nil {
			t.Errorf("the second: %v", err)
		}
		same(t, from, to)
		if s, err := open(t, from).MoveState(t.Context()); err != nil || !s.Fenced {
			t.Errorf("%+v, %v", s, err)
		}
	})
}

// Two runs that found the same state: the second to hold the copy finds that out,
// and does not undo what the first has finished.
func TestMoveIsTakenOverOnlyAsItWasSeen(t *testing.T) {
	pairs(t, func(t *testing.T, from, to string) {
		filled(t, from)
		mustBegin(t, from, to)
		once := false
		_, err := begin(t, from, to, func(c *move.Config) {
			c.Migrate = func(ctx context.Context, db *store.DB) error { // between looking and holding
				if !once {
					once = true
					if err := mustBegin(t, from, to).Switch(ctx); err != nil {
						t.Error(err)
					}
				}
				return migrated(ctx, db)
			}
		})
		if !errors.Is(err, store.ErrNotHeld) {
			t.Errorf("got %v", err)
		}
		if s, err := open(t, to).MoveState(t.Context()); err != nil || s.Holder != "" {
			t.Errorf("a server may not start on the new database: %+v, %v", s, err)
		}
	})
}

// An old server that is brought up to date meanwhile has columns that this run does
// not know.
func TestSwitchRefusesASchemaThatChangedMeanwhile(t *testing.T) {
	pairs(t, func(t *testing.T, from, to string) {
		filled(t, from)
		n := 0
		m := mustBegin(t, from, to, func(c *move.Config) {
			c.Before = func() {
				if n++; n == 10 {
					do(t, raw(t, from), "ALTER TABLE users ADD COLUMN motto VARCHAR(64) NOT NULL DEFAULT ''")
				}
			}
		})
		if err := m.Switch(t.Context()); err == nil || !strings.Contains(err.Error(), "see the table users") {
			t.Errorf("got %v", err)
		}
		if s, err := open(t, from).MoveState(t.Context()); err != nil || s.Fenced {
			t.Errorf("%+v, %v", s, err)
		}
	})
}

// A database that is away for a moment does not end a run that follows.
func TestFollowingOutlivesADatabaseThatComesBack(t *testing.T) {
	maria := servicetest.MariaDB(t)
	from, to := "sqlite:"+filepath.Join(t.TempDir(), "k.db"), maria.Database()
	w := &writing{t: t, db: filled(t, from), r: rand.New(rand.NewPCG(5, 5))}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	passes := 0
	m := mustBegin(t, from, to, func(c *move.Config) {
		c.Pause = func(context.Context, time.Duration) {
			switch passes++; passes {
			case 1:
				w.post(30)
				maria.Kill()
			case 2:
				maria.Start()
			case 4:
				cancel()
			}
		}
	})
	if err := m.Follow(ctx); err != nil {
		t.Fatal(err)
	}
	hasAll(t, open(t, to), w.acked)
}

// Who follows ends when another run switches, also where nothing is left to write.
func TestFollowingEndsWhenAnotherRunSwitches(t *testing.T) {
	pairs(t, func(t *testing.T, from, to string) {
		filled(t, from)
		m := mustBegin(t, from, to, func(c *move.Config) {
			c.Pause = func(context.Context, time.Duration) {
				if err := mustBegin(t, from, to).Switch(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
		if err := m.Follow(t.Context()); !errors.Is(err, store.ErrNotHeld) {
			t.Errorf("got %v", err)
		}
	})
}
