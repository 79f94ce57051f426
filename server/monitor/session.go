package monitor

import (
	"slices"

	"kamachat/shared/wire"
)

// reasons are why sessions end; another is counted as "other".
var reasons = []string{"gone", wire.ByeSlow, wire.ByeSignedOut, wire.ByeIdle, wire.ByeFlood, wire.ByeRestart, "other"}

// What follows is what sessions tell: session.Meter.

// Opened counts a socket that became a session.
func (m *Monitor) Opened(native bool) {
	d := "classic"
	if native {
		d = "native"
	}
	m.opened.WithLabelValues(d).Inc()
}

// Closed counts a session that ended.
func (m *Monitor) Closed(reason string) {
	known := reasons[len(reasons)-1]
	for _, r := range reasons {
		if r == reason {
			known = r
		}
	}
	m.closed.WithLabelValues(known).Inc()
}

// whys are why sockets are not let in; another is counted as "other".
var whys = []string{"restart", "crowd", "full", "address", "person", "other"}

// SocketRefused counts a socket that was not let in.
func (m *Monitor) SocketRefused(why string) {
	if !slices.Contains(whys, why) {
		why = "other"
	}
	m.socketsRefused.WithLabelValues(why).Inc()
}

// Wrote counts a write of so many frames, of so many bytes together.
func (m *Monitor) Wrote(frames, bytes int) {
	m.frames.Observe(float64(frames))
	m.writtenBytes.Add(int64(bytes))
}

// TooFast counts a frame that came too fast.
func (m *Monitor) TooFast() { m.limitedSocket.Add(1) }
