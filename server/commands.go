package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"kamachat/server/account"
	"kamachat/server/bench"
	"kamachat/server/config"
	"kamachat/server/move"
	"kamachat/server/store"
	"kamachat/shared/chat"
)

// migrateDatabase brings the database up to date and says what it did.
func migrateDatabase(ctx context.Context, cfg config.Config, stdout io.Writer) error {
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	db, err := store.Open(ctx, cfg.Database(), store.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	names, err := migrate(ctx, db)
	if err != nil {
		return err
	}
	for _, n := range names {
		fmt.Fprintln(stdout, "applied", n)
	}
	fmt.Fprintln(stdout, cfg.SafeDatabase(), "is up to date")
	return nil
}

// moveDatabase takes everything from one database to another, or does what else
// the flags ask about such a move.
func moveDatabase(ctx context.Context, cfg config.Config, stdout io.Writer) error {
	how := cfg.Moving
	if path, ok := strings.CutPrefix(how.From, "sqlite:"); ok {
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("the old database: %w", err)
		}
	}
	from, err := store.Open(ctx, how.From, store.Options{})
	if err != nil {
		return fmt.Errorf("the old database: %w", err)
	}
	defer from.Close()
	if how.To == "" {
		if err := move.Lift(ctx, from); err != nil {
			return err
		}
		fmt.Fprintln(stdout, "The old database can be used again. What was written to the new one is not in it.")
		return nil
	}
	to, err := store.Open(ctx, how.To, store.Options{})
	if err != nil {
		return fmt.Errorf("the new database: %w", err)
	}
	defer to.Close()
	c := move.Config{From: from, To: to, Address: config.Safe(how.To), Look: how.Verify, Migrate: func(ctx context.Context, db *store.DB) error {
		_, err := migrate(ctx, db)
		return err
	}}
	if !how.Quiet {
		c.Progress = move.NewProgress(stdout, isTerminal(stdout))
	}
	m, err := move.Open(ctx, c)
	if err != nil {
		return err
	}
	switch {
	case how.Verify:
		return m.Verify(ctx)
	case how.Unswitch:
		if err := m.Unswitch(ctx); err != nil {
			return err
		}
		fmt.Fprintln(stdout, "The old database can be used again. The move may go on, or be forgotten.")
		return nil
	case how.Switch:
		if err := m.Switch(ctx); err != nil {
			return err
		}
		fmt.Fprintf(stdout, "Everything is in the new database. Stop the old server and start the new one with --db %s\n", config.Safe(how.To))
		return nil
	}
	return m.Follow(ctx)
}

// isTerminal reports whether somebody sees w at once.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// unmoved answers nil where a server may use db, which was not moved elsewhere and is
// not a copy that is still being made.
func unmoved(ctx context.Context, db *store.DB) error {
	switch s, err := db.MoveState(ctx); {
	case err != nil:
		return err
	case s.Fenced:
		return fmt.Errorf("this database has moved to %s: start with --db of that one; kamachat migrate --from this one --unswitch takes that back", s.To)
	case s.Holder != "":
		return errors.New("this database is a copy that is not finished: kamachat migrate --switch ends the move, and then it can be used")
	}
	return nil
}

// importPeople makes accounts from a CSV file and prints their tokens.
func importPeople(ctx context.Context, cfg config.Config, log *slog.Logger, stdout io.Writer) error {
	in := os.Stdin
	if cfg.File != "-" {
		f, err := os.Open(cfg.File)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	ids := chat.NewIDs(importNode, func() int64 { return time.Now().UnixMilli() })
	db, err := openDatabase(ctx, cfg, ids, log)
	if err != nil {
		return err
	}
	defer db.Close()
	people := account.New(account.Config{Store: db, IDs: ids, Log: log})
	who := shellUser()
	return people.Import(ctx, chat.Deed{ByName: who.Name, Addr: who.Addr}, in, stdout)
}

// importNode is the Snowflake node of commands that run beside a server, so
// that both can make ids at the same moment.
const importNode = chat.MaxNode

// runBench loads a server and prints what it took, or is the server that costs least.
func runBench(ctx context.Context, cfg config.Config, stdout io.Writer) error {
	b := cfg.Bench
	if b.Floor {
		return bench.ServeFloor(ctx, b.URL, func() { fmt.Fprintf(stdout, "A relay that stores nothing is at %s\n", b.URL) })
	}
	people, err := benchPeople(b.UsersFile)
	if err != nil {
		return err
	}
	_, err = bench.Run(ctx, bench.Config{
		URL: b.URL, People: people, Workload: b.Workload, Dialect: b.Dialect, Pairs: b.Pairs, Members: b.Members, Senders: b.Senders, Deaf: b.Deaf,
		InFlight: b.Inflight, Rate: b.PerSecond, Pages: b.Pages, Readers: b.Readers, Dialers: b.Dialers, Duration: b.Duration,
		Cut: b.Cut, Servers: b.Servers, Metrics: b.Metrics, Sample: b.Sample, JSON: b.JSON,
	}, stdout)
	return err
}

func benchPeople(file string) ([]bench.Person, error) {
	if file == "" {
		return nil, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return bench.ReadPeople(f)
}
