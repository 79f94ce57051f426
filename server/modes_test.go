package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"kamachat/server/bench"
	"kamachat/server/servicetest"
)

// TestPaceOfModes prints what Kafka mode costs, and what each node adds:
// `make bench-modes`. All run in turn, three times, each on a database of its own.
func TestPaceOfModes(t *testing.T) {
	if os.Getenv("KAMACHAT_BENCH") == "" {
		t.Skip("it measures: make bench-modes")
	}
	db, redis, brokers := servicetest.MariaDB(t), servicetest.Redis(t), servicetest.Kafka(t, 1)
	type work struct{ name, flags string }
	works := []work{
		{"200 pairs × 8 in flight", "--workload direct --pairs 200 --inflight 8 --duration 8s"},
		{"400 a second, open loop", "--workload direct --pairs 200 --rate 400 --duration 8s"},
		{"room of 100 × 8 in flight", "--workload fanout --members 100 --inflight 8 --duration 8s"},
	}
	modes := []struct {
		name  string
		nodes int
		kafka bool
	}{{"channel, 1 node", 1, false}, {"kafka, 1 node", 1, true}, {"kafka, 2 nodes", 2, true}, {"kafka, 3 nodes", 3, true}}
	got := map[string][]bench.Report{}
	for round := range rounds(t, "KAMACHAT_BENCH_ROUNDS", 3) {
		for _, m := range modes {
			database := db.Database()
			users := imported(t, 400, "--db", database)
			var nodes []*process
			var addrs, pids []string
			for n := range m.nodes {
				flags := []string{"--db", database, "--node", fmt.Sprint(n + 1), "--max-connections-per-address", "0"}
				if m.kafka {
					flags = append(flags, "--mode", "kafka", "--kafka", brokers[0].Addr, "--redis", redis.URL(),
						"--kafka-topic", fmt.Sprintf("bench%d.%d", round, m.nodes), "--redis-prefix", fmt.Sprintf("bench%d.%d:", round, m.nodes))
				}
				p := &process{t: t, data: t.TempDir(), flags: flags}
				p.start("127.0.0.1:0")
				nodes = append(nodes, p)
				addrs = append(addrs, strings.TrimPrefix(p.url, "http://"))
				pids = append(pids, "--server-pid", fmt.Sprint(p.cmd.Process.Pid))
			}
			url := nodes[0].url
			if m.nodes > 1 {
				url = "http://" + newFront(t, addrs...).addr()
			}
			for _, w := range works {
				rep, err := load(t, url, users, append(strings.Fields(w.flags), pids...)...)
				if err != nil {
					t.Errorf("%s, %s: %v", m.name, w.name, err)
				}
				key := w.name + "|" + m.name
				got[key] = append(got[key], rep)
			}
			for _, p := range nodes {
				p.stop()
			}
		}
	}
	median := func(key string, of func(bench.Report) float64) float64 {
		var vs []float64
		for _, r := range got[key] {
			vs = append(vs, of(r))
		}
		slices.Sort(vs)
		return vs[len(vs)/2]
	}
	var table strings.Builder
	for _, w := range works {
		for _, m := range modes {
			key := w.name + "|" + m.name
			fmt.Fprintf(&table, "| %s | %s | %.0f | %.0f | %.1f | %.1f | %.3f |\n", w.name, m.name,
				median(key, func(r bench.Report) float64 { return r.PerSecond }), median(key, func(r bench.Report) float64 { return r.DeliveriesPerSecond }),
				median(key, func(r bench.Report) float64 { return r.Ack.P50 }), median(key, func(r bench.Report) float64 { return r.Ack.P99 }),
				median(key, func(r bench.Report) float64 { return r.CPUPer1000 }))
		}
	}
	t.Logf("medians of %d\n| work | mode | messages/s | deliveries/s | acknowledged p50 ms | p99 ms | CPU s per 1,000, servers and generator |\n|---|---|---|---|---|---|---|\n%s",
		len(got[works[0].name+"|"+modes[0].name]), table.String())
}
