package sim

import (
	"context"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"kamachat/shared/chat"
	"kamachat/ui/state"
)

// A truth is what the database holds, in the end the only thing that counts.
type truth struct {
	log   []chat.Message
	marks map[chat.UserID]chat.Marks
	lines map[chat.UserID]chat.Line
}

// truths reads the database, past all faults.
func (w *world) truths() map[chat.ConvID]truth {
	ctx := context.Background()
	out := map[chat.ConvID]truth{}
	for _, c := range w.plan.convs {
		p, err := w.base.After(ctx, c, 0, math.MaxInt32)
		ms, merr := w.base.Members(ctx, c)
		if err != nil || merr != nil {
			panic(fmt.Sprint(err, merr))
		}
		tr := truth{log: p.Entries, marks: map[chat.UserID]chat.Marks{}, lines: map[chat.UserID]chat.Line{}}
		for _, m := range ms {
			tr.marks[m.User] = m
			if tr.lines[m.User], err = w.base.Line(ctx, m.User, c); err != nil {
				panic(err)
			}
		}
		out[c] = tr
	}
	return out
}

// broken are promises that do not hold though all is well again; none of them
// may be left after some time. Where whole is set every device holds whole logs.
func (w *world) broken(whole bool) (out []string) {
	bad := func(form string, args ...any) { out = append(out, fmt.Sprintf(form, args...)) }
	w.mu.Lock()
	out = append(out, w.wrung...)
	w.mu.Unlock()
	for _, d := range w.devices {
		if d.cl == nil {
			continue
		}
		d.cl.Do(func(st *state.State) {
			if s := st.Status(); s.Phase != state.Live || len(st.Unsent()) > 0 {
				bad("%s is %v with %d posts in its outbox", d.name(), s.Phase, len(st.Unsent()))
			}
		})
	}
	if len(out) > 0 {
		return out
	}
	ts := w.truths()
	w.checkStore(ts, bad)
	for _, d := range w.devices {
		if d.cl == nil {
			w.checkSeeds(d, ts, bad)
			continue
		}
		d.cl.Do(func(st *state.State) {
			for _, c := range w.plan.convs {
				if _, in := ts[c].marks[d.user]; in && len(ts[c].log) > 0 {
					w.checkView(d, st, c, ts[c], whole, bad)
				}
			}
			for _, v := range st.Convs() {
				if tr := ts[v.ID]; v.Last != nil && len(tr.log) == 0 {
					bad("%s shows %s, in which nothing is stored", d.name(), v.ID)
				}
			}
		})
	}
	return out
}

// checkStore: what was written is there once, in order, in logs without gaps.
func (w *world) checkStore(ts map[chat.ConvID]truth, bad func(string, ...any)) {
	refs := map[string]bool{}
	for _, c := range slices.Sorted(maps.Keys(ts)) {
		tr, wrote, at := ts[c], map[string]int{}, int64(0)
		last := map[int]int{} // of each device
		for i, m := range tr.log {
			if m.Seq != int64(i)+1 {
				bad("entry %d of %s has Seq %d", i+1, c, m.Seq)
			}
			if key := string(m.Author) + " " + m.Ref; refs[key] {
				bad("%s/%d: %s is stored twice", c, m.Seq, key)
			} else {
				refs[key] = true
			}
			if m.At < at {
				bad("%s/%d is older than the entry before it", c, m.Seq)
			}
			at = m.At
			wrote[m.Content.Text]++
			var dev, n int
			var in string
			if k, _ := fmt.Sscanf(m.Content.Text, "%d %s %d", &dev, &in, &n); k == 3 {
				if n != last[dev]+1 || in != string(c) || w.devices[dev].user != m.Author {
					bad("%s/%d is %q, after number %d of that device", c, m.Seq, m.Content.Text, last[dev])
				}
				last[dev] = n
			}
		}
		for text, n := range wrote {
			if n > 1 && text != "" {
				bad("%s: %q is stored %d times", c, text, n)
			}
		}
		for _, d := range w.devices {
			if d.cl != nil && d.posted[c] != last[d.n] {
				bad("%s wrote %d into %s, %d are stored", d.name(), d.posted[c], c, last[d.n])
			}
		}
		for _, m := range tr.marks {
			if end := int64(len(tr.log)); m.Read > end || m.Delivered > end || m.Read > m.Delivered {
				bad("%s: marks %+v where the log ends at %d", c, m, end)
			}
		}
	}
}

