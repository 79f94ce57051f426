package link

import (
	"kamachat/shared/chat"
	"kamachat/shared/wire"
	"kamachat/ui/state"
)

// All times in milliseconds.
const (
	welcomeIn  = 15_000 // from an open connection to welcome
	answerIn   = 20_000 // from a question or post to the next frame of any kind
	signIn     = 5_000  // the same after a Wake, when the person is looking
	seenEvery  = 200    // between two batches of marks
	typedEvery = 3_000  // between two typing frames
	late       = 5_000  // a Tick later than this means that the browser slept
	maxCome    = 600_000
	spread     = 500    // added at random to the server's word on when to come back
	lived      = 10_000 // from welcome until a connection counts as good
)

// A stage is where the Machine stands with its connection.
type stage uint8

const (
	idle     stage = iota
	waiting        // for the next attempt
	dialling       // Dial was ordered
	greeting       // open, hello is out
	live           // welcomed
	closing        // Drop was ordered
	over           // signed out
)

// An Out is what the Machine wants done after an input, in this order.
type Out struct {
	Change state.Change // to redraw; its Need is part of Send already
	Send   []wire.Frame // over the open connection
	Dial   bool         // open a connection; answer with Opened or Closed
	Drop   string       // close the connection for this reason; answer with Closed
	Over   bool         // the session has ended, nothing more is to be tried
	Next   int64        // call Tick at this time; 0 for never
}

// A Machine decides when to dial, what to send and when to give a connection
// up. It is pure: it has no socket and no clock, every input brings the time.
type Machine struct {
	st      *state.State
	rand    func() float64
	hello   wire.Hello
	silence int64

	stage    stage
	at       int64 // waiting: when to dial; greeting: when welcome must be here
	slot     bool  // at was given by the server: not to be hurried
	come     int64 // the server's word on when to come back
	tries    int   // attempts since the last connection that lived for a while
	welcomed int64 // when the present connection was, 0 for not yet
	dialled  int64 // when the last attempt began
	next     int64 // what the last Out promised
	heard    int64 // when the last frame came
	deadline int64 // by when a frame must come, 0 for none
	spared   bool  // a deadline was already moved once because the browser slept

	hidden  bool  // nobody sees the page
	marks   bool  // marks may wait to be sent
	marksAt int64 // and not before
	typed   map[chat.ConvID]int64
}

// NewMachine returns a Machine at rest. rand returns numbers in [0,1).
// silence is how long nothing may be heard until the server is asked for a
// sign of life, 0 for ever.
func NewMachine(st *state.State, hello wire.Hello, silence int64, rand func() float64) *Machine {
	return &Machine{st: st, hello: hello, silence: silence, rand: rand, typed: map[chat.ConvID]int64{}}
}

// Failures returns the attempts in a row that came to nothing, or to a
// connection that did not live for a while. While connected there are none.
func (m *Machine) Failures() int {
	if m.stage == live {
		return 0
	}
	return m.tries
}

// Start begins.
func (m *Machine) Start(now int64) Out {
	if m.stage != idle && m.stage != over {
		return m.finish(Out{}, now)
	}
	m.tries, m.slot = 0, false
	return m.finish(m.dial(now), now)
}

func (m *Machine) dial(now int64) Out {
	m.stage, m.dialled, m.come, m.welcomed = dialling, now, 0, 0
	return Out{Dial: true, Change: m.st.SetPhase(state.Connecting, now)}
}

// Opened says that the connection is open.
func (m *Machine) Opened(now int64) Out {
	m.stage, m.at = greeting, now+welcomeIn
	hello := m.hello
	hello.Sums = m.st.Sums()
	return m.finish(Out{Send: []wire.Frame{{Body: hello}}}, now)
}

// Closed says that the connection is gone or could not be opened. signedOut
// is set when the server does not know the session.
func (m *Machine) Closed(now int64, signedOut bool) Out {
	switch {
	case m.stage == over:
		return Out{}
	case signedOut:
		return m.SignedOut(now)
	}
	// A server that welcomes and dies must not be hammered.
	if m.welcomed != 0 && now-m.welcomed >= lived {
		m.tries = 0
	}
	if m.come > 0 {
		m.at, m.slot = now+m.come+int64(m.rand()*spread), true
	} else {
		m.at, m.slot = now+backoff(m.tries, m.rand()), false
	}
	m.tries++
	m.stage, m.come, m.deadline = waiting, 0, 0
	return m.finish(Out{Change: m.st.SetPhase(state.Offline, now)}, now)
}

// SignedOut says that the session has ended, as learned elsewhere.
func (m *Machine) SignedOut(now int64) Out {
	m.stage = over
	return Out{Over: true, Drop: "signed out", Change: m.st.SetPhase(state.SignedOut, now)}
}

