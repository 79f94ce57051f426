package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"testing"
	"time"

	"kamachat/server/servicetest"
	"kamachat/shared/chat"
)

// An other is another program in the middle of a transaction on a store's database.
type other struct {
	t    *testing.T
	db   *sql.DB
	tx   *sql.Tx
	last string // the transaction that was seen to wait
}

func another(t *testing.T, dsn string) *other {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("mysql", fmt.Sprintf("%s@tcp(%s)%s", u.User, u.Host, u.Path))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	o := &other{t: t, db: db}
	if o.tx, err = db.Begin(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.tx.Rollback() })
	return o
}

func (o *other) exec(query string, args ...any) {
	o.t.Helper()
	if _, err := o.tx.Exec(query, args...); err != nil {
		o.t.Fatal(err)
	}
}

// untilOneWaits waits until a transaction waits for a lock, other than the one before.
func (o *other) untilOneWaits() {
	o.t.Helper()
	before := o.last
	for end := time.Now().Add(time.Minute); ; time.Sleep(120 * time.Millisecond) { // the table is renewed every 100 ms
		err := o.db.QueryRow(`SELECT t.trx_id FROM information_schema.INNODB_TRX t JOIN information_schema.PROCESSLIST p ON p.ID = t.trx_mysql_thread_id
			WHERE t.trx_state = 'LOCK WAIT' AND p.DB = DATABASE() AND t.trx_id <> ?`, before).Scan(&o.last)
		if err == nil {
			return
		}
		if !errors.Is(err, sql.ErrNoRows) || time.Now().After(end) {
			o.t.Fatal(err)
		}
	}
}

// InnoDB ends a transaction where two wait for each other (1213), and where one
// waited too long (1205). The commit it ends is tried again and succeeds.
func TestCommitThatTheDatabaseEndsForALockIsTriedAgain(t *testing.T) {
	x, y := chat.Direct(ann, bob), chat.Direct(ann, cat) // in the order in which a commit locks them
	const touch = "UPDATE conversations SET last_at = last_at + 1 WHERE id = ?"
	for name, c := range map[string]struct{ held, asked []chat.ConvID }{
		"a deadlock":      {[]chat.ConvID{y}, []chat.ConvID{x}},
		"too long a wait": {[]chat.ConvID{x}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			dsn := servicetest.SharedDatabase(t)
			db := withPeople(t, dsn)
			var many []chat.Draft
			for i := range 200 {
				many = append(many, text(ann, group, fmt.Sprint("g", i), fmt.Sprint(i)))
			}
			appendAll(t, db, many...)
			appendAll(t, db, text(ann, x, "x1", "1"), text(ann, y, "y1", "1"))
			o := another(t, dsn)
			// There is much to take back: it is the other transaction that is ended.
			o.exec("UPDATE messages SET created_at = created_at + 1 WHERE conv_id = ?", group)
			for _, conv := range c.held {
				o.exec(touch, conv)
			}
			var rs []chat.Receipt
			done := make(chan error, 1)
			go func() {
				var err error
				rs, err = db.Append(context.Background(), []chat.Draft{text(ann, x, "x2", "2"), text(ann, y, "y2", "2")})
				done <- err
			}()
			o.untilOneWaits()
			for _, conv := range c.asked {
				o.exec(touch, conv)
			}
			o.untilOneWaits() // the second try
			if err := o.tx.Commit(); err != nil {
				t.Fatal(err)
			}
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			for i, got := range rs {
				if got.Err != nil || got.Again || got.Message.Seq != 2 {
					t.Errorf("draft %d: %+v", i, got)
				}
			}
			inOrder(t, db, x, 2)
			inOrder(t, db, y, 2)
		})
	}
}
