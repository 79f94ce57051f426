package main

import (
	"path/filepath"
	"strings"
	"time"

	"kamachat/server/config"
	"kamachat/server/room"
	"kamachat/server/web"
)

// health returns what administrators are told of a server that started at began.
func health(cfg config.Config, hub *room.Hub, began time.Time) func() web.Health {
	kind, folder := "mysql", cfg.Data
	if path, ok := strings.CutPrefix(cfg.Database(), "sqlite:"); ok {
		kind, folder = "sqlite", filepath.Dir(path)
	}
	return func() web.Health {
		h := web.Health{Version: version, Up: time.Since(began).Milliseconds(), Database: kind}
		h.People, h.Connections = hub.Online()
		if free, all, ok := diskRoom(folder); ok {
			h.Disk = &web.Disk{Free: free, All: all}
		}
		return h
	}
}