// Frames takes what the server said in one WebSocket message.
func (m *Machine) Frames(fs []wire.Frame, now int64) Out {
	var o Out
	if m.stage != greeting && m.stage != live {
		return m.finish(o, now)
	}
	m.heard, m.deadline, m.spared, m.marks = now, 0, false, true
	for _, f := range fs {
		switch b := f.Body.(type) {
		case wire.Welcome:
			m.stage, m.welcomed = live, now
			if m.hidden { // who says nothing is seen
				o.Send = append(o.Send, wire.Frame{Body: wire.Look{Hidden: true}})
			}
		case wire.Bye:
			if b.Reason == wire.ByeSignedOut {
				return m.SignedOut(now)
			}
			m.come = min(b.ComeAfter, maxCome)
			o.Change = o.Change.Merge(m.drop(now))
			o.Drop = b.Reason
		case wire.Refused:
			if b.Code == chat.SignedOut {
				return m.SignedOut(now)
			}
		}
		o.Change = o.Change.Merge(m.st.Apply(f, now))
	}
	return m.finish(o, now)
}

// drop leaves the connection.
func (m *Machine) drop(now int64) state.Change {
	m.stage, m.deadline = closing, 0
	return m.st.SetPhase(state.Offline, now)
}

// Did takes a change that the person made in the state.
func (m *Machine) Did(ch state.Change, now int64) Out {
	m.marks = true
	return m.finish(Out{Change: ch}, now)
}

// Typing says that the person types in conv.
func (m *Machine) Typing(conv chat.ConvID, now int64) Out {
	var o Out
	if m.stage == live && now >= m.typed[conv] {
		clear(m.typed) // only one composer is in use at a time
		m.typed[conv] = now + typedEvery
		o.Send = []wire.Frame{{Body: wire.Typing{Conv: conv}}}
	}
	return m.finish(o, now)
}

// Look says whether the page is out of sight, so that the server knows whom to notify.
func (m *Machine) Look(hidden bool, now int64) Out {
	var o Out
	if m.stage == live && hidden != m.hidden {
		o.Send = []wire.Frame{{Body: wire.Look{Hidden: hidden}}}
	}
	m.hidden = hidden
	return m.finish(o, now)
}

// Signal sends a call signal, which is worth nothing later: while not live it is lost.
func (m *Machine) Signal(f wire.Frame, now int64) Out {
	var o Out
	if m.stage == live {
		o.Send = []wire.Frame{f}
	}
	return m.finish(o, now)
}

// Wake says that the browser came back online or into view: a wait is cut
// short unless the server asked for it, and a connection must prove itself.
func (m *Machine) Wake(now int64) Out {
	var o Out
	switch m.stage {
	case waiting:
		if !m.slot && now-m.dialled >= minBackoff {
			m.tries = min(m.tries, 1)
			o = m.dial(now)
		}
	case live:
		if now-m.heard >= signIn {
			o = m.probe(now)
		}
	}
	return m.finish(o, now)
}

// probe asks the server for anything at all.
func (m *Machine) probe(now int64) Out {
	m.deadline = soonest(m.deadline, now+signIn)
	return Out{Change: m.st.Probe(now)}
}

// Tick says what time it is.
func (m *Machine) Tick(now int64) Out {
	var o Out
	slept := m.next != 0 && now > m.next+late
	switch m.stage {
	case waiting:
		if now >= m.at {
			o = m.dial(now)
		}
	case greeting:
		if now >= m.at && !slept {
			o = Out{Change: m.drop(now), Drop: "no welcome"}
		} else if now >= m.at {
			m.at = now + signIn
		}
	case live:
		o = m.listen(now, slept)
	}
	o.Change = o.Change.Merge(m.st.Expire(now))
	return m.finish(o, now)
}

// listen gives a silent connection up. Once after a sleep it is asked first:
// frames that came meanwhile may not have been handed over yet.
func (m *Machine) listen(now int64, slept bool) Out {
	switch {
	case m.deadline != 0 && now >= m.deadline:
		if !slept || m.spared {
			return Out{Change: m.drop(now), Drop: "silent"}
		}
		m.spared, m.deadline = true, 0
		return m.probe(now)
	case m.deadline == 0 && m.silence > 0 && now >= m.heard+m.silence:
		m.deadline = now + answerIn
		return Out{Change: m.st.Probe(now)}
	}
	return Out{}
}

// finish adds what is due to o and says when to be called again.
func (m *Machine) finish(o Out, now int64) Out {
	need := o.Change.Need
	o.Change.Need = nil
	switch m.stage {
	case waiting, greeting:
		o.Next = m.at
	case live:
		due, next := m.st.Due(now)
		o.Send = append(append(o.Send, need...), due...)
		if m.marks && now >= m.marksAt {
			m.marks, m.marksAt = false, now+seenEvery
			o.Send = append(o.Send, m.st.TakeSeen()...)
		} else if m.marks {
			next = soonest(next, m.marksAt)
		}
		for _, f := range o.Send {
			if f.Ref != "" && m.deadline == 0 {
				m.deadline = now + answerIn
			}
		}
		next = soonest(next, m.deadline)
		if m.silence > 0 && m.deadline == 0 {
			next = soonest(next, m.heard+m.silence)
		}
		o.Next = next
	}
	m.next = o.Next
	return o
}

// soonest returns the earlier of two times, where 0 is never.
func soonest(a, b int64) int64 {
	switch {
	case a == 0:
		return b
	case b == 0:
		return a
	}
	return min(a, b)
}
