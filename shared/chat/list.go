package chat

import (
	"hash/fnv"
	"strconv"
)

// Limits of conversation lists.
const (
	MaxList = 100 // lines told at once
	MaxSums = 256 // sums of one list
	MaxLow  = 100 // members of a group in whose line the lowest marks are told; a page of the log tells them, too
)

// A Head is what moves in a line of a conversation list: the log's end, the
// marks, and what the person made of it. Whoever has the right head of every conversation has missed nothing.
type Head struct {
	Conv    ConvID
	At      int64 // when the log last grew, Unix milliseconds; lists are sorted by it
	LastSeq int64
	Mine    Marks
	// All are the other person's marks in a direct conversation, or the lowest of
	// both people's: it makes no difference here. Those of groups are left out,
	// since the lowest of a thousand is dear to look up.
	All Marks
	Line
}

// line is what a head says, as Sums counts it.
func (h Head) line() []byte {
	mine, all := h.Mine.Merge(Marks{}), Marks{}
	if !h.Conv.IsGroup() {
		all = h.All.Merge(Marks{})
		all.Delivered, all.Read = min(mine.Delivered, all.Delivered), min(mine.Read, all.Read)
	}
	b := append([]byte(nil), h.Conv...)
	for _, n := range []int64{h.LastSeq, mine.Delivered, mine.Read, all.Delivered, all.Read} {
		b = strconv.AppendInt(append(b, ' '), n, 10)
	}
	if h.Line == (Line{}) { // as most are
		return b
	}
	for _, n := range []int64{h.Pinned, bit(h.Archived), h.Cleared, bit(h.Marked), h.Hushed} {
		b = strconv.AppendInt(append(b, ' '), n, 10)
	}
	return b
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// Sums says in n numbers (1 to MaxSums) what a list of conversations says: two
// ends that have the same sums have the same list, and where one sum differs,
// so does a conversation of that part. The order of hs does not matter.
//
// A sum is that of the hashes of the lines in its part, modulo 2^32. Lines that
// differ have equal sums once in four thousand million times, and the next
// message tells them apart.
func Sums(hs []Head, n int) []uint32 {
	sums := make([]uint32, n)
	for _, h := range hs {
		x := hash(h.line())
		sums[Part(h.Conv, n)] += uint32(x) ^ uint32(x>>32)
	}
	return sums
}

// Part returns which of n sums conv is counted in.
func Part(conv ConvID, n int) int { return int(hash([]byte(conv)) % uint64(n)) }

// hash is FNV-1a, finished as in MurmurHash3 (fmix64): FNV alone turns a step of
// a last digit into one of a few differences, and two of those add up to nothing.
func hash(p []byte) uint64 {
	f := fnv.New64a()
	f.Write(p)
	x := f.Sum64()
	x = (x ^ x>>33) * 0xff51afd7ed558ccd
	x = (x ^ x>>33) * 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}
