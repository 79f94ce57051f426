package store_test

import (
	"bytes"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// A cutter is a TCP proxy that cuts a connection when the client commits.
type cutter struct {
	dsn string // of the database, through the proxy

	mu    sync.Mutex
	cuts  int  // commits still to be cut
	reach bool // the commit still reaches the database, only its answer is lost
}

// cutting returns a cutter before the database at dsn, a mysql:// address.
func cutting(t *testing.T, dsn string) *cutter {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Index(dsn, "@") + 1
	end := at + strings.Index(dsn[at:], "/")
	c := &cutter{dsn: dsn[:at] + ln.Addr().String() + dsn[end:]}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			down, err := ln.Accept()
			if err != nil {
				return
			}
			up, err := net.Dial("tcp", dsn[at:end])
			if err != nil {
				_ = down.Close()
				continue
			}
			wg.Go(func() { c.forward(up, down) })
			wg.Go(func() {
				_, _ = io.Copy(down, up)
				_ = down.Close()
			})
		}
	})
	t.Cleanup(func() { _ = ln.Close(); wg.Wait() })
	return c
}

// next cuts the next n commits.
func (c *cutter) next(n int, reach bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cuts, c.reach = n, reach
}

func (c *cutter) forward(up, down net.Conn) {
	defer up.Close()
	p := make([]byte, 64<<10)
	for {
		n, err := down.Read(p)
		if err != nil {
			return
		}
		c.mu.Lock()
		cut := c.cuts > 0 && bytes.Contains(p[:n], []byte("\x03COMMIT"))
		reach := c.reach
		if cut {
			c.cuts--
		}
		c.mu.Unlock()
		if cut {
			_ = down.Close()
			if !reach {
				return
			}
		}
		if _, err := up.Write(p[:n]); err != nil {
			return
		}
		if cut {
			_ = up.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, up) // until the database has answered and ended it
			return
		}
	}
}
