package move

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// A Progress tells a person how far a move is: on a terminal by a bar, elsewhere
// by a line now and then. The zero Progress tells nobody. It is safe for concurrent use.
type Progress struct {
	mu       sync.Mutex
	out      io.Writer // nil: nobody is told
	terminal bool
	bar      *progressbar.ProgressBar
	stage    string
	n, total int64
	start    time.Time
	told     time.Time
	status   bool // the terminal's line holds a status
}

// tellEvery is the time between two lines of a stage where there is no terminal.
const tellEvery = 10 * time.Second

// NewProgress returns one that writes to out.
func NewProgress(out io.Writer, terminal bool) *Progress {
	return &Progress{out: out, terminal: terminal}
}

// Stage begins something that reads about total rows.
func (p *Progress) Stage(what string, total int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out == nil {
		return
	}
	p.clearLocked()
	p.stage, p.n, p.total, p.start, p.told = what, 0, total, time.Now(), time.Now()
	if p.terminal {
		p.bar = progressbar.NewOptions64(max(1, total), progressbar.OptionSetWriter(p.out), progressbar.OptionSetDescription(what),
			progressbar.OptionShowCount(), progressbar.OptionShowIts(),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionFullWidth())
	}
}

// Add tells of n more rows.
func (p *Progress) Add(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out == nil || p.stage == "" {
		return
	}
	p.n += n
	if p.bar != nil {
		_ = p.bar.Set64(min(p.n, max(1, p.total))) // rows may come meanwhile
		return
	}
	if time.Since(p.told) >= tellEvery {
		p.told = time.Now()
		fmt.Fprintf(p.out, "%s: %d of %d, %.0f a second.\n", p.stage, p.n, max(p.n, p.total), float64(p.n)/time.Since(p.start).Seconds())
	}
}

// Done ends the stage.
func (p *Progress) Done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		_ = p.bar.Finish()
	}
	p.bar, p.stage = nil, ""
}

// Say tells a sentence.
func (p *Progress) Say(words string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out == nil {
		return
	}
	p.clearLocked()
	fmt.Fprintln(p.out, words)
}

// Status tells a sentence that the next one replaces; without a terminal, now and then.
func (p *Progress) Status(words string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.out == nil {
		return
	}
	if p.terminal {
		p.clearLocked()
		fmt.Fprint(p.out, words)
		p.status = true
	} else if time.Since(p.told) >= tellEvery {
		p.told = time.Now()
		fmt.Fprintln(p.out, words)
	}
}

// clearLocked makes the terminal's line empty.
func (p *Progress) clearLocked() {
	if p.status {
		fmt.Fprint(p.out, "\r\x1b[K")
		p.status = false
	}
}
