package session

import (
	"bytes"
	"net"
	"slices"
	"testing"
)

// written is a connection that remembers each write.
type written struct {
	net.Conn
	writes [][]byte
	err    error
}

func (w *written) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	w.writes = append(w.writes, bytes.Clone(p))
	return len(p), nil
}

func TestCorkedWritesAreOne(t *testing.T) {
	piece := func(n int, b byte) []byte { return bytes.Repeat([]byte{b}, n) }
	for name, c := range map[string]struct {
		pieces [][]byte
		sizes  []int // of the writes
	}{
		"nothing":               {nil, nil},
		"one":                   {[][]byte{piece(5, 'a')}, []int{5}},
		"many":                  {[][]byte{piece(1, 'a'), piece(2, 'b'), piece(3, 'c')}, []int{6}},
		"just what may be held": {[][]byte{piece(maxCorked/2, 'a'), piece(maxCorked/2, 'b')}, []int{maxCorked}},
		"more than may be held": {[][]byte{piece(maxCorked-1, 'a'), piece(2, 'b'), piece(1, 'c')}, []int{maxCorked - 1, 3}},
		"a large one between":   {[][]byte{piece(1, 'a'), piece(2*maxCorked, 'b'), piece(1, 'c')}, []int{1, 2 * maxCorked, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			under := &written{}
			raw := &conn{Conn: under}
			raw.cork()
			for _, p := range c.pieces {
				if n, err := raw.Write(p); n != len(p) || err != nil {
					t.Fatal(n, err)
				}
			}
			if err := raw.uncork(); err != nil {
				t.Fatal(err)
			}
			var sizes []int
			for _, w := range under.writes {
				sizes = append(sizes, len(w))
			}
			if !slices.Equal(sizes, c.sizes) {
				t.Errorf("writes of %v bytes, want %v", sizes, c.sizes)
			}
			if got, want := bytes.Join(under.writes, nil), bytes.Join(c.pieces, nil); !bytes.Equal(got, want) {
				t.Error("the bytes differ")
			}
			if raw.held != nil {
				t.Error("the buffer is kept while nothing is gathered")
			}
		})
	}
}

func TestNothingIsWrittenBehindAFailedWrite(t *testing.T) {
	under := &written{err: net.ErrClosed}
	raw := &conn{Conn: under}
	raw.cork()
	if _, err := raw.Write([]byte("half a frame")); err != nil {
		t.Fatalf("gathering failed: %v", err)
	}
	if err := raw.uncork(); err == nil {
		t.Fatal("uncork hides that the write failed")
	}
	under.err = nil
	if _, err := raw.Write([]byte("a pong")); err == nil || len(under.writes) > 0 {
		t.Errorf("%q was written behind it (%v)", under.writes, err)
	}
}
