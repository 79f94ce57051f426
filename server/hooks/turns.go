package hooks

import (
	"slices"

	"kamachat/shared/chat"
)

// turns says which webhook is told next: who waited longest since the last try,
// unless others of its maker, or at its host, are under way as often as may be.
type turns struct {
	most   int            // under way at a time
	due    []chat.OutHook // those that wait, in the order of their last try
	more   bool           // there may be others that wait
	under  map[string]chat.OutHook
	makers map[chat.UserID]int // under way
	hosts  map[string]int
}

func newTurns(most int) *turns {
	return &turns{most: most, under: map[string]chat.OutHook{}, makers: map[chat.UserID]int{}, hosts: map[string]int{}}
}

// next returns whose turn it is, who is under way from then on. ok is false where
// none may begin.
func (t *turns) next() (h chat.OutHook, ok bool) {
	if len(t.under) >= t.most {
		return h, false
	}
	i := slices.IndexFunc(t.due, t.may)
	if i < 0 {
		return h, false
	}
	h = t.due[i]
	t.due = slices.Delete(t.due, i, i+1)
	t.under[h.ID] = h
	t.makers[h.By]++
	t.hosts[h.Host]++
	return h, true
}

func (t *turns) may(h chat.OutHook) bool {
	_, under := t.under[h.ID]
	return !under && t.makers[h.By] < perMaker && t.hosts[h.Host] < perHost
}

// ended makes room for others.
func (t *turns) ended(h chat.OutHook) {
	delete(t.under, h.ID)
	if t.makers[h.By]--; t.makers[h.By] == 0 {
		delete(t.makers, h.By)
	}
	if t.hosts[h.Host]--; t.hosts[h.Host] == 0 {
		delete(t.hosts, h.Host)
	}
}

// full returns the makers and the hosts of which no other may begin, sorted.
func (t *turns) full() (makers []chat.UserID, hosts []string) {
	for u, n := range t.makers {
		if n >= perMaker {
			makers = append(makers, u)
		}
	}
	for h, n := range t.hosts {
		if n >= perHost {
			hosts = append(hosts, h)
		}
	}
	slices.Sort(makers)
	slices.Sort(hosts)
	return makers, hosts
}
