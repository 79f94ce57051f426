package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"

	"kamachat"
	"kamachat/server/backup"
	"kamachat/server/config"
	"kamachat/server/move"
	"kamachat/server/store"
)

// writeBackup writes everything to one file, also while servers use it.
func writeBackup(ctx context.Context, cfg config.Config, stdout io.Writer) error {
	if path, ok := store.IsSQLite(cfg.Database()); ok {
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("the database: %w", err)
		}
	}
	db, err := store.Open(ctx, cfg.Database(), store.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	if err := unmoved(ctx, db); err != nil {
		return err
	}
	said := telling(cfg, stdout)
	m, err := backup.Make(ctx, backup.Making{DB: db, Files: cfg.Uploads(), Out: cfg.File, Build: version, Progress: said})
	if err != nil {
		return err
	}
	if m.Gone > 0 {
		said.Say(fmt.Sprintf("%d files were gone when they were to be copied.", m.Gone))
	}
	said.Say(fmt.Sprintf("%s holds %s, as of %s.", cfg.File, m, m.Made.Format("2006-01-02 15:04:05 MST")))
	return nil
}

// restoreBackup makes the database and the files of a backup, or only checks it.
func restoreBackup(ctx context.Context, cfg config.Config, stdout io.Writer) error {
	said := telling(cfg, stdout)
	if cfg.Saving.Check {
		m, err := backup.Check(cfg.File, said)
		if err == nil {
			said.Say(fmt.Sprintf("%s is whole: %s, as of %s.", cfg.File, m, m.Made.Format("2006-01-02 15:04:05 MST")))
		}
		return err
	}
	migrations, err := fs.Sub(kamachat.Migrations, "migrations")
	if err != nil {
		return err
	}
	m, err := backup.Restore(ctx, backup.Restoring{
		In: cfg.File, Database: cfg.Database(), Safe: cfg.SafeDatabase(), Data: cfg.Data, Files: cfg.Uploads(), Migrations: migrations,
		Force: cfg.Saving.Force, EndTokens: cfg.Saving.EndTokens, Progress: said,
	})
	if err != nil {
		return err
	}
	said.Say(fmt.Sprintf("%s holds %s, as of %s. Start the server; people have to sign in again.", cfg.SafeDatabase(), m, m.Made.Format("2006-01-02 15:04:05 MST")))
	return nil
}

// telling is the progress of a command.
func telling(cfg config.Config, stdout io.Writer) *move.Progress {
	if cfg.Saving.Quiet {
		return &move.Progress{}
	}
	return move.NewProgress(stdout, isTerminal(stdout))
}
