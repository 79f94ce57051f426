//go:build linux

package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// openFilesNow counts this process's file descriptors.
func openFilesNow(t *testing.T) int {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(fds)
}

// Ten thousand sockets come and go, in all the ways that there are: what they
// had is given back. On another database so many are enough that one kept
// by each would show.
func TestSocketsLeaveNothingBehind(t *testing.T) {
	for name, flags := range databases(t) {
		t.Run(name, func(t *testing.T) {
			// What the database and the heart keep ready may be a few more than at the start.
			cycles, few := 10_000, 10
			if testing.Short() {
				cycles = 1000
			}
			if name == "mariadb" {
				cycles, few = 1000, 70 // up to 32 connections, of a file and two goroutines each
			}
			socketsLeaveNothing(t, inProcess(t, append(flags(t), "--max-connections-per-person", "0")...), cycles, few)
		})
	}
}

func socketsLeaveNothing(t *testing.T, url string, cycles, few int) {
	ann := registered(t, url, "ann")
	var me struct{ User struct{ ID string } }
	call(t, "GET", url+"/api/v1/me", ann, nil, &me)
	once := func(i int) error {
		query := ""
		if i%2 == 1 {
			query = "?client_id=" + me.User.ID
		}
		c, err := dialed(t, url, ann, query)
		if err != nil {
			return err
		}
		switch i / 2 % 3 {
		case 0:
			return c.Close(websocket.StatusNormalClosure, "")
		case 1:
			return c.CloseNow()
		default: // gone in the middle of a message
			w, err := c.Writer(t.Context(), websocket.MessageText)
			if err == nil {
				_, err = w.Write([]byte(`{"k":`))
			}
			_ = c.CloseNow()
			return err
		}
	}
	if err := once(0); err != nil { // what is made once is made
		t.Fatal(err)
	}
	goroutines, files := runtime.NumGoroutine(), openFilesNow(t)
	var wg sync.WaitGroup
	errs := make(chan error, 64)
	for worker := range 64 {
		wg.Go(func() {
			for i := worker; i < cycles; i += 64 {
				if err := once(i); err != nil {
					errs <- fmt.Errorf("cycle %d: %w", i, err)
					return
				}
			}
		})
	}
	wg.Wait()
	select {
	case err := <-errs:
		t.Fatal(err)
	default:
	}
	var g, f int
	end := time.Now().Add(time.Minute)
	for {
		g, f = runtime.NumGoroutine(), openFilesNow(t)
		if g <= goroutines+few && f <= files+few || time.Now().After(end) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if g > goroutines+few || f > files+few {
		all := make([]byte, 1<<20)
		t.Errorf("%d goroutines and %d files after %d sockets, %d and %d before\n%s", g, f, cycles, goroutines, files,
			strings.Join(strings.SplitN(string(all[:runtime.Stack(all, true)]), "\n\n", 30), "\n\n"))
	}
}
