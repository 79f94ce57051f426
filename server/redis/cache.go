package redis

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"kamachat/shared/chat"
)

const (
	maxEntries = chat.MaxPage // of a conversation in the cache
	cacheFor   = time.Hour    // since the last change
	cacheQueue = 1024         // commits that wait to be cached
)

// A Log is what a Cache stands before: the store.
type Log interface {
	After(ctx context.Context, conv chat.ConvID, seq int64, limit int) (chat.Page, error)
	Before(ctx context.Context, conv chat.ConvID, seq int64, limit int) (chat.Page, error)
}

// A Cache remembers the newest entries of conversations, at most 100 of each,
// in front of a store whose answers it gives.
//
// It can't be wrong. Logs have no gaps, and what is cached of a conversation is
// always one run a…b of its log: Redis itself, in one script, adds only what
// follows b or replaces the run. Each read asks the store for what comes after b
// and where the log ends, so a run that is old costs reading a few rows more.
// Entries change by later ones only, and these are all in the run and what
// follows it: each read folds them.
//
// That holds for one life of a database. One that is put back from a copy grows
// into another log, of which a run knows nothing: a life, which begins at the
// latest when the database is put back, has runs of its own.
type Cache struct {
	c     *Client
	log   Log
	life  string
	queue chan []chat.Message
	stop  context.CancelFunc
	wg    sync.WaitGroup
}

// NewCache returns a cache before log. It shares its runs with the caches of the
// same life. Close ends it.
func NewCache(c *Client, log Log, life string) *Cache {
	ctx, stop := context.WithCancel(context.Background())
	k := &Cache{c: c, log: log, life: life, queue: make(chan []chat.Message, cacheQueue), stop: stop}
	k.wg.Go(func() { k.run(ctx) })
	return k
}

// Close ends the cache.
func (k *Cache) Close() {
	k.stop()
	k.wg.Wait()
}

func (k *Cache) key(conv chat.ConvID) string { return k.c.key("log", k.life+":"+string(conv)) }

// Len is how many commits wait to be cached.
func (k *Cache) Len() int { return len(k.queue) }

// Committed tells the cache what was stored. It does not wait; what it can't
// take is read from the store later.
func (k *Cache) Committed(rs []chat.Receipt) {
	ms := make([]chat.Message, 0, len(rs))
	for _, r := range rs {
		if r.Err == nil && !r.Again {
			ms = append(ms, r.Message)
		}
	}
	if len(ms) == 0 || k.c.Away() {
		return
	}
	select {
	case k.queue <- ms:
	default:
	}
}

// run adds what is committed to the runs that are cached, until ctx ends.
func (k *Cache) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case ms := <-k.queue:
			for more := true; more; {
				select {
				case next := <-k.queue:
					ms = append(ms, next...)
				default:
					more = false
				}
			}
			of := map[chat.ConvID][]chat.Message{}
			for _, m := range ms {
				of[m.Conv] = append(of[m.Conv], m)
			}
			_ = k.c.do(ctx, func(ctx context.Context) error { return k.add(ctx, of, false) })
		}
	}
}

// extend brings one run a…b of a log up to date. KEYS: the run, a sorted set by
// Seq. ARGV: whether to begin one where there is none, how many entries to
// keep, for how many milliseconds, the Seq of the first new entry, the entries.
// Entries that are there already are left out; ones that do not follow the run
// replace it where they are newer.
var extend = goredis.NewScript(`
local key, first, n = KEYS[1], tonumber(ARGV[4]), #ARGV - 4
local top = redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')
local last = tonumber(top[2] or '0')
if not top[2] then
	if ARGV[1] == '0' then
		return 0
	end
	last = first - 1
elseif first + n - 1 <= last then
	return 0
elseif first > last + 1 then
	redis.call('DEL', key)
	last = first - 1
end
for seq = last + 1, first + n - 1 do
	redis.call('ZADD', key, seq, ARGV[5 + seq - first])
end
redis.call('ZREMRANGEBYRANK', key, 0, -1 - ARGV[2])
redis.call('PEXPIRE', key, ARGV[3])
return 1
`)

