package main

import (
	"context"
	"log/slog"
	"time"
)

// A server that is told to stop has ended within 10 s, whatever its database,
// Redis and collector do: the sum of these, and a second each for the last two.
const (
	// byeWithin is how long sockets and requests may take to end.
	byeWithin = 5 * time.Second
	// heartWithin is how long the heart may take after that, to commit and save
	// what had been accepted.
	heartWithin = 2500 * time.Millisecond
	// closeWithin is how long closing the database may take.
	closeWithin = 500 * time.Millisecond
)

// ended reports whether f returns before ctx ends. Otherwise it is left behind:
// the process is about to end.
func ended(ctx context.Context, f func()) bool {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}

// closeDatabase closes a database. One that does not answer is not waited for:
// what is committed is safe.
func closeDatabase(log *slog.Logger, shut func() error) {
	ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
	defer cancel()
	if !ended(ctx, func() {
		if err := shut(); err != nil {
			log.Warn("close database", "err", err)
		}
	}) {
		log.Warn("the database did not let itself be closed in time")
	}
}
