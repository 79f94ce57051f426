package monitor

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Sources are what the monitor asks when somebody looks. Each may be nil or
// empty where there is no such thing; all are quick, and safe for concurrent use.
type Sources struct {
	Online  func() (people, connections int)
	Queues  []Queue
	Pools   func() []Pool
	Longest func() int   // frames that waited at most for one session, since it was last asked
	WAL     func() int64 // bytes of the database's write-ahead log
	Redis   func() Redis
	Kafka   func() Kafka
	Push    func() Push
	Ignored func() Ignored
	Alike   func() bool // another server has this one's number
}

// Ignored are events that this node let go, since the start.
type Ignored struct {
	Broken   int64 // handing them out made the program panic
	Unstored int64 // they told of an entry that the store has not
}

// longest returns how many frames waited at most for one session since the last
// line of the log, which sets it back.
func (m *Monitor) longest(s *Sources) int64 {
	if s.Longest == nil {
		return 0
	}
	n := int64(s.Longest())
	for high := m.highWater.Load(); n > high; high = m.highWater.Load() {
		if m.highWater.CompareAndSwap(high, n) {
			return n
		}
	}
	return m.highWater.Load()
}

// A Queue is a place where things wait. Its name is a word of the code's.
type Queue struct {
	Name  string
	Len   func() int // nil: there are many of the kind, see Longest
	Limit int        // 0: it has none
}

// A Pool is a set of connections to something. Waits and Waited only grow.
type Pool struct {
	Name              string
	InUse, Idle, Size int           // connections; Size 0: no limit
	Waits             int64         // times that one was waited for
	Waited            time.Duration // for how long in all
}

// Redis is how the connection to Redis fares. Counts are since the start.
type Redis struct {
	Up                     bool // it answers
	Outages                int64
	Published, Dropped     int64 // events told to other nodes, and those that were not
	Received, Unread       int64 // events of other nodes, and those that this build can't read
	CacheHits, CacheMisses int64
	LimitedHere            int64 // tries that were counted on this node alone
}

// Kafka is how the topic fares that all nodes share. Counts are since the start.
type Kafka struct {
	Carried, Refused int64 // posts of this node that the brokers took, and did not take in time
	Committed        int64 // records that were stored and are done with
	Dead, Lost       int64 // records that can't be read, put aside; those that could not be put aside
	Rebalances       int64 // changes of who holds which partition
	Partitions       int   // that this node holds
	Lag              int64 // records of these that are not done with
}

// Push is what became of notices to browsers. Counts are since the start.
type Push struct {
	Sent, Retried, Failed int64 // taken by the push service; to be tried again; not taken
	Gone                  int64 // the subscription had ended
	Dropped               int64 // made room for others, waiting
}

// Watch tells the monitor whom to ask. Before, and for what s lacks, nothing is reported.
func (m *Monitor) Watch(s Sources) { m.sources.Store(&s) }

var (
	peopleDesc  = desc("kamachat_people_online", "People with a session on this node.")
	connsDesc   = desc("kamachat_connections", "Sessions on this node.")
	queueDesc   = desc("kamachat_queue_length", "What waits in a queue now.", "queue")
	limitDesc   = desc("kamachat_queue_limit", "What fits into a queue.", "queue")
	highDesc    = desc("kamachat_session_queue_high_water", "The most frames that waited for one session since the last line of the log.")
	poolDesc    = desc("kamachat_pool_connections", "Connections of a pool, in use and idle.", "pool", "state")
	poolMaxDesc = desc("kamachat_pool_limit", "Connections that a pool may have.", "pool")
	waitsDesc   = desc("kamachat_pool_waits_total", "Times that a connection of a pool was waited for.", "pool")
	waitedDesc  = desc("kamachat_pool_wait_seconds_total", "How long connections of a pool were waited for.", "pool")
	walDesc     = desc("kamachat_database_wal_bytes", "Size of SQLite's write-ahead log.")
	redisDesc   = desc("kamachat_redis_up", "Whether Redis answers: 1, or 0 while the server does without.")
	outageDesc  = desc("kamachat_redis_outages_total", "Times that Redis was found away.")
	redisEvents = desc("kamachat_redis_events_total", "Events exchanged with other nodes; dropped: not told, unread: not understood.", "what")
	cacheDesc   = desc("kamachat_redis_cache_total", "Pages of recent entries that were looked for in Redis.", "result")
	pushDesc    = desc("kamachat_push_notices_total", "Notices to browsers, by what became of them.", "result")
	ignoredDesc = desc("kamachat_events_ignored_total", "Events that this node let go; broken: handing them out failed inside the program; unstored: they told of an entry that the store has not.", "why")
	alikeDesc   = desc("kamachat_node_shared", "1 while another server with the same --node uses the same database, else 0.")
	kafkaPosts  = desc("kamachat_kafka_posts_total", "Posts of this node given to Kafka; refused: not taken in time.", "result")
	kafkaStored = desc("kamachat_kafka_records_total", "Records that this node is done with; dead: they can't be read and were put aside, lost: nor could they be put aside.", "result")
	kafkaTurns  = desc("kamachat_kafka_rebalances_total", "Changes of which partitions this node holds.")
	kafkaParts  = desc("kamachat_kafka_partitions", "Partitions that this node holds.")
	kafkaLag    = desc("kamachat_kafka_lag", "Records of this node's partitions that are not stored yet.")
	hereDesc    = desc("kamachat_redis_limited_here_total", "Tries that were counted on this node alone, since Redis was away.")
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

// collector reports what the sources say at the moment.
type collector struct{ m *Monitor }

func (c collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		peopleDesc, connsDesc, queueDesc, limitDesc, highDesc, poolDesc, poolMaxDesc, waitsDesc, waitedDesc, walDesc,
		redisDesc, outageDesc, redisEvents, cacheDesc, hereDesc, pushDesc, ignoredDesc, alikeDesc,
		kafkaPosts, kafkaStored, kafkaTurns, kafkaParts, kafkaLag,
	} {
		ch <- d
	}
}

