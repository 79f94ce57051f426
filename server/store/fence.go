package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/uptrace/bun"
)

// Rows of settings that tell of a move from one database to another. They are
// about the database that they are in and are not copied.
const (
	// MoveSettings is what their names begin with.
	MoveSettings = "move."

	moveID   = MoveSettings + "id"     // a name of its own, once it was moved from
	moveFrom = MoveSettings + "from"   // moved to: the moveID of where from
	moveHold = MoveSettings + "holder" // moved to, not finished: the run that may write
)

// A MoveState is what a database knows about moves. The zero MoveState is one
// that was never part of any.
type MoveState struct {
	ID     string // its own
	Fenced bool   // it takes no writes, since it was moved
	To     string // where it was moved to, without a password, or the beginning of that
	From   string // not empty: it is a copy of the one with that ID
	Holder string // not empty: the copy is not finished
}

// MoveState reads the state, the zero one where there is no schema yet.
func (d *DB) MoveState(ctx context.Context) (MoveState, error) {
	var s MoveState
	var rows []settingRow
	if err := d.db.NewSelect().Model(&rows).Where("name IN (?)", bun.List([]string{moveID, moveFrom, moveHold})).Scan(ctx); err != nil {
		if mysqlNumber(err) == 1146 || sqliteCode(err) == 1 && strings.Contains(err.Error(), "no such table") {
			return s, nil
		}
		return s, fmt.Errorf("read the state of a move: %w", err)
	}
	for _, r := range rows {
		*map[string]*string{moveID: &s.ID, moveFrom: &s.From, moveHold: &s.Holder}[r.Name] = r.Value
	}
	there, err := d.triggers(ctx, d.db)
	for _, text := range there {
		s.Fenced = true
		_, to, _ := strings.Cut(text, fenceWords+" to ")
		s.To, _, _ = strings.Cut(to, "'")
	}
	return s, err
}

// Name gives the database an ID for its MoveState.
func (d *DB) Name(ctx context.Context, id string) error { return d.SaveSetting(ctx, moveID, id) }

// Hold makes the database an unfinished copy of the one with the ID from, that
// holder alone may Put into. Who held it before can't any more. It answers ErrNotHeld
// where somebody else was faster: the state is not seen any more.
func (d *DB) Hold(ctx context.Context, seen MoveState, from, holder string) error {
	err := d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var rows []settingRow
		q := tx.NewSelect().Model(&rows).Where("name IN (?)", bun.List([]string{moveFrom, moveHold}))
		if d.mysql {
			q = q.For("UPDATE")
		}
		if err := q.Scan(ctx); err != nil {
			return err
		}
		was := map[string]string{}
		for _, r := range rows {
			was[r.Name] = r.Value
		}
		if was[moveFrom] != seen.From || was[moveHold] != seen.Holder {
			return ErrNotHeld
		}
		now := []settingRow{{Name: moveFrom, Value: from}, {Name: moveHold, Value: holder}}
		if _, err := tx.NewDelete().Model((*settingRow)(nil)).Where("name IN (?)", bun.List([]string{moveFrom, moveHold})).Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewInsert().Model(&now).Exec(ctx)
		if isUnique(err) {
			return ErrNotHeld
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("take the move over: %w", err)
	}
	return nil
}

// Finish ends holder's copy: from now on a server may use the database.
func (d *DB) Finish(ctx context.Context, holder string) error {
	err := d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := d.held(ctx, tx.Tx, holder); err != nil {
			return err
		}
		_, err := tx.NewDelete().Model((*settingRow)(nil)).Where("name = ?", moveHold).Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("finish the move: %w", err)
	}
	return nil
}

// ErrNotHeld is answered to who doesn't hold the database any more.
var ErrNotHeld = errors.New("another run goes on with this move, or has finished it")

// held answers nil when holder holds the database until the end of tx.
func (d *DB) held(ctx context.Context, tx *sql.Tx, holder string) error {
	q := "SELECT value FROM settings WHERE name = ?"
	if d.mysql {
		q += " FOR UPDATE"
	}
	var v string
	if err := tx.QueryRowContext(ctx, q, moveHold).Scan(&v); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if v != holder {
		return ErrNotHeld
	}
	return nil
}

// fenceWords begin the error of every write behind the fence.
const fenceWords = "kamachat: this database has moved"

// maxTo is how many bytes of an address are told: MySQL's errors have 128 characters.
const maxTo = 80

// FencedTo is the address to as MoveState tells it.
func FencedTo(to string) string {
	to = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '\'' || r == '\\' {
			return '?'
		}
		return r
	}, to)
	return to[:min(len(to), maxTo)]
}