// entry is a message as the cache keeps it: with its Ref.
type entry struct {
	chat.Message
	Ref string `json:"r"`
}

// add extends the runs of conversations by entries in rising Seq order.
func (k *Cache) add(ctx context.Context, of map[chat.ConvID][]chat.Message, begin bool) error {
	err := k.addOnce(ctx, of, begin)
	if goredis.HasErrorPrefix(err, "NOSCRIPT") { // a Redis that is new to us
		if err = extend.Load(ctx, k.c.rdb).Err(); err == nil {
			err = k.addOnce(ctx, of, begin)
		}
	}
	return err
}

func (k *Cache) addOnce(ctx context.Context, of map[chat.ConvID][]chat.Message, begin bool) error {
	pipe := k.c.rdb.Pipeline()
	for conv, ms := range of {
		for from := 0; from < len(ms); {
			to := from + 1
			for to < len(ms) && ms[to].Seq == ms[to-1].Seq+1 {
				to++
			}
			args := []any{"0", maxEntries, cacheFor.Milliseconds(), ms[from].Seq}
			if begin {
				args[0] = "1"
			}
			for _, m := range ms[from:to] {
				p, err := json.Marshal(entry{m, m.Ref})
				if err != nil {
					return err
				}
				args = append(args, p)
			}
			extend.EvalSha(ctx, pipe, []string{k.key(conv)}, args...)
			from = to
		}
	}
	_, err := pipe.Exec(ctx)
	return err
}

// cached returns the entries of conv from a Seq on that are cached, or the newest
// limit of them, and the Seq of the run's end; nothing and 0 where nothing is.
// Limit 0 means all.
func (k *Cache) cached(ctx context.Context, conv chat.ConvID, from int64, limit int) ([]chat.Message, int64) {
	key := k.key(conv)
	var rows []string
	var top []goredis.Z
	err := k.c.do(ctx, func(ctx context.Context) error {
		tx := k.c.rdb.TxPipeline() // both of one moment
		a := goredis.ZRangeArgs{Key: key, ByScore: true, Start: from, Stop: "+inf"}
		if limit > 0 {
			a = goredis.ZRangeArgs{Key: key, Start: -limit, Stop: -1}
		}
		r := tx.ZRangeArgs(ctx, a)
		z := tx.ZRangeWithScores(ctx, key, -1, -1)
		_, err := tx.Exec(ctx)
		rows, top = r.Val(), z.Val()
		return err
	})
	if err != nil || len(top) == 0 {
		return nil, 0
	}
	ms := make([]chat.Message, len(rows))
	for i, r := range rows {
		var e entry
		if json.Unmarshal([]byte(r), &e) != nil || !e.Content.Whole() || e.Conv != conv || i > 0 && e.Seq != ms[i-1].Seq+1 {
			return nil, 0 // not ours, or of another build: the store knows
		}
		ms[i] = e.Message
		ms[i].Ref = e.Ref
	}
	for len(ms) > 0 && ms[0].Seq < from {
		ms = ms[1:]
	}
	return ms, int64(top[0].Score)
}

