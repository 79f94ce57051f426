package main

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A front is a load balancer as simple as can be: each connection goes to the
// next of its addresses that takes it, and knows nothing of those before. With
// one address it is a wire that can be cut.
type front struct {
	ln    net.Listener
	to    []string
	turn  atomic.Uint64
	alone atomic.Bool // the wire is cut: connections end and no new ones are made

	mu    sync.Mutex
	conns map[net.Conn]bool
}

func newFront(t testing.TB, to ...string) *front {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &front{ln: ln, to: to, conns: map[net.Conn]bool{}}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { f.pass(c) })
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		f.cut()
		wg.Wait()
	})
	return f
}

func (f *front) addr() string { return f.ln.Addr().String() }

// cut ends what is connected and lets nobody through.
func (f *front) cut() {
	f.alone.Store(true)
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.conns {
		_ = c.Close()
	}
}

// heal lets connections through again.
func (f *front) heal() { f.alone.Store(false) }

// keep notes a connection until the returned function is called; false: the wire is cut.
func (f *front) keep(c net.Conn) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.alone.Load() {
		_ = c.Close()
		return false
	}
	f.conns[c] = true
	return true
}

func (f *front) drop(c net.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.conns, c)
	_ = c.Close()
}

func (f *front) pass(in net.Conn) {
	if !f.keep(in) {
		return
	}
	defer f.drop(in)
	for range f.to {
		out, err := net.DialTimeout("tcp", f.to[f.turn.Add(1)%uint64(len(f.to))], time.Second)
		if err != nil {
			continue
		}
		if !f.keep(out) {
			return
		}
		defer f.drop(out)
		done := make(chan struct{}, 2)
		go func() { _, _ = io.Copy(out, in); done <- struct{}{} }()
		go func() { _, _ = io.Copy(in, out); done <- struct{}{} }()
		<-done // either end: both are closed
		return
	}
}
