package sim

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"kamachat/shared/wire"
)

// A trace is what happened. Its sum does not depend on the order of what
// happened in one instant, which no seed decides.
type trace struct {
	start time.Time
	deep  bool      // also what every device is told and says
	out   io.Writer // prints what happens; nil: no

	mu     sync.Mutex
	sum    uint64
	lines  []string       // only with deep
	faults map[string]int // how often each happened
}

// fault counts a fault that has happened.
func (t *trace) fault(what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.faults == nil {
		t.faults = map[string]int{}
	}
	t.faults[what]++
}

func (t *trace) note(what, form string, args ...any) {
	at := time.Since(t.start)
	line := fmt.Sprintf("%12.6f  %-6s  %s", at.Seconds(), what, fmt.Sprintf(form, args...))
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sum += mixText(mix(uint64(at)), line)
	if t.deep {
		t.lines = append(t.lines, line)
	}
	if t.out != nil {
		fmt.Fprintln(t.out, line)
	}
}

// Write prints what the server logs.
func (t *trace) Write(p []byte) (int, error) {
	_, words, _ := strings.Cut(strings.TrimSpace(string(p)), " ")
	fmt.Fprintf(t.out, "%12.6f  log     %s\n", time.Since(t.start).Seconds(), words)
	return len(p), nil
}

// frames notes one WebSocket message.
func (t *trace) frames(how string, d *device, p []byte) {
	if !t.deep || len(p) == 0 {
		return
	}
	fs, _ := wire.V1.Parse(p)
	for _, f := range fs {
		b := fmt.Sprintf("%+v", f.Body)
		switch v := f.Body.(type) {
		case wire.Posted:
			b = fmt.Sprintf("%s/%d", v.Conv, v.Seq)
		case wire.Welcome:
			b = fmt.Sprintf("%d conversations", len(v.Convs))
		case wire.History:
			b = fmt.Sprintf("%s %d entries of %d", v.Conv, len(v.Entries), v.LastSeq)
		case wire.People:
			b = fmt.Sprintf("%d people", len(v.People))
		case wire.Listed:
			b = fmt.Sprintf("%d conversations, %d parts", len(v.Convs), len(v.Differ))
		case wire.Line:
			by, _ := json.Marshal(v)
			b = string(by)
		case wire.Opened:
			b = fmt.Sprintf("%s %d", v.Summary.Conv, v.Summary.LastSeq)
		}
		t.note(how, "%s: %T %s", d.name(), f.Body, b)
	}
}

// sorted are the lines, those of one instant in the order of their words.
func (t *trace) sorted() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Sorted(slices.Values(t.lines))
}