func (c collector) Collect(ch chan<- prometheus.Metric) {
	s := c.m.sources.Load()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	count := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	if s.Online != nil {
		people, conns := s.Online()
		gauge(peopleDesc, float64(people))
		gauge(connsDesc, float64(conns))
	}
	for _, q := range s.Queues {
		if q.Len != nil {
			gauge(queueDesc, float64(q.Len()), q.Name)
		}
		if q.Limit > 0 {
			gauge(limitDesc, float64(q.Limit), q.Name)
		}
	}
	gauge(highDesc, float64(c.m.longest(s)))
	if s.Pools != nil {
		for _, p := range s.Pools() {
			gauge(poolDesc, float64(p.InUse), p.Name, "in_use")
			gauge(poolDesc, float64(p.Idle), p.Name, "idle")
			if p.Size > 0 {
				gauge(poolMaxDesc, float64(p.Size), p.Name)
			}
			count(waitsDesc, float64(p.Waits), p.Name)
			count(waitedDesc, p.Waited.Seconds(), p.Name)
		}
	}
	if s.WAL != nil {
		gauge(walDesc, float64(s.WAL()))
	}
	if s.Push != nil {
		p := s.Push()
		for result, n := range map[string]int64{"sent": p.Sent, "retried": p.Retried, "failed": p.Failed, "gone": p.Gone, "dropped": p.Dropped} {
			count(pushDesc, float64(n), result)
		}
	}
	if s.Alike != nil {
		alike := 0.0
		if s.Alike() {
			alike = 1
		}
		gauge(alikeDesc, alike)
	}
	if s.Ignored != nil {
		i := s.Ignored()
		count(ignoredDesc, float64(i.Broken), "broken")
		count(ignoredDesc, float64(i.Unstored), "unstored")
	}
	if s.Kafka != nil {
		k := s.Kafka()
		count(kafkaPosts, float64(k.Carried), "carried")
		count(kafkaPosts, float64(k.Refused), "refused")
		for result, n := range map[string]int64{"committed": k.Committed - k.Dead, "dead": k.Dead, "lost": k.Lost} {
			count(kafkaStored, float64(n), result)
		}
		count(kafkaTurns, float64(k.Rebalances))
		gauge(kafkaParts, float64(k.Partitions))
		gauge(kafkaLag, float64(k.Lag))
	}
	if s.Redis != nil {
		r, up := s.Redis(), 0.0
		if r.Up {
			up = 1
		}
		gauge(redisDesc, up)
		count(outageDesc, float64(r.Outages))
		for what, n := range map[string]int64{"published": r.Published, "dropped": r.Dropped, "received": r.Received, "unread": r.Unread} {
			count(redisEvents, float64(n), what)
		}
		count(cacheDesc, float64(r.CacheHits), "hit")
		count(cacheDesc, float64(r.CacheMisses), "miss")
		count(hereDesc, float64(r.LimitedHere))
	}
}
