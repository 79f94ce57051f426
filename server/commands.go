package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"kamachat/server/account"
	"kamachat/server/bench"
	"kamachat/server/config"
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
	return people.Import(ctx, in, stdout)
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
