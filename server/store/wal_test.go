package store_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"kamachat/server/store"
	"kamachat/shared/chat"
)

// TestLogStaysSmallUnderSteadyWrites: while it is read, too; and nothing is
// missing when the database is opened again.
func TestLogStaysSmallUnderSteadyWrites(t *testing.T) {
	dsn := "sqlite:" + t.TempDir() + "/kamachat.db"
	db := withPeople(t, dsn)
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			if _, err := db.Before(context.Background(), group, 0, 5); err != nil {
				t.Error(err)
			}
		}
	})
	const batches, size = 150, 64
	largest := int64(0)
	for i := range batches {
		var ds []chat.Draft
		for j := range size {
			ds = append(ds, text(ann, group, fmt.Sprintf("%06d", i*size+j), fmt.Sprintf("%06d %01500d", i*size+j, 0)))
		}
		appendAll(t, db, ds...)
		largest = max(largest, db.Stats().WAL)
	}
	stop()
	wg.Wait()
	t.Logf("the log had at most %d kB", largest>>10)
	// What is committed during a checkpoint comes on top. The texts alone have 14 MB,
	// and with the pages around them several times that goes through the log.
	if bound := int64(2 * store.WALMax); largest > bound {
		t.Errorf("the log had %d bytes, want at most %d", largest, bound)
	}
	for range 2 { // twice is fine
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if n := db.Stats().WAL; n != 0 {
		t.Errorf("closing leaves a log of %d bytes", n)
	}
	inOrder(t, openAt(t, dsn), group, batches*size)
}
