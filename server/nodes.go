package main

import (
	"context"
	"crypto/rand"
	"log/slog"

	"kamachat/server/account"
	"kamachat/server/config"
	"kamachat/server/inproc"
	"kamachat/server/monitor"
	"kamachat/server/redis"
	"kamachat/server/room"
	"kamachat/shared/chat"
)

// nodes is what this node shares with others: nothing, or one Redis.
type nodes struct {
	Fanout   room.Fanout
	Losses   room.Losses // of Fanout
	Presence room.Presence
	Looking  room.Presence
	Store    room.Store
	Tries    account.Counter // nil: this is the only node
	Redis    *redis.Client   // nil: this is the only node
	Queues   []monitor.Queue

	close []func() // in this order
}

// joinNodes chooses, once, between one node and several. Close what it returns
// when the hub has stopped.
func joinNodes(ctx context.Context, cfg config.Config, db room.Store, expired func() chat.Expired, log *slog.Logger) (*nodes, error) {
	alone := inproc.NewFanout(queue)
	queues := []monitor.Queue{{Name: "fanout", Len: alone.Len, Limit: queue}}
	if cfg.Redis == "" {
		n := &nodes{Fanout: alone, Presence: inproc.NewPresence(), Looking: inproc.NewPresence(), Store: db, Queues: queues}
		if cfg.Mode == "kafka" { // others may commit what is ours, and only the database tells
			n.Losses = func() (bool, int64) { return true, 0 }
		}
		return n, nil
	}
	r, err := redis.Open(ctx, redis.Config{URL: cfg.Redis, Prefix: cfg.Prefix, Log: log})
	if err != nil {
		return nil, err
	}
	presence, looking := redis.NewPresence(r, redis.PresenceTTL), redis.NewLooking(r, redis.PresenceTTL)
	fanout := redis.NewFanout(r, alone, queue)
	queues = append(queues, monitor.Queue{Name: "redis_fanout", Len: fanout.Len, Limit: queue}, monitor.Queue{Name: "redis_presence", Len: presence.Len})
	n := &nodes{
		Fanout: fanout, Losses: fanout.Losses, Presence: presence, Looking: looking, Store: db, Tries: redis.NewLimiter(r), Redis: r, Queues: queues, close: []func(){presence.Close, looking.Close},
	}
	if cfg.Cache {
		cache := redis.NewCache(r, db, rand.Text()) // each start is a life
		n.Queues = append(n.Queues, monitor.Queue{Name: "redis_cache", Len: cache.Len})
		n.Store, n.close = cachedStore{db, cache, expired}, append(n.close, cache.Close)
	}
	n.close = append(n.close, func() {
		if err := r.Close(); err != nil {
			log.Warn("close Redis", "err", err)
		}
	})
	return n, nil
}

func (n *nodes) Close() {
	for _, f := range n.close {
		f()
	}
}

// cachedStore is a store that reads history through a cache, which does not know
// what has expired.
type cachedStore struct {
	room.Store
	cache   *redis.Cache
	expired func() chat.Expired
}

func (s cachedStore) Append(ctx context.Context, ds []chat.Draft) ([]chat.Receipt, error) {
	rs, err := s.Store.Append(ctx, ds)
	if err == nil {
		s.cache.Committed(rs)
	}
	return rs, err
}

func (s cachedStore) After(ctx context.Context, conv chat.ConvID, seq int64, limit int) (chat.Page, error) {
	return s.kept(s.cache.After(ctx, conv, seq, limit))
}

func (s cachedStore) Before(ctx context.Context, conv chat.ConvID, seq int64, limit int) (chat.Page, error) {
	return s.kept(s.cache.Before(ctx, conv, seq, limit))
}

// kept is a page without what has expired.
func (s cachedStore) kept(p chat.Page, err error) (chat.Page, error) {
	x := s.expired()
	for i := range p.Entries {
		x.Apply(&p.Entries[i])
	}
	return p, err
}
