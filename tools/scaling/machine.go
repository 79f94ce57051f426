package main

import "container/heap"

// Times are in microseconds.

// A machine has cores that take what is ready to run, first come, first served,
// and a clock that jumps from event to event.
type machine struct {
	now   float64
	busy  float64 // CPU time used
	idle  int     // cores that sleep
	ready []task
	later events
	n     int // events so far; those at one time happen in order
}

// A task begins on a core: it returns what it costs there and what happens when it is done.
type task func() (cost float64, done func())

func newMachine(cores int) *machine { return &machine{idle: cores} }

// run has a core do t when one is free.
func (m *machine) run(t task) {
	if m.idle == 0 {
		m.ready = append(m.ready, t)
		return
	}
	m.idle--
	m.busy += rouse
	m.after(wakeUp, func() { m.begin(t) })
}

func (m *machine) begin(t task) {
	cost, done := t()
	m.busy += cost
	m.after(cost/ours, func() {
		if done != nil {
			done()
		}
		if len(m.ready) == 0 {
			m.idle++
			return
		}
		next := m.ready[0]
		m.ready = m.ready[1:]
		m.begin(next)
	})
}

// after calls f in d, with no core's help.
func (m *machine) after(d float64, f func()) {
	m.n++
	heap.Push(&m.later, event{m.now + d, m.n, f})
}

// until lets the clock run.
func (m *machine) until(end float64) {
	for len(m.later) > 0 && m.later[0].at <= end {
		e := heap.Pop(&m.later).(event)
		m.now = e.at
		e.f()
	}
	m.now = end
}

type event struct {
	at float64
	n  int
	f  func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].n < e[j].n
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	*e = (*e)[:last]
	return x
}
