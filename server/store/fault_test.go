package store_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"kamachat/server/servicetest"
	"kamachat/server/store"
	"kamachat/shared/chat"
)

// inOrder reads conv and checks that it is gapless and holds each of want once;
// an author's texts are numbers that rise.
func inOrder(t *testing.T, db *store.DB, conv chat.ConvID, want int) {
	t.Helper()
	p, err := db.After(t.Context(), conv, 0, math.MaxInt32)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i, m := range p.Entries {
		if m.Seq != int64(i+1) {
			t.Fatalf("%s: entry %d has Seq %d", conv, i, m.Seq)
		}
		if k := string(m.Author) + " " + m.Content.Text; seen[k] {
			t.Errorf("%s: %s is stored twice", conv, k)
		} else {
			seen[k] = true
		}
	}
	if len(p.Entries) != want || p.LastSeq != int64(want) {
		t.Errorf("%s: %d entries, last Seq %d, want %d", conv, len(p.Entries), p.LastSeq, want)
	}
}

// carry is what the carrier does: it hands ds over until they are answered.
func carry(t *testing.T, db *store.DB, ds ...chat.Draft) []chat.Receipt {
	for {
		rs, err := db.Append(context.Background(), ds)
		if err == nil {
			for _, r := range rs {
				if r.Err != nil {
					t.Errorf("refused: %v", r.Err)
				}
			}
			return rs
		}
		if !store.IsPassing(err) {
			t.Errorf("not a passing error: %v", err)
			return nil
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// TestCommitOfUnknownOutcomeIsStoredOnce: the connection is cut as a batch is
// committed, before the database hears of it and after. Handed over again, it is
// stored once.
func TestCommitOfUnknownOutcomeIsStoredOnce(t *testing.T) {
	for name, reach := range map[string]bool{"the commit is lost": false, "the answer is lost": true} {
		t.Run(name, func(t *testing.T) {
			c := cutting(t, servicetest.SharedDatabase(t))
			db := withPeople(t, c.dsn)
			d := chat.Direct(ann, bob)
			appendAll(t, db, text(ann, d, "0", "0"), text(ann, group, "0g", "0"))
			batch := []chat.Draft{text(ann, d, "1", "1"), text(bob, d, "1", "1"), text(ann, group, "1g", "1")}
			c.next(1, reach)
			rs, err := db.Append(t.Context(), batch)
			if !store.IsAway(err) {
				t.Fatalf("got %v %v, want that the database is away", rs, err)
			}
			for i, r := range carry(t, db, batch...) {
				if r.Again != reach || r.Message.Seq != []int64{2, 3, 2}[i] {
					t.Errorf("draft %d: %+v, want it stored once, before: %v", i, r, reach)
				}
			}
			if r := appendAll(t, db, batch[0])[0]; !r.Again || r.Message.Seq != 2 {
				t.Errorf("sent once more: %+v, want the first message again", r)
			}
			inOrder(t, db, d, 3)
			inOrder(t, db, group, 2)
		})
	}
}

func TestDatabaseKilledDuringCommits(t *testing.T) {
	s := servicetest.MariaDB(t)
	db := withPeople(t, s.Database())
	convs := []chat.ConvID{chat.Direct(ann, bob), chat.Direct(ann, cat), chat.Direct(bob, cat), group}
	stop := make(chan struct{})
	sent := make([]int, len(convs))
	var wg sync.WaitGroup
	for i, conv := range convs {
		wg.Go(func() {
			author := ann
			if conv == convs[2] {
				author = bob
			}
			for {
				select {
				case <-stop:
					return
				default:
				}
				var ds []chat.Draft
				for range 5 {
					ds = append(ds, text(author, conv, fmt.Sprint(conv, sent[i]), fmt.Sprint(sent[i])))
					sent[i]++
				}
				carry(t, db, ds...)
			}
		})
	}
	for range 3 {
		time.Sleep(200 * time.Millisecond)
		s.Kill()
		s.Start()
	}
	time.Sleep(100 * time.Millisecond)
	close(stop)
	wg.Wait()
	for i, conv := range convs {
		inOrder(t, db, conv, sent[i])
	}
}

// TestTwoOwnersAtOnce: two processes commit to the same conversations, old and
// new ones, and both are handed some of the same drafts.
func TestTwoOwnersAtOnce(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		a := withPeople(t, dsn)
		owners := []*store.DB{a, openAt(t, dsn)}
		convs := []chat.ConvID{chat.Direct(ann, bob), chat.Direct(ann, cat), chat.Direct(ann, dan), group}
		const workers, each = 3, 25
		var wg sync.WaitGroup
		for o, db := range owners {
			for w := range workers {
				wg.Go(func() {
					for i := range each {
						var ds []chat.Draft
						for c, conv := range convs {
							own := fmt.Sprint(o, w, i)
							ds = append(ds, text(ann, conv, fmt.Sprint(own, c), own), text(ann, conv, fmt.Sprint("both", w, i, c), fmt.Sprint("both", w, i)))
						}
						carry(t, db, ds...)
					}
				})
			}
			wg.Go(func() {
				for i := range each {
					m := []chat.Marks{{Conv: group, User: cat, Read: int64(i)}, {Conv: group, User: bob, Read: int64(i)}, {Conv: group, User: ann, Read: int64(i)}}
					if err := db.SaveMarks(context.Background(), m); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		for _, conv := range convs {
			inOrder(t, owners[0], conv, 2*workers*each+workers*each)
		}
	})
}

// refuseTexts makes the database answer an insert of the text "poison" with an error.
func refuseTexts(t *testing.T, db *store.DB, dsn string, number int) {
	t.Helper()
	trigger := `CREATE TRIGGER p BEFORE INSERT ON messages WHEN NEW.content LIKE '%poison%' BEGIN SELECT RAISE(ABORT, 'poison'); END`
	if strings.HasPrefix(dsn, "mysql:") {
		trigger = fmt.Sprintf(`CREATE TRIGGER p BEFORE INSERT ON messages FOR EACH ROW
			IF NEW.content LIKE '%%poison%%' THEN SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = %d, MESSAGE_TEXT = 'poison'; END IF`, number)
	}
	if err := db.Exec(t.Context(), trigger); err != nil {
		t.Fatal(err)
	}
}

func TestPoisonedDraftIsRefusedByItself(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := withPeople(t, dsn)
		refuseTexts(t, db, dsn, 1406)
		d := chat.Direct(ann, bob)
		var ds []chat.Draft
		for i := range 40 {
			s := fmt.Sprint(i)
			if i == 0 || i == 13 {
				s = "poison " + s
			}
			ds = append(ds, text(ann, d, fmt.Sprint(i), s))
		}
		rs := appendAll(t, db, ds...)
		seq := int64(0)
		for i, r := range rs {
			if i == 0 || i == 13 {
				if !errors.Is(r.Err, &chat.Refusal{Code: chat.Internal}) {
					t.Errorf("draft %d: %+v, want it refused", i, r)
				}
			} else if seq++; r.Err != nil || r.Again || r.Message.Seq != seq {
				t.Errorf("draft %d: %+v, want Seq %d", i, r, seq)
			}
		}
		inOrder(t, db, d, 38)
	})
}

// TestDatabaseThatTakesNothingRefusesNobody: no space, read-only, or a table
// missing. The batch fails as a whole, and is stored when that is over.
func TestDatabaseThatTakesNothingRefusesNobody(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		mysql := strings.HasPrefix(dsn, "mysql:")
		type fault struct {
			begin, end string
			is         func(error) bool
		}
		faults := map[string]fault{
			"full":      {"PRAGMA max_page_count = 1", "PRAGMA max_page_count = 4294967294", store.IsFull},
			"read-only": {"PRAGMA query_only = 1", "PRAGMA query_only = 0", store.IsReadOnly},
			"no table":  {"ALTER TABLE messages RENAME TO away", "ALTER TABLE away RENAME TO messages", func(err error) bool { return !store.IsPassing(err) }},
		}
		if mysql {
			signal := func(n int) string {
				return fmt.Sprintf("CREATE TRIGGER f BEFORE INSERT ON messages FOR EACH ROW SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = %d", n)
			}
			faults["full"] = fault{signal(1114), "DROP TRIGGER f", store.IsFull}
			faults["read-only"] = fault{signal(1290), "DROP TRIGGER f", store.IsReadOnly}
		}
		for name, f := range faults {
			t.Run(name, func(t *testing.T) {
				if mysql {
					dsn = servicetest.SharedDatabase(t)
				} else {
					dsn = "sqlite:" + t.TempDir() + "/kamachat.db"
				}
				db := withPeople(t, dsn)
				d := chat.Direct(ann, bob)
				appendAll(t, db, text(ann, d, "0", "0"))
				var ds []chat.Draft
				for i := range 60 {
					ds = append(ds, text(ann, d, fmt.Sprint(i+1), strings.Repeat("x", 4000)+fmt.Sprint(i+1)))
				}
				if err := db.Exec(t.Context(), f.begin); err != nil {
					t.Fatal(err)
				}
				for range 2 {
					if rs, err := db.Append(t.Context(), ds); err == nil || !f.is(err) {
						t.Errorf("got %d receipts and %v", len(rs), err)
					}
				}
				if err := db.Exec(t.Context(), f.end); err != nil {
					t.Fatal(err)
				}
				for i, r := range appendAll(t, db, ds...) {
					if r.Err != nil || r.Again || r.Message.Seq != int64(i+2) {
						t.Fatalf("draft %d afterwards: %+v", i, r)
					}
				}
				inOrder(t, db, d, 61)
			})
		}
	})
}

// TestWhoMayPostIsAskedAtTheCommit: also of what another process has changed.
func TestWhoMayPostIsAskedAtTheCommit(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := withPeople(t, dsn)
		other := openAt(t, dsn)
		d := chat.Direct(ann, bob)
		appendAll(t, db, text(ann, group, "1", "1"), text(bob, group, "1", "1"), text(bob, d, "2", "2"))
		for _, q := range []string{"UPDATE users SET disabled = TRUE WHERE id = 'Ubob'", "DELETE FROM members WHERE conv_id = 'Gone' AND user_id = 'Uann'"} {
			if err := other.Exec(t.Context(), q); err != nil {
				t.Fatal(err)
			}
		}
		rs := appendAll(t, db, text(ann, group, "3", "3"), text(bob, group, "3", "3"), text(ann, d, "3d", "3"), text(cat, group, "3", "3"), text(bob, d, "2", "2"))
		for i, want := range []chat.Code{chat.NotFound, chat.Forbidden, chat.NotFound, "", ""} {
			if got := rs[i].Err; want == "" && got != nil || want != "" && !errors.Is(got, &chat.Refusal{Code: want}) {
				t.Errorf("draft %d: %v, want %q", i, got, want)
			}
		}
		if r := rs[4]; !r.Again {
			t.Errorf("what was stored while it was allowed: %+v, want it again", r)
		}
	})
}
