package bench

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// serverFrame is a frame as a server sends it.
func serverFrame(first byte, p []byte) []byte {
	f := appendFrame(nil, 0, p)
	f[0] = first
	at := len(f) - len(p) - 4
	f[1] &^= masked
	return slices.Delete(f, at, at+4) // the key
}

func TestSocketTakesWhateverFramesComeHowever(t *testing.T) {
	long := bytes.Repeat([]byte("long "), 13_200) // more than 64 KiB
	middle := bytes.Repeat([]byte("m"), 300)
	var stream []byte
	for _, f := range [][]byte{
		serverFrame(final|opText, []byte("one")), serverFrame(final|opText, middle), serverFrame(final|opText, nil),
		serverFrame(final|opPing, []byte("there?")),
		serverFrame(opText, []byte("in ")), serverFrame(final|opPong, nil), serverFrame(opMore, []byte("three ")), serverFrame(final|opMore, []byte("parts")),
		serverFrame(final|opText, long), serverFrame(final|opText, []byte("last")),
		serverFrame(final|opClose, append([]byte{3, 0xE8}, "goodbye"...)),
	} {
		stream = append(stream, f...)
	}
	want := []string{"one", string(middle), "", "in three parts", string(long), "last"}
	for name, size := range map[string]int{"byte by byte": 1, "in sevens": 7, "in thousands": 1000, "at once": len(stream)} {
		t.Run(name, func(t *testing.T) {
			near, far := net.Pipe()
			defer near.Close()
			go func() {
				for p := range slices.Chunk(stream, size) {
					far.Write(p)
				}
			}()
			s := &socket{conn: near, in: make([]byte, firstRead)}
			var got []string
			var err error
			for err == nil {
				var msg []byte
				var ok bool
				if msg, ok, err = s.next(); ok {
					got = append(got, string(msg))
				} else if err == nil {
					err = s.fill()
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %d messages, want %d: %.80q", len(got), len(want), got)
			}
			if err.Error() != "closed with 1000: goodbye" {
				t.Errorf("ended with %v", err)
			}
			if pong := appendFrame(nil, opPong, []byte("there?")); !bytes.Equal(s.answers, pong) {
				t.Errorf("answers are %q, want %q", s.answers, pong)
			}
		})
	}
}

func TestSocketRefusesWhatIsNoServersFrame(t *testing.T) {
	for name, p := range map[string][]byte{
		"masked":       appendFrame(nil, opText, []byte("x")),
		"too large":    {final | opText, 127, 0, 0, 1, 0, 0, 0, 0, 0},
		"unknown kind": serverFrame(final|0x3, nil),
		"compressed":   serverFrame(final|0x40|opText, nil),
	} {
		s := &socket{in: p, to: len(p)}
		if msg, ok, err := s.next(); err == nil {
			t.Errorf("%s: got %q, %v", name, msg, ok)
		}
	}
}

// What the socket sends is read by a server that checks what clients send.
func TestSocketSpeaksWithAServer(t *testing.T) {
	sizes := []int{0, 125, 126, 65535, 65536}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"p"}})
		if err != nil {
			return
		}
		defer ws.CloseNow()
		ws.SetReadLimit(1 << 20)
		ws.Write(r.Context(), websocket.MessageText, []byte("hello "+r.Header.Get("Who")))
		for {
			kind, p, err := ws.Read(r.Context())
			if err != nil || ws.Write(r.Context(), kind, p) != nil {
				return
			}
		}
	}))
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	s, err := dialSocket(ctx, server.URL+"/ws?x=1", "p", http.Header{"Who": {"ann"}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	read := func() string {
		for {
			msg, ok, err := s.next()
			if ok {
				return string(msg)
			}
			if err == nil {
				err = s.fill()
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := read(); got != "hello ann" {
		t.Errorf("got %q at first", got)
	}
	var all []byte
	for _, n := range sizes {
		all = appendFrame(all, opText, bytes.Repeat([]byte("a"), n))
	}
	if err := s.write(all); err != nil {
		t.Fatal(err)
	}
	for _, n := range sizes {
		if got := read(); got != strings.Repeat("a", n) {
			t.Errorf("got %d bytes back, want %d", len(got), n)
		}
	}
	if _, err := dialSocket(ctx, server.URL, "other", nil); err == nil {
		t.Error("a server that does not speak the protocol was taken")
	}
	if _, err := dialSocket(ctx, startFloor(t, nil)+"/ws", "p", nil); err == nil || !strings.Contains(err.Error(), "no such token") {
		t.Errorf("a refusal reads %v", err)
	}
}

func FuzzSocket(f *testing.F) {
	f.Add(serverFrame(final|opText, []byte("text")))
	f.Add(append(serverFrame(opText, []byte("a")), serverFrame(final|opMore, []byte("b"))...))
	f.Add(serverFrame(final|opClose, []byte{3}))
	f.Fuzz(func(t *testing.T, p []byte) {
		s := &socket{in: p, to: len(p)}
		for {
			if _, ok, err := s.next(); !ok || err != nil {
				return // any answer will do, but no panic and no end without one
			}
		}
	})
}
