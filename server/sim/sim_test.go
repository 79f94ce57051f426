package sim

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"kamachat/server/room/roomtest"
	"kamachat/ui/state"
)

var (
	seeds = flag.Int("seeds", 0, "how many seeds TestSimulation tries; 0: 1,000, or as many as take that long with the race detector")
	seed  = flag.Uint64("seed", 0, "replay this seed alone, and print what happens")
	most  = flag.Int("most", 5, "after how many seeds that fail to stop")
	first = flag.Uint64("first", 1, "the first seed of many")
)

// detector is how much slower everything is with the race detector.
var detector = 1

func TestMain(m *testing.M) {
	flag.Parse()
	// One thing at a time: what happens in one instant then mostly happens in
	// the same order, too.
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(800) // worlds are small and many
	goleak.VerifyTestMain(m)
}

// patience is how long everything may take to be well again, after the last
// fault: a silent connection is found out, the longest back-off is waited for.
const patience = 200 * time.Second

func inMemory(now func() time.Time, id func() int64) roomtest.Base {
	return roomtest.NewMemory(now, id)
}

// simulate plays one seed and returns what is not as promised.
func simulate(t *testing.T, p *plan, tr *trace, open func(now func() time.Time, id func() int64) roomtest.Base) (out []string) {
	cryptotest.SetGlobalRandom(t, p.seed)
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, p, tr, open)
		w.boot()
		ctx, stop := context.WithCancel(t.Context())
		var acting, seeds sync.WaitGroup
		for _, d := range w.devices {
			if d.classic {
				seeds.Go(func() { d.runSeeds(ctx) })
				continue
			}
			d.open(nil)
			acting.Go(d.run)
		}
		w.run()
		acting.Wait()
		w.note("all", "is well from now on")
		if out = w.settle(false); len(out) == 0 {
			out = w.settle(true)
		}
		stop()
		seeds.Wait()
		for _, d := range w.devices {
			if d.cl != nil {
				d.ended()
			}
		}
		time.Sleep(5 * time.Second)
		w.over.Store(true)
		s := w.server()
		if s == nil {
			out = append(out, "there is no server")
			return
		}
		w.drain(s)
		w.wg.Wait()
		out = append(out, s.left()...)
		if db, ok := w.base.(io.Closer); ok {
			if err := db.Close(); err != nil {
				out = append(out, err.Error())
			}
		}
	})
	return out
}

// settle waits until every promise holds, and returns what is not well when it
// has waited long enough.
func (w *world) settle(whole bool) (out []string) {
	pause := 300 * time.Millisecond
	for from := w.since(); w.since() < from+patience; pause = min(pause*5/4, 5*time.Second) {
		time.Sleep(pause)
		if whole {
			w.askOlder()
		}
		if out = w.broken(whole); len(out) == 0 {
			return nil
		}
	}
	return out
}

// askOlder has every device load whole logs.
func (w *world) askOlder() {
	for _, d := range w.devices {
		if d.cl == nil {
			continue
		}
		for _, c := range w.plan.convs {
			ask := false
			d.cl.Do(func(st *state.State) {
				v, ok := st.Conv(c)
				ask = ok && v.LastSeq > 0 && !v.AtStart
			})
			if ask {
				d.cl.Older(c)
			}
		}
	}
}

// atLeast is how often each fault has to happen in 1,000 seeds, about a third of
// what it was when this was written.
var atLeast = map[string]int{
	"cut": 300, "cut in between": 250, "closed by a seed's client": 60, "offline": 80, "silent": 5000, "slow": 1300, "reload": 600,
	"kill": 170, "kill before commit": 80, "kill after commit": 60, "drain": 80, "close sessions": 250, "clock jumps": 300,
	"append fails": 550, "append is slow": 900, "append is not answered": 450, "reads fail": 400, "reads are slow": 3000, "marks fail": 400, "people fail": 200,
	"carrier full": 100, "queue full": 50, "too much before the welcome": 4, "too fast": 3500,
	"event lost": 1300, "event doubled": 1300, "event late": 2500,
}

func TestSimulation(t *testing.T) {
	if *seed != 0 {
		tr := &trace{deep: true, out: os.Stdout}
		for _, b := range simulate(t, newPlan(*seed), tr, inMemory) {
			t.Error(b)
		}
		return
	}
	failed, n, faults := 0, uint64(*seeds), map[string]int{}
	if n == 0 {
		n = uint64(1000 / detector)
	}
	if testing.Short() {
		n /= 10
	}
	for i := *first; i < *first+n && failed < *most; i++ {
		ok := t.Run(fmt.Sprint(i), func(t *testing.T) {
			tr := &trace{}
			if out := simulate(t, newPlan(i), tr, inMemory); len(out) > 0 {
				t.Errorf("seed %d (make sim SEED=%d):\n%s", i, i, strings.Join(out[:min(len(out), 8)], "\n"))
			}
			for what, times := range tr.faults {
				faults[what] += times
			}
		})
		if !ok {
			failed++
		}
	}
	t.Logf("faults: %v", faults)
	if failed > 0 || n < 500 {
		return // few seeds may happen to have none
	}
	for what, often := range atLeast {
		if want := often * int(n) / 1000; faults[what] < want {
			t.Errorf("%d times %q in %d seeds, want at least %d: what is not tried is not shown", faults[what], what, n, want)
		}
	}
}

// Some seeds run on the real database, each on a copy of an empty one.
func TestSimulationOnSQLite(t *testing.T) {
	dir := t.TempDir()
	if err := openSQLite(t, dir+"/empty.db", time.Now, newIDs(time.Now).Next).Close(); err != nil {
		t.Fatal(err)
	}
	empty, err := os.ReadFile(dir + "/empty.db")
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint64(max(24/detector, 4)) {
		seed := 1_000_001 + i
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			path := fmt.Sprintf("%s/%d.db", dir, seed)
			if err := os.WriteFile(path, empty, 0o600); err != nil {
				t.Fatal(err)
			}
			out := simulate(t, newPlan(seed), &trace{}, func(now func() time.Time, id func() int64) roomtest.Base {
				return openSQLite(t, path, now, id)
			})
			if len(out) > 0 {
				t.Errorf("seed %d:\n%s", seed, strings.Join(out[:min(len(out), 8)], "\n"))
			}
		})
	}
}
