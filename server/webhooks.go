package main

import (
	"log/slog"

	"kamachat/server/account"
	"kamachat/server/config"
	"kamachat/server/hooks"
	"kamachat/server/room"
	"kamachat/server/store"
	"kamachat/server/web"
	"kamachat/shared/chat"
)

// notifiers are several as one.
type notifiers []room.Notifier

func (ns notifiers) Stored(m chat.Message) {
	for _, n := range ns {
		n.Stored(m)
	}
}

// newHooks returns the webhooks, which need their hub before they are used; nil
// where there are none.
func newHooks(cfg config.Config, db *store.DB, people *account.Service, log *slog.Logger) *hooks.Service {
	if cfg.Hooks == "off" {
		return nil
	}
	return hooks.New(hooks.Config{Store: db, Bots: people, Log: log, Local: cfg.Hooks == "local"})
}

// doorOf is h as the routes know it: nil where there are no webhooks.
func doorOf(h *hooks.Service) web.Hooks {
	if h == nil {
		return nil
	}
	return h
}

// notifying is who is told what was committed.
func notifying(notices room.Notifier, h *hooks.Service) room.Notifier {
	if h == nil {
		return notices
	}
	return notifiers{notices, h}
}
