package monitor

// reasons are why sessions end; another is counted as "other".
var reasons = []string{"gone", "slow", "signed_out", "idle", "flood", "restart", "other"}

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

// Wrote counts a write of so many frames, of so many bytes together.
func (m *Monitor) Wrote(frames, bytes int) {
	m.frames.Observe(float64(frames))
	m.writtenBytes.Add(int64(bytes))
}

// TooFast counts a frame that came too fast.
func (m *Monitor) TooFast() { m.limitedSocket.Add(1) }
