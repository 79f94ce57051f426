package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"kamachat"
	"kamachat/server/account"
	"kamachat/server/admin"
	"kamachat/server/board"
	"kamachat/server/config"
	"kamachat/server/export"
	"kamachat/server/jobs"
	"kamachat/server/monitor"
	"kamachat/server/push"
	"kamachat/server/retention"
	"kamachat/server/room"
	"kamachat/server/session"
	"kamachat/server/settings"
	"kamachat/server/store"
	"kamachat/server/web"
	"kamachat/shared/chat"
)

// queue is how many drafts, and batches of events, wait at most in this process.
const queue = 4096

// sweepEvery is how often sign-ins that have expired are removed.
const sweepEvery = time.Hour

// filesKept are the open files that are not for connections.
const filesKept = 256

// maxWaiting is how many sockets may wait for their welcome. Who comes when
// there are more is sent away for a moment, before anything is looked up.
const maxWaiting = 1000

// serve builds the server top to bottom and runs it until ctx ends. tell is
// told the address once it answers, and the link that makes the first
// administrator while there is none.
func serve(ctx context.Context, cfg config.Config, log *slog.Logger, tell func(url, setup string)) error {
	ids := chat.NewIDs(cfg.Node, func() int64 { return time.Now().UnixMilli() })
	db, err := openDatabase(ctx, cfg, ids, log)
	if err != nil {
		return err
	}
	defer closeDatabase(log, db.Close)
	set := settings.New(db, log)
	if err := set.Load(ctx); err != nil {
		return err
	}
	work := jobs.New(jobs.Config{Store: db, ID: ids.Next, Node: cfg.Node, Log: log})
	keeping := retention.New(retention.Config{Store: db, Jobs: work, Days: keptDays(set), Log: log})
	if err := keeping.Learn(ctx); err != nil {
		return err
	}
	near, err := joinNodes(ctx, cfg, db, keeping.Expired, log)
	if err != nil {
		return err
	}
	defer near.Close()

	uploads, closeUploads, err := openUploads(cfg, db, log)
	if err != nil {
		return err
	}
	defer closeUploads()

	limits := account.DefaultLimits
	limits.Person, limits.PersonBurst = limit(cfg.Rate), cfg.Rate.Burst
	limits.Request, limits.RequestBurst = limit(cfg.AddressRate), cfg.AddressRate.Burst
	if cfg.Rate.Off() {
		limits.Request, limits.Ask, limits.Find = rate.Inf, rate.Inf, rate.Inf
	}
	samples := make(chan board.Sample, 4)
	watch, err := monitor.New(monitor.Config{Log: log, Build: version, Trace: cfg.Trace, Keep: keeper(samples)})
	if err != nil {
		return err
	}
	defer sendLastTraces(ctx, watch, log)
	people := account.New(account.Config{Store: db, IDs: ids, Log: log, Limits: limits, Tries: near.Tries, Policy: policy(set), Codes: codeSender(cfg, log)})
	notices, err := push.Open(ctx, push.Config{
		Store: db, Presence: near.Presence, Looking: near.Looking, Log: log, Off: cfg.Push == "off", Local: cfg.Push == "local", Queue: queue,
	})
	if err != nil {
		return err
	}
	programs := newHooks(cfg, db, people, log)
	epoch, err := db.Epoch(ctx, rand.Text()[:16])
	if err != nil {
		return err
	}
	carrier, err := openCarrier(ctx, cfg, epoch, db.Committers(), log)
	if err != nil {
		return err
	}
	defer carrier.Close()
	hub := room.NewHub(room.Config{
		Store: near.Store, People: people, Build: version, Epoch: epoch, Log: log, Meter: watch,
		Carrier: carrier, AnswerWithin: carrier.AnswerWithin, Fanout: near.Fanout, Losses: near.Losses, Presence: near.Presence, Looking: near.Looking, EndWithin: heartWithin, Notifier: notifying(notices, programs), Only: contactsOnly(set), Seer: db, Expired: keeping.Expired,
	})
	if carrier.Kafka != nil {
		carrier.Kafka.OnCommitted(watch.Carried)
		carrier.Kafka.OnLost(hub.Lost)
	}
	if err := hub.LearnUnseen(ctx); err != nil {
		return err
	}
	people.SetPoster(hub)
	people.SetBell(hub, notices)
	if programs != nil {
		programs.Hub = hub
	}
	db.SetContactsOnly(contactsOnly(set))
	db.SetMaxGroup(maxGroup(set))
	desk := admin.New(admin.Config{Store: db, Entries: hub, Passwords: people, Sockets: hub, Log: log})
	overview := board.New(board.Config{
		Store: db, Log: hub, Work: work, Node: strconv.Itoa(cfg.Node), Live: liveOf(watch), Free: freeAt(cfg), Logs: log,
	})
	exports := &export.Service{Log: hub, Rows: db, Jobs: work, Folder: filepath.Join(cfg.Uploads(), "exports"), Logs: log}
	ready := readiness(log, db, hub, carrier, near)

	host := session.NewHost(session.Config{
		Hub: hub, Log: log, Queue: cfg.Queue, MaxFrame: cfg.MaxFrame, Rate: limit(cfg.Rate), Burst: cfg.Rate.Burst, Posts: people.AdmitChange, Meter: watch,
	})
	conns := max(maxFiles()-filesKept, maxFiles()/2)
	live := newSessions(host, ids, socketLimits{
		All: min(cfg.MaxSockets, conns-conns/8), Person: cfg.MaxSocketsEach, Address: cfg.MaxSocketsFrom, Waiting: maxWaiting,
	}, watch.SocketRefused)
	twin, seen := newTwin(db, cfg.Node, log), sources(db, hub, people, carrier, near, host, notices)
	seen.Alike = twin.alike
	watch.Watch(seen)
	static, err := fs.Sub(kamachat.Static, "static")
	if err != nil {
		return err
	}
	proxies, err := cfg.Proxies()
	if err != nil {
		return err
	}
	handler, err := web.New(web.Config{
		Accounts: people, Hub: hub, Sessions: web.NewSessions(db.Logins()), Admit: live.admit, Serve: live.serve, Refused: watch.Refused,
		Static: static, Origins: cfg.Origin, Proxies: proxies, Log: log, Build: version, Epoch: epoch, Ready: ready, Push: notices, Hooks: doorOf(programs), Admin: desk, Board: overview, Settings: set, Ending: ctx.Done(), Exports: exports, Files: uploads, Health: health(cfg, hub, time.Now()),
	})
	if err != nil {
		return err
	}
	stopDebug, err := serveDebug(cfg.Debug, log, watch.Metrics(), handler)
	if err != nil {
		return err
	}
	defer stopDebug()
	setup, err := people.SetupKey(ctx)
	if err != nil {
		return err
	}

	ln, err := net.Listen("tcp", cfg.Addr)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	srv := newServer(watch.HTTP(handler), newPlain(func() int { return conns - live.count() }, watch.ConnectionCut), log)
	srv.BaseContext = func(net.Listener) context.Context { return context.WithoutCancel(ctx) }

	// The heart stops last, when nobody can post any more.
	alive, stopHeart := context.WithCancel(context.WithoutCancel(ctx))
	defer stopHeart()
	var beating sync.WaitGroup
	beating.Go(func() {
		if err := hub.Run(alive); err != nil {
			log.Error("the heart ended", "err", err)
		}
	})
	beating.Go(func() { host.Watch(alive, seenBy(people, db.Lasting), near.Losses) })
	beating.Go(func() { people.Run(ctx) })
	beating.Go(func() { sweep(alive, log, db.Logins().DeleteExpired) })
	beating.Go(func() { watch.Run(alive) })
	beating.Go(func() { twin.run(ctx) })
	beating.Go(func() { set.Run(ctx) })
	beating.Go(func() { notices.Run(alive) })
	beating.Go(func() { desk.Run(ctx) })
	beating.Go(func() { work.Run(ctx) })
	beating.Go(func() { overview.Run(ctx, samples) })
	beating.Go(func() { uploads.Run(alive) })
	beating.Go(func() { exports.Run(ctx) })
	beating.Go(func() { keeping.Run(ctx) })
	if programs != nil {
		beating.Go(func() { programs.Run(alive) })
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()

	url := "http://" + ln.Addr().String()
	if setup != "" {
		setup = url + "/setup?key=" + setup
	}
	tell(url, setup)
	debug.FreeOSMemory() // what only the start needed

	select {
	case <-ctx.Done():
	case err = <-served:
	}
	bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), byeWithin)
	defer cancel()
	ready.Drain()
	// The port stays open meanwhile: who asks is told that we are not ready.
	host.Drain(bye)
	if serr := srv.Shutdown(bye); serr != nil {
		log.Warn("requests did not end in time", "err", serr)
		_ = srv.Close()
	}
	stopHeart()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), heartWithin+closeWithin)
	defer cancel()
	if !ended(last, beating.Wait) {
		log.Error("the heart does not end")
	}
	if posts, marks := carrier.Len(), hub.MarksWaiting(); posts > 0 || marks > 0 {
		log.Warn("ended with messages that are not stored, which nobody was told they are", "messages", posts, "marks", marks)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func openDatabase(ctx context.Context, cfg config.Config, ids *chat.IDs, log *slog.Logger) (*store.DB, error) {
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	db, err := store.Open(ctx, cfg.Database(), store.Options{ID: ids.Next, Log: log})
	if err != nil {
		return nil, err
	}
	if err = unmoved(ctx, db); err == nil {
		_, err = migrate(ctx, db)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func migrate(ctx context.Context, db *store.DB) ([]string, error) {
	files, err := fs.Sub(kamachat.Migrations, "migrations")
	if err != nil {
		return nil, err
	}
	return db.Migrate(ctx, files)
}

// sweep removes what has expired, now and then, until ctx ends.
func sweep(ctx context.Context, log *slog.Logger, expired func(context.Context) (int64, error)) {
	t := time.NewTicker(sweepEvery)
	defer t.Stop()
	for {
		if n, err := expired(ctx); err != nil && ctx.Err() == nil {
			log.Error("sweep sign-ins, will be tried again", "err", err)
		} else if n > 0 {
			log.Info("expired sign-ins removed", "n", n)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

// limit is a connection's rate of messages.
func limit(r config.Rate) rate.Limit {
	if r.Off() {
		return rate.Inf
	}
	return rate.Limit(r.PerSecond)
}