// checkView: a device shows what is stored, and counts and ticks it right.
func (w *world) checkView(d *device, st *state.State, c chat.ConvID, tr truth, whole bool, bad func(string, ...any)) {
	who := d.name() + " in " + string(c)
	last := tr.log[len(tr.log)-1]
	v, ok := st.Conv(c)
	if !ok {
		bad("%s: not in the list", who)
		return
	}
	line := tr.lines[d.user]
	if v.Line != line {
		bad("%s: the line is %+v, stored is %+v", who, v.Line, line)
	}
	if hidden := line.Hides(last.Seq); v.LastSeq != last.Seq || (v.Last == nil) != hidden || !hidden && !same(*v.Last, last) {
		bad("%s: ends at %d with %+v, stored is %d %+v", who, v.LastSeq, v.Last, last.Seq, last)
	}
	rows := st.Rows(c, time.UTC)
	if n := len(tr.log) - int(line.Cleared); whole && len(rows) != n || len(rows) > n {
		bad("%s: %d rows where %d are stored", who, len(rows), n)
	}
	mine, others := tr.marks[d.user], chat.Marks{Delivered: math.MaxInt64, Read: math.MaxInt64}
	for u, m := range tr.marks {
		if u != d.user {
			others.Delivered, others.Read = min(others.Delivered, m.Delivered), min(others.Read, m.Read)
		}
	}
	from := len(tr.log) - len(rows)
	for i, r := range rows {
		if from < 0 || !same(r.Message, tr.log[from+i]) {
			bad("%s: row %d is %+v, stored are %d", who, i, r.Message, len(tr.log))
			break
		}
		// The list of a person who was away does not tell how far a group has got
		// meanwhile; then ticks of old entries lag behind, and never run ahead.
		want := chat.TickOf(r.Message.Seq, others)
		// What the server tells is the lowest of all. An author's own mark is behind an
		// own entry when it was lost with a server that was killed.
		lost := mine.Read < r.Message.Seq && r.Tick == min(want, chat.TickOf(r.Message.Seq, mine))
		if r.Mine && r.Tick != want && !lost && !(c.IsGroup() && r.Tick < want) {
			bad("%s: %d has tick %d, want %d: the others are at %+v", who, r.Message.Seq, r.Tick, want, others)
			break
		}
	}
	unread := 0
	for _, m := range tr.log[max(mine.Read, line.Cleared):] {
		if m.Author != d.user {
			unread++
		}
	}
	if got, _ := st.Marks(c); v.Unread != unread || got.Read != mine.Read {
		bad("%s: %d unread after %d, stored is a read mark of %d and so %d unread", who, v.Unread, got.Read, mine.Read, unread)
	}
	if mine.Delivered != last.Seq {
		bad("%s: delivered up to %d of %d", who, mine.Delivered, last.Seq)
	}
	if len(v.Typing) > 0 {
		bad("%s: %v are still typing", who, v.Typing)
	}
	if v.Peer != "" && !v.Online && !w.plan.lossy {
		bad("%s: %s is online, and not shown so", who, v.Peer)
	}
}

func same(a, b chat.Message) bool {
	return a.ID == b.ID && a.Seq == b.Seq && a.Author == b.Author && a.At == b.At && reflect.DeepEqual(a.Content, b.Content)
}

// checkSeeds: a program of the seed was sent everything, in order and, over one
// connection, once, whatever the fan-out has lost, doubled and reordered.
func (w *world) checkSeeds(d *device, ts map[chat.ConvID]truth, bad func(string, ...any)) {
	at := map[chat.ConvID]map[string]int64{}
	for c, tr := range ts {
		at[c] = map[string]int64{}
		for _, m := range tr.log {
			at[c][m.Content.Text] = m.Seq
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	got := map[chat.ConvID]map[int64]bool{}
	life, last := 0, map[chat.ConvID]int64{}
	for _, h := range d.seen {
		seq := at[h.conv][h.text]
		if h.life != life {
			life, last = h.life, map[chat.ConvID]int64{}
		}
		if seq == 0 {
			bad("%s was sent %q in %s, which is not stored", d.name(), h.text, h.conv)
		}
		if seq <= last[h.conv] {
			bad("%s was sent %s/%d after %d", d.name(), h.conv, seq, last[h.conv])
		}
		last[h.conv] = max(last[h.conv], seq)
		if got[h.conv] == nil {
			got[h.conv] = map[int64]bool{}
		}
		got[h.conv][seq] = true
	}
	for c, tr := range ts {
		if _, in := tr.marks[d.user]; !in {
			continue
		}
		var missing []string
		for _, m := range tr.log {
			if m.Content.Kind == chat.Text && !got[c][m.Seq] {
				missing = append(missing, fmt.Sprint(m.Seq))
			}
		}
		if len(missing) > 0 {
			bad("%s was not sent %s of %s", d.name(), strings.Join(missing, " "), c)
		}
	}
}

// left is what a hub still remembers of what is over.
func (s *server) left() (out []string) {
	hub := reflect.ValueOf(s.hub).Elem()
	for _, f := range []string{"waiters", "unsure", "dirty", "leaving", "live"} {
		if n := hub.FieldByName(f).Len(); n > 0 {
			out = append(out, fmt.Sprintf("the hub still has %d %s", n, f))
		}
	}
	if n := hub.FieldByName("hearing").FieldByName("groups").Len(); n > 0 {
		out = append(out, fmt.Sprintf("the hub still follows %d groups", n))
	}
	return out
}