// IsMoved reports whether err says that the database is fenced.
func IsMoved(err error) bool {
	return err != nil && (sqliteCode(err) == 19 || mysqlNumber(err) == 1644) && strings.Contains(err.Error(), fenceWords)
}

// A fence is made of triggers, whose names begin with this.
const fencePrefix = "move_fence_"

// Fence makes the database refuse every further write to ts, by whatever program
// has it open, until Lift: IsMoved tells that error. When it returns nil, what was
// not committed never will be; reading goes on. by is who wants it, a few letters:
// there may be several fences, each lifted by itself. to is the address, without a
// password, that those are told who are refused. It needs the right to make triggers.
// After an error it may be there in part: Lift it, or call Fence again.
func (d *DB) Fence(ctx context.Context, ts []Table, by, to string) error {
	words := fenceWords + " to " + FencedTo(to)
	return d.changeFence(ctx, func(ctx context.Context, db bun.IDB, there map[string]string) error {
		for _, t := range ts {
			for _, on := range []string{"INSERT", "UPDATE", "DELETE"} {
				name := fencePrefix + by + "_" + t.Name + "_" + strings.ToLower(on)
				if there[name] != "" {
					continue
				}
				q := fmt.Sprintf("CREATE TRIGGER %s BEFORE %s ON %s BEGIN SELECT RAISE(ABORT, '%s'); END", name, on, t.Name, words)
				if d.mysql {
					// It waits for the transactions that have used the table.
					q = fmt.Sprintf("CREATE TRIGGER %s BEFORE %s ON %s FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '%s'", name, on, t.Name, words)
				}
				if _, err := db.ExecContext(ctx, q); err != nil {
					return fmt.Errorf("fence %s: %w%s", t.Name, err, hint(err))
				}
			}
		}
		return nil
	})
}

// hint says what to do about an error of making triggers.
func hint(err error) string {
	switch mysqlNumber(err) {
	case 1142, 1044:
		return " (this account needs the right TRIGGER: GRANT TRIGGER ON the database)"
	case 1227, 1419:
		return " (with a binary log only SUPER may make triggers, or all with log_bin_trust_function_creators=1)"
	case 1205:
		return " (something holds the table, e.g. a backup)"
	}
	return ""
}

// Lift takes the fence of by away, also one that is there in part or not at all;
// by "" all that there are.
func (d *DB) Lift(ctx context.Context, by string) error {
	prefix := fencePrefix
	if by != "" {
		prefix += by + "_"
	}
	return d.changeFence(ctx, func(ctx context.Context, db bun.IDB, there map[string]string) error {
		for name := range there {
			if !strings.HasPrefix(name, prefix) {
				continue
			}
			if _, err := db.ExecContext(ctx, "DROP TRIGGER IF EXISTS "+name); err != nil {
				return fmt.Errorf("lift the fence: %w", err)
			}
		}
		return nil
	})
}

// changeFence hands f the triggers that are there: on SQLite all in one
// transaction, on MySQL, where each is one, on a connection that waits for tables
// no longer than 5 s: meanwhile the others wait, too.
func (d *DB) changeFence(ctx context.Context, f func(context.Context, bun.IDB, map[string]string) error) error {
	if !d.mysql {
		return d.inTx(ctx, func(ctx context.Context, tx bun.Tx) error {
			there, err := d.triggers(ctx, tx)
			if err != nil {
				return err
			}
			return f(ctx, tx, there)
		})
	}
	db, done := d.schema()
	defer done()
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("fence: %w", err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "SET SESSION lock_wait_timeout = 5"); err != nil {
		return fmt.Errorf("fence: %w", err)
	}
	there, err := d.triggers(ctx, conn)
	if err != nil {
		return err
	}
	return f(ctx, conn, there)
}

// triggers returns those of fences, name → text.
func (d *DB) triggers(ctx context.Context, db bun.IDB) (map[string]string, error) {
	q := "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
	if d.mysql {
		q = "SELECT trigger_name, action_statement FROM information_schema.triggers WHERE trigger_schema = DATABASE()"
	}
	rows, err := db.QueryContext(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("look for the fence: %w", err)
	}
	there := map[string]string{}
	if err := eachRow(rows, func(rows *sql.Rows) error {
		var name, text string
		err := rows.Scan(&name, &text)
		if strings.HasPrefix(name, fencePrefix) {
			there[name] = text
		}
		return err
	}); err != nil {
		return nil, fmt.Errorf("look for the fence: %w", err)
	}
	return there, nil
}
