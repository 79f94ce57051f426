package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kamachat/shared/chat"
	"kamachat/ui/state"
)

// A crowd is people who write to each other all the time, each with the
// browser's own state and link. It counts what each wrote where.
type crowd struct {
	t      *testing.T
	people []*someone
	convs  []chat.ConvID // direct ones of neighbours, and one group of all

	stop chan struct{}
	wg   sync.WaitGroup

	mu    sync.Mutex
	ticks int
	sent  map[chat.ConvID]map[chat.UserID]int
}

// gather registers n people, an even number, and makes their conversations.
func gather(t *testing.T, url string, n int) *crowd {
	t.Helper()
	c := &crowd{t: t, sent: map[chat.ConvID]map[chat.UserID]int{}}
	var ids []chat.UserID
	for i := range n {
		p := join(t, url, fmt.Sprintf("crowd%02d", i))
		c.people = append(c.people, p)
		ids = append(ids, p.ID)
	}
	for i := 0; i < n; i += 2 {
		c.convs = append(c.convs, chat.Direct(ids[i], ids[i+1]))
	}
	var made struct{ Group struct{ ID chat.ConvID } }
	call(t, "POST", url+"/api/v1/groups", c.people[0].token, map[string]any{"name": "crowd", "members": ids[1:]}, &made)
	c.convs = append(c.convs, made.Group.ID)
	for _, id := range c.convs {
		c.sent[id] = map[chat.UserID]int{}
	}
	return c
}

// convOf is where person i writes next: to the neighbour, or now and then to all.
func (c *crowd) convOf(i int, r *rand.Rand) chat.ConvID {
	if r.IntN(8) == 0 {
		return c.convs[len(c.convs)-1]
	}
	return c.convs[i/2]
}

// write has the people write perSecond texts together until quiet.
func (c *crowd) write(perSecond int, seed uint64) {
	c.stop = make(chan struct{})
	every := time.Second * time.Duration(len(c.people)) / time.Duration(perSecond)
	for i, p := range c.people {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		c.wg.Go(func() {
			t := time.NewTicker(every)
			defer t.Stop()
			for {
				select {
				case <-c.stop:
					return
				case <-t.C:
					c.say(p, c.convOf(i, r))
				}
			}
		})
	}
}

func (c *crowd) say(p *someone, conv chat.ConvID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ticks++
	n := c.sent[conv][p.ID]
	if p.Post(conv, chat.TextContent(fmt.Sprintf("%s %d", p.Username, n))) != "" { // "": the outbox is full
		c.sent[conv][p.ID]++
	}
}

// quiet stops the writing. What is in the outboxes stays there.
func (c *crowd) quiet() {
	close(c.stop)
	c.wg.Wait()
}

// wake has everybody try to connect now.
func (c *crowd) wake() {
	for _, p := range c.people {
		p.Wake()
	}
}

// acknowledged is how many texts are stored for all that their authors know.
func (c *crowd) acknowledged() (n int) {
	c.mu.Lock()
	for _, in := range c.sent {
		for _, sent := range in {
			n += sent
		}
	}
	c.mu.Unlock()
	return n - c.queued()
}

// asked is how many texts were to be written, also those there was no place for.
func (c *crowd) asked() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ticks
}

// queued is how many texts are not acknowledged.
func (c *crowd) queued() (n int) {
	for _, p := range c.people {
		p.Do(func(st *state.State) { n += st.Status().Queued })
	}
	return n
}

// failed is how many texts were refused for good.
func (c *crowd) failed() (n int) {
	for _, p := range c.people {
		p.Do(func(st *state.State) {
			for _, u := range st.Unsent() {
				if u.Why != "" {
					n++
				}
			}
		})
	}
	return n
}

// settle waits until every text is acknowledged and checks that each is stored
// once, each author's in order, without a gap, and that everybody sees the end
// of each conversation as it is stored. It returns how many there are.
func (c *crowd) settle(url string) (total int) {
	c.t.Helper()
	eventually(c.t, func() string { return fmt.Sprintf("%d texts still wait", c.queued()) }, func() bool {
		c.wake()
		return c.queued() == 0
	})
	for i, conv := range c.convs {
		reader := c.people[min(2*i, len(c.people)-1)]
		if i == len(c.convs)-1 {
			reader = c.people[0]
		}
		stored := reader.stored(c.t, url, conv)
		next := map[string]int{}
		for _, s := range stored {
			name, n, _ := strings.Cut(s, " ")
			if n != fmt.Sprint(next[name]) {
				c.t.Fatalf("%s: %q where %d was due", conv, s, next[name])
			}
			next[name]++
		}
		for _, p := range c.people {
			if want := c.sent[conv][p.ID]; next[p.Username] != want {
				c.t.Fatalf("%s: %d texts of %s are stored, %d were written", conv, next[p.Username], p.Username, want)
			}
		}
		total += len(stored)
		c.sameEnd(conv, stored)
	}
	return total
}

// sameEnd waits until those in conv see its last texts.
func (c *crowd) sameEnd(conv chat.ConvID, stored []string) {
	c.t.Helper()
	want := stored[max(0, len(stored)-20):]
	for _, p := range c.people {
		if _, in := conv.Peer(p.ID); !in && !conv.IsGroup() {
			continue
		}
		var got []string
		p.Open(conv)
		eventually(c.t, func() string { return fmt.Sprintf("%s sees %v at the end of %s, want %v", p.Username, got, conv, want) }, func() bool {
			got, _ = texts(p.Client, conv)
			got = got[max(0, len(got)-len(want)):]
			return slices.Equal(got, want)
		})
	}
}
