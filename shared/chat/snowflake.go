package chat

import (
	"strconv"
	"sync"
)

// Epoch is where the time in an id starts: 2025-01-01 UTC, in Unix milliseconds.
const Epoch int64 = 1_735_689_600_000

// The layout of an id: 41 bits of milliseconds since Epoch, 10 bits of node, 12 bits of sequence.
const (
	nodeBits = 10
	seqBits  = 12
)

// MaxNode is the largest node number of an id.
const MaxNode = 1<<nodeBits - 1

// IDs makes Snowflake ids for one node. It is safe for concurrent use.
type IDs struct {
	node int64
	now  func() int64

	mu   sync.Mutex
	last int64 // milliseconds since Epoch << seqBits | sequence, of the last id
}

// NewIDs returns a maker of ids for node, of which the low 10 bits count. now
// tells the time in Unix milliseconds.
func NewIDs(node int, now func() int64) *IDs {
	return &IDs{node: int64(node) & MaxNode, now: now}
}

// Next returns an id greater than all before it. When the clock steps back, or
// when one millisecond's 4,096 ids are used up, it borrows from the future
// rather than repeat or wait.
func (g *IDs) Next() int64 {
	t := max(g.now()-Epoch, 0) << seqBits
	g.mu.Lock()
	defer g.mu.Unlock()
	g.last = max(g.last+1, t)
	ms, seq := g.last>>seqBits, g.last&(1<<seqBits-1)
	return ms<<(nodeBits+seqBits) | g.node<<seqBits | seq
}

// NewUser returns a new person's id.
func (g *IDs) NewUser() UserID { return UserID("U" + strconv.FormatInt(g.Next(), 36)) }

// NewGroup returns a new group's id.
func (g *IDs) NewGroup() ConvID { return ConvID("G" + strconv.FormatInt(g.Next(), 36)) }
