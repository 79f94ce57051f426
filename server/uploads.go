package main

import (
	"log/slog"

	"kamachat/server/config"
	"kamachat/server/files"
	"kamachat/server/store"
)

// openUploads returns what keeps people's files, and what closes its folder.
func openUploads(cfg config.Config, db *store.DB, log *slog.Logger) (f *files.Files, done func(), err error) {
	folder, err := files.OpenFolder(cfg.Uploads())
	if err != nil {
		return nil, nil, err
	}
	f = files.New(files.Config{
		Records: db, Store: folder, Max: cfg.MaxUpload, Log: log,
		Room: func() (int64, bool) {
			free, _, ok := diskRoom(cfg.Uploads())
			return free, ok
		},
	})
	return f, func() { _ = folder.Close() }, nil // it was read from, at most
}
