package main

import (
	"time"

	"kamachat/server/account"
	"kamachat/server/board"
	"kamachat/server/config"
	"kamachat/server/monitor"
	"kamachat/server/settings"
)

// policy is what accounts go by of what administrators set.
func policy(set *settings.Service) func() account.Policy {
	return func() account.Policy {
		v := set.Get()
		return account.Policy{Registration: v.Registration, MaxGroup: v.MaxGroup, ContactsOnly: v.ContactsOnly}
	}
}

// contactsOnly tells whether only contacts may write to each other.
func contactsOnly(set *settings.Service) func() bool {
	return func() bool { return set.Get().ContactsOnly }
}

// maxGroup tells how many people a group may have.
func maxGroup(set *settings.Service) func() int {
	return func() int { return set.Get().MaxGroup }
}

// keeper hands samples of the monitor on to be stored. Where nobody takes them
// they are let go.
func keeper(to chan<- board.Sample) func(monitor.Sample) {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()/100) / 10 }
	return func(m monitor.Sample) {
		s := board.Sample{
			People: m.People, Connections: m.Connections, Stored: m.Stored, Refused: m.Refused, Queue: m.Queue,
			P50: ms(m.P50), P95: ms(m.P95), P99: ms(m.P99), Memory: memory(m), Goroutines: m.Goroutines,
		}
		select {
		case to <- s:
		default:
		}
	}
}

// memory is what the process holds, or else the heap.
func memory(m monitor.Sample) int64 {
	if m.RSS > 0 {
		return m.RSS
	}
	return m.Heap
}

// liveOf is how this node is at the moment.
func liveOf(w *monitor.Monitor) func() board.Live {
	return func() board.Live {
		m := w.Live()
		return board.Live{
			People: m.People, Connections: m.Connections, Queue: m.Queue, Goroutines: m.Goroutines, Memory: memory(m), StoredEver: m.StoredEver,
		}
	}
}

// freeAt is the bytes that are free where the data is, 0 where the system does not tell.
func freeAt(cfg config.Config) func() int64 {
	return func() int64 {
		free, _, _ := diskRoom(cfg.Data)
		return free
	}
}

// keptDays tells for how many days messages and files are kept; 0: for ever.
func keptDays(set *settings.Service) func() (messages, files int) {
	return func() (int, int) { v := set.Get(); return v.KeepDays, v.KeepFileDays }
}
