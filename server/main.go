// Command kamachat is the whole server in one file: chat, pages, accounts and
// the browser app.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"kamachat/server/config"
)

// version is set when a release is linked.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	if exit := (*config.Exit)(nil); errors.As(err, &exit) {
		if exit.Code == 0 {
			fmt.Print(exit.Words)
		} else {
			fmt.Fprintln(os.Stderr, exit.Words)
		}
		os.Exit(exit.Code)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "kamachat:", err)
		os.Exit(1)
	}
}

// run does what the arguments ask until it is done or ctx ends. An error may be
// a *config.Exit, which says the exit code.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	cfg, err := config.Load(args, getenv)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	if cfg.Log == "json" {
		log = slog.New(slog.NewJSONHandler(stderr, nil))
	}
	switch cfg.Command {
	case config.Serve:
		return serve(ctx, cfg, log, func(url, setup string) {
			fmt.Fprintf(stdout, "KamaChat is at %s\n", url)
			if setup != "" {
				fmt.Fprintf(stdout, "Make yourself the administrator (this link works once): %s\n", setup)
			}
		})
	case config.Migrate:
		if cfg.Moving.From != "" {
			return moveDatabase(ctx, cfg, stdout)
		}
		return migrateDatabase(ctx, cfg, stdout)
	case config.Backup:
		return writeBackup(ctx, cfg, stdout)
	case config.Restore:
		return restoreBackup(ctx, cfg, stdout)
	case config.Import:
		return importPeople(ctx, cfg, log, stdout)
	case config.Administer:
		return administer(ctx, cfg, log, stdout)
	case config.RunBench:
		return runBench(ctx, cfg, stdout)
	case config.Version:
		_, err := fmt.Fprintln(stdout, "kamachat", version)
		return err
	}
	return fmt.Errorf("unknown command %q", cfg.Command)
}
