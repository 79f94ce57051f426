package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"testing/synctest"

	"github.com/go-sql-driver/mysql"
)

func TestErrorsHaveOneClass(t *testing.T) {
	classes := map[string]func(error) bool{"away": IsAway, "full": IsFull, "read-only": IsReadOnly, "busy": IsBusy}
	my := func(n uint16) error { return fmt.Errorf("insert: %w", &mysql.MySQLError{Number: n}) }
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"nil":               {nil, ""},
		"bad connection":    {driver.ErrBadConn, "away"},
		"lost connection":   {fmt.Errorf("commit: %w", mysql.ErrInvalidConn), "away"},
		"refused":           {&net.OpError{Op: "dial", Err: errors.New("connection refused")}, "away"},
		"end of stream":     {io.ErrUnexpectedEOF, "away"},
		"cancelled":         {context.Canceled, "away"},
		"too late":          {context.DeadlineExceeded, "away"},
		"shutting down":     {my(1053), "away"},
		"many connections":  {my(1040), "away"},
		"table full":        {my(1114), "full"},
		"disk full":         {my(1021), "full"},
		"--read-only":       {my(1290), "read-only"},
		"deadlock":          {my(1213), "busy"},
		"waited for a lock": {my(1205), "busy"},
		"too long":          {my(1406), ""},
		"bad string":        {my(1366), ""},
		"packet too large":  {mysql.ErrPktTooLarge, ""},
		"in use":            {my(1062), ""},
		"something else":    {errors.New("what?"), ""},
	} {
		got := ""
		for class, is := range classes {
			if is(c.err) {
				got += class
			}
		}
		if got != c.want || IsPassing(c.err) != (c.want != "") {
			t.Errorf("%s: %q, passing %v, want %q", name, got, IsPassing(c.err), c.want)
		}
	}
}

func TestTransactionsOthersWereInTheWayOfAreTriedAgain(t *testing.T) {
	deadlock := &mysql.MySQLError{Number: 1213}
	other := errors.New("other")
	for name, c := range map[string]struct {
		fails int
		with  error
		tries int
		ok    bool
	}{
		"at once":      {0, nil, 1, true},
		"a deadlock":   {1, deadlock, 2, true},
		"a lock":       {3, &mysql.MySQLError{Number: 1205}, 4, true},
		"the bound":    {1000, deadlock, maxTries, false},
		"other errors": {1, other, 1, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			tries := 0
			err := (&DB{}).persist(t.Context(), func() error {
				if tries++; tries <= c.fails {
					return c.with
				}
				return nil
			})
			if tries != c.tries || (err == nil) != c.ok || !c.ok && !errors.Is(err, c.with) {
				t.Errorf("%s: %d tries and %v, want %d", name, tries, err, c.tries)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := (&DB{}).persist(ctx, func() error { return deadlock }); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of the call: %v", err)
	}
}