// Before is the store's Before.
func (k *Cache) Before(ctx context.Context, conv chat.ConvID, seq int64, limit int) (chat.Page, error) {
	var ms []chat.Message
	var end int64
	if seq > 0 {
		ms, end = k.cached(ctx, conv, max(1, seq-int64(limit)), 0)
	} else {
		ms, end = k.cached(ctx, conv, 0, limit)
	}
	if end == 0 || seq > 0 && (end < seq-1 || !complete(ms, max(1, seq-int64(limit)), end)) {
		return k.fill(ctx, conv, seq > 0)(k.log.Before(ctx, conv, seq, limit))
	}
	rest, err := k.log.After(ctx, conv, end, limit)
	switch {
	case err != nil:
		return rest, err
	case rest.LastSeq < end: // the cache knows more than the truth: another database stands here now
		k.forget(ctx, conv)
		return k.log.Before(ctx, conv, seq, limit)
	case seq > 0 && len(rest.Entries) > 0 && rest.Entries[0].Seq != end+1:
		k.c.count.misses.Add(1)
		return k.log.Before(ctx, conv, seq, limit)
	case seq > 0:
		k.c.count.hits.Add(1)
		all := slices.Concat(ms, rest.Entries)
		chat.Fold(all)
		n, _ := slices.BinarySearchFunc(all, seq, func(m chat.Message, seq int64) int { return cmp.Compare(m.Seq, seq) })
		return chat.Page{Conv: conv, Entries: all[:n], LastSeq: rest.LastSeq}, nil
	}
	return k.join(ctx, conv, ms, rest, 0, limit)
}

// After is the store's After.
func (k *Cache) After(ctx context.Context, conv chat.ConvID, seq int64, limit int) (chat.Page, error) {
	ms, end := k.cached(ctx, conv, seq+1, limit)
	if end == 0 || end <= seq {
		return k.fill(ctx, conv, true)(k.log.After(ctx, conv, seq, limit))
	}
	rest, err := k.log.After(ctx, conv, end, limit)
	switch {
	case err != nil:
		return rest, err
	case rest.LastSeq < end:
		k.forget(ctx, conv)
		return k.log.After(ctx, conv, seq, limit)
	}
	return k.join(ctx, conv, ms, rest, seq, limit)
}

// join makes a page of the cached end of a log, ms, and what the store has
// after it: the newest limit entries after seq. Where the two are too little for
// that the store is asked for all.
func (k *Cache) join(ctx context.Context, conv chat.ConvID, ms []chat.Message, rest chat.Page, seq int64, limit int) (chat.Page, error) {
	all := ms
	if len(rest.Entries) > 0 {
		k.remember(ctx, conv, rest.Entries)
		if len(ms) > 0 && rest.Entries[0].Seq == ms[len(ms)-1].Seq+1 {
			all = slices.Concat(ms, rest.Entries)
		} else {
			all = rest.Entries
		}
	}
	chat.Fold(all)
	all = all[max(0, len(all)-limit):]
	if len(all) < limit && (len(all) == 0 || all[0].Seq > seq+1) {
		k.c.count.misses.Add(1)
		if seq > 0 {
			return k.log.After(ctx, conv, seq, limit)
		}
		return k.log.Before(ctx, conv, 0, limit)
	}
	k.c.count.hits.Add(1)
	rest.Entries = all
	return rest, nil
}

// complete reports whether ms are exactly the entries from … to.
func complete(ms []chat.Message, from, to int64) bool {
	return int64(len(ms)) == to-from+1 && (len(ms) == 0 || ms[0].Seq == from)
}

// fill returns a function that passes a page of the store on and remembers it
// where it is the log's end.
func (k *Cache) fill(ctx context.Context, conv chat.ConvID, partly bool) func(chat.Page, error) (chat.Page, error) {
	return func(p chat.Page, err error) (chat.Page, error) {
		k.c.count.misses.Add(1)
		n := len(p.Entries)
		if err == nil && n > 0 && (!partly || p.Entries[n-1].Seq >= p.LastSeq) {
			k.remember(ctx, conv, p.Entries)
		}
		return p, err
	}
}

func (k *Cache) remember(ctx context.Context, conv chat.ConvID, ms []chat.Message) {
	_ = k.c.do(ctx, func(ctx context.Context) error {
		return k.add(ctx, map[chat.ConvID][]chat.Message{conv: ms}, true)
	})
}

func (k *Cache) forget(ctx context.Context, conv chat.ConvID) {
	_ = k.c.do(ctx, func(ctx context.Context) error { return k.c.rdb.Del(ctx, k.key(conv)).Err() })
}
