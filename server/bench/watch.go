package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// clockTicks is what /proc counts CPU time in, parts of a second; the same on every Linux.
const clockTicks = 100

// A usage is what a process uses at a moment.
type usage struct {
	cpu float64 // seconds since its start
	gauges
}

// gauges go up and down. What can't be told is 0.
type gauges struct {
	RSS        int64 `json:"rss_kb"`
	Heap       int64 `json:"heap_kb,omitempty"`    // in use, as the server's metrics tell
	Goroutines int64 `json:"goroutines,omitempty"` // the same
	Files      int64 `json:"files"`                // open descriptors
}

// usageOf reads what /proc tells of a process.
func usageOf(pid int) (u usage, err error) {
	proc := "/proc/" + strconv.Itoa(pid)
	stat, err := os.ReadFile(proc + "/stat")
	if err != nil {
		return u, fmt.Errorf("watch the server: %w", err)
	}
	_, rest, _ := bytes.Cut(stat, []byte(") ")) // the name before may hold spaces
	fields := strings.Fields(string(rest))
	if len(fields) < 22 {
		return u, fmt.Errorf("watch the server: %s/stat is not as expected", proc)
	}
	number := func(i int) int64 {
		n, _ := strconv.ParseInt(fields[i], 10, 64) // the kernel writes numbers
		return n
	}
	const utime, stime, rss = 11, 12, 21 // fields after the name, see proc(5)
	u.cpu = float64(number(utime)+number(stime)) / clockTicks
	u.RSS = number(rss) * int64(os.Getpagesize()) / 1024
	files, err := os.ReadDir(proc + "/fd")
	if err != nil {
		return u, fmt.Errorf("watch the server: %w", err)
	}
	u.Files = int64(len(files))
	return u, nil
}

// A watch follows the CPU time of the generator and, by Config.Servers, what
// the server uses, while a run measures.
type watch struct {
	Config
	cpu    float64 // of the generator at the start
	before usage
	first  usage
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu        sync.Mutex
	last, max gauges
}

// usageOfAll reads what /proc tells of the first process, with the CPU time of all.
func usageOfAll(pids []int) (all usage, err error) {
	for i, pid := range pids {
		u, err := usageOf(pid)
		if err != nil {
			return all, err
		}
		if i == 0 {
			all = u
		} else {
			all.cpu += u.cpu
		}
	}
	return all, nil
}

// watchServer starts to watch; stop ends it. before is what it used when nobody was connected.
func watchServer(ctx context.Context, c Config, before usage) (*watch, error) {
	w := &watch{Config: c, before: before}
	ctx, w.cancel = context.WithCancel(ctx)
	if len(c.Servers) > 0 {
		u, err := usageOfAll(c.Servers)
		if err != nil {
			w.cancel()
			return nil, err
		}
		w.first = u
		w.metrics(ctx, &w.first.gauges)
		w.note(w.first.gauges)
		w.done.Go(func() {
			for sleep(ctx, c.Sample) {
				if u, err := usageOfAll(c.Servers); err == nil { // or it has just ended, which shows elsewhere
					w.metrics(ctx, &u.gauges)
					w.note(u.gauges)
				}
			}
		})
		w.first.cpu = u.cpu
	}
	w.cpu = cpuSeconds()
	return w, nil
}

func (w *watch) note(g gauges) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = g
	w.max = gauges{max(w.max.RSS, g.RSS), max(w.max.Heap, g.Heap), max(w.max.Goroutines, g.Goroutines), max(w.max.Files, g.Files)}
}

// metrics adds what the server's metrics tell, where it has any.
func (w *watch) metrics(ctx context.Context, g *gauges) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.Metrics, nil)
	if err != nil {
		return
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return
	}
	defer resp.Body.Close()
	for s := bufio.NewScanner(resp.Body); s.Scan(); {
		name, value, _ := strings.Cut(s.Text(), " ")
		v, err := strconv.ParseFloat(value, 64)
		switch {
		case err != nil:
		case name == "go_goroutines":
			g.Goroutines = int64(v)
		case name == "go_memstats_heap_inuse_bytes":
			g.Heap = int64(v) / 1024
		}
	}
}

// stop ends the watch and writes what happened since its start.
func (w *watch) stop(rep *Report, c counts) {
	rep.GeneratorCPU = cpuSeconds() - w.cpu
	all := rep.GeneratorCPU
	if len(w.Servers) > 0 {
		if u, err := usageOfAll(w.Servers); err == nil {
			w.metrics(context.Background(), &u.gauges)
			w.note(u.gauges)
			rep.Server = &ServerReport{CPU: u.cpu - w.first.cpu, Before: w.before.gauges, First: w.first.gauges}
			all += rep.Server.CPU
		}
	}
	w.end()
	if rep.Server != nil {
		rep.Server.Last, rep.Server.Max = w.last, w.max
		rep.Server.PerConnection = float64(w.last.RSS-w.before.RSS) / float64(max(rep.Connections, 1))
	}
	per := func(cpu float64, n int64) float64 { return cpu / float64(max(n, 1)) * 1000 }
	rep.PerSecond, rep.DeliveriesPerSecond = float64(c.acked)/rep.Seconds, float64(c.delivered)/rep.Seconds
	rep.PagesPerSecond = float64(c.pages) / rep.Seconds
	if c.acked > 0 {
		rep.CPUPer1000, rep.CPUPer1000Copies = per(all, c.acked), per(all, c.delivered)
	}
}

// end ends the watch without a word.
func (w *watch) end() {
	w.cancel()
	w.done.Wait()
}
