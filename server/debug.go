package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"kamachat/server/account"
	"kamachat/server/monitor"
	"kamachat/server/push"
	"kamachat/server/room"
	"kamachat/server/session"
	"kamachat/server/store"
)

// The hub and the sessions tell the monitor.
var (
	_ room.Meter    = (*monitor.Monitor)(nil)
	_ session.Meter = (*monitor.Monitor)(nil)
)

// serveDebug answers operators on a private address, "" for none, with metrics,
// profiles, and the health that public tells as well, until stop is called.
func serveDebug(addr string, log *slog.Logger, metrics, public http.Handler) (stop func(), err error) {
	if addr == "" {
		return func() {}, nil
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen on --debug-addr: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics)
	mux.Handle("GET /healthz", public)
	mux.Handle("GET /readyz", public)
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: headerWithin, IdleTimeout: idleWithin, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := srv.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			log.Error("private address", "err", err)
		}
	}()
	log.Info("private address is open", "url", "http://"+ln.Addr().String())
	if a, ok := ln.Addr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() {
		log.Warn("the private address can be reached from other machines, and asks nobody for a password", "addr", ln.Addr().String())
	}
	return func() {
		_ = srv.Close() // a profile under way is not waited for
		<-ended
	}, nil
}

// sendLastTraces ends the monitor. A collector that is away does not keep the server from ending.
func sendLastTraces(ctx context.Context, watch *monitor.Monitor, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := watch.Close(ctx); err != nil {
		log.Warn("the last traces are lost", "err", err)
	}
}

// sources are what the monitor asks of the other rooms.
func sources(db *store.DB, hub *room.Hub, people *account.Service, carrier *carrier, near *nodes, host *session.Host, notices *push.Service) monitor.Sources {
	s := monitor.Sources{
		Online: hub.Online,
		Queues: append([]monitor.Queue{
			{Name: "carrier", Len: carrier.Len, Limit: queue},
			{Name: "answers", Len: hub.Pending, Limit: room.MaxPending},
			{Name: "marks", Len: hub.MarksWaiting, Limit: room.MaxMarks},
			{Name: "late", Len: hub.LateWaiting, Limit: room.MaxLate},
			{Name: "passwords", Len: people.PasswordsWaiting, Limit: account.MaxPasswords},
			{Name: "session", Limit: host.Limit()},
			{Name: "welcomes", Len: host.Waiting, Limit: maxWaiting},
			{Name: "push", Len: notices.Len, Limit: queue},
		}, near.Queues...),
		Pools: func() []monitor.Pool {
			s := db.Stats()
			return []monitor.Pool{pool("database_write", s.Write), pool("database_read", s.Read)}
		},
		Longest: host.Longest,
		Kafka:   carrier.kafkaSource(),
		Ignored: func() monitor.Ignored { return monitor.Ignored(hub.Ignored()) },
		WAL:     func() int64 { return db.Stats().WAL },
		Push: func() monitor.Push {
			p := notices.Stats()
			return monitor.Push{Sent: p.Sent, Retried: p.Retried, Failed: p.Failed, Gone: p.Gone, Dropped: p.Dropped}
		},
	}
	if near.Redis == nil {
		return s
	}
	database := s.Pools
	s.Pools = func() []monitor.Pool {
		r := near.Redis.Stats()
		idle, all := int(r.PoolIdle), int(r.PoolConns)
		return append(database(), monitor.Pool{Name: "redis", InUse: max(0, all-idle), Idle: idle, Size: r.PoolSize, Waits: int64(r.PoolTimeouts)})
	}
	s.Redis = func() monitor.Redis {
		r := near.Redis.Stats()
		return monitor.Redis{
			Up: !r.Away, Outages: r.Outages, Published: r.Published, Dropped: r.Dropped, Received: r.Received, Unread: r.Unread,
			CacheHits: r.CacheHits, CacheMisses: r.CacheMisses, LimitedHere: r.LimitedLocally,
		}
	}
	return s
}

func pool(name string, s sql.DBStats) monitor.Pool {
	return monitor.Pool{Name: name, InUse: s.InUse, Idle: s.Idle, Size: s.MaxOpenConnections, Waits: s.WaitCount, Waited: s.WaitDuration}
}

// readiness is what makes a node ready.
func readiness(log *slog.Logger, db *store.DB, hub *room.Hub, carrier *carrier, near *nodes) *monitor.Ready {
	checks := []monitor.Check{
		{Name: "database", Ask: func(ctx context.Context) error {
			_, err := db.Setting(ctx, "ready") // there is none: what counts is the answer
			return err
		}},
		{Name: "store", Ask: func(context.Context) error {
			if hub.StoreAway() {
				return errors.New("commits fail")
			}
			return nil
		}},
		{Name: "carrier", Ask: func(context.Context) error {
			if n := carrier.Len(); n >= queue {
				return fmt.Errorf("%d messages wait", n)
			}
			return nil
		}},
	}
	if near.Redis != nil {
		checks = append(checks, monitor.Check{Name: "redis", Optional: true, Ask: func(context.Context) error {
			if near.Redis.Away() {
				return errors.New("no answer")
			}
			return nil
		}})
	}
	return monitor.NewReady(log, checks...)
}
