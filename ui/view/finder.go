package view

import (
	"context"
	"strings"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"kamachat/shared/chat"
	"kamachat/ui/state"
)

// A finder looks people up while a person types. Only the last question's
// answer counts.
type finder struct {
	desk *Desk
	pick func(app.Context, chat.Person) // what Enter does with the first found

	query  string
	found  []chat.Person
	busy   bool
	failed bool
	enter  bool // Enter came before anybody was found
	n      int
	cancel context.CancelFunc
}

// patience is how long a finder waits for the next key.
const patience = 180 * time.Millisecond

// ask looks q up soon, for the component of ctx.
func (f *finder) ask(ctx app.Context, q string) {
	f.stop()
	f.query, f.busy, f.failed, f.enter = strings.TrimSpace(q), true, false, false
	f.found = f.known()
	f.n++
	if f.query == "" {
		f.busy = false
		return
	}
	n := f.n
	c, cancel := context.WithCancel(context.Background())
	f.cancel = cancel
	query := f.query
	ctx.Async(func() {
		select {
		case <-c.Done():
			return
		case <-time.After(patience):
		}
		found, err := f.desk.Intents.Search(c, query)
		ctx.Dispatch(func(ctx app.Context) {
			if n != f.n {
				return
			}
			f.busy, f.failed = false, err != nil
			if err == nil {
				f.found = f.others(found)
			}
			if f.enter {
				f.take(ctx)
			}
		})
	})
}

// take picks the first found, or as soon as somebody is.
func (f *finder) take(ctx app.Context) {
	f.enter = f.busy && len(f.found) == 0
	if len(f.found) > 0 {
		f.pick(ctx, f.found[0])
	}
}

// known are the people one talks to whom the query may mean, latest first.
func (f *finder) known() (ps []chat.Person) {
	f.desk.Do(func(s *state.State) {
		for _, c := range s.Convs() {
			p, ok := s.Person(c.Peer)
			if ok && len(ps) < 20 && (contains(p.Name(), f.query) || contains(p.Username, f.query)) {
				ps = append(ps, p)
			}
		}
	})
	return ps
}

// others returns ps without oneself, and introduces them to the state.
func (f *finder) others(ps []chat.Person) (out []chat.Person) {
	f.desk.Do(func(s *state.State) {
		s.Meet(ps...)
		for _, p := range ps {
			if p.ID != s.Me().ID {
				out = append(out, p)
			}
		}
	})
	return out
}

// stop forgets the question under way.
func (f *finder) stop() {
	if f.cancel != nil {
		f.cancel()
	}
	f.n++
}

// hint says why nothing is shown, or "".
func (f *finder) hint() string {
	switch d := f.desk; {
	case f.failed:
		return d.say("find.failed")
	case len(f.found) > 0 || f.busy:
		return ""
	case f.query == "":
		return d.say("find.start")
	}
	return f.desk.say("find.nobody", f.query)
}
