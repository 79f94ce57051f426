package bench

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
)

// A socket is the client's end of a WebSocket (RFC 6455), made for much traffic
// on little CPU: it takes whatever one read(2) brings, hands messages out where
// they lie, and masks with the key zero, which costs nothing. Reading belongs to
// one goroutine; write may be called by many.
type socket struct {
	conn net.Conn

	in       []byte // in[from:to] has come and is not yet handed out
	from, to int
	more     bool   // the last read filled in: a larger one saves system calls
	parts    []byte // of a message that comes in several frames
	answers  []byte // pongs to send

	mu sync.Mutex // one write at a time
}

const (
	firstRead  = 4 << 10 // bytes; thousands of idle sockets have this
	largeRead  = 64 << 10
	maxMessage = 8 << 20 // the largest message taken: a welcome with 500 conversations, or many entries merged
	maxHeader  = 10      // of a frame that is not masked
)

// Opcodes of RFC 6455.
const (
	opMore  = 0x0
	opText  = 0x1
	opBin   = 0x2
	opClose = 0x8
	opPing  = 0x9
	opPong  = 0xA

	final  = 0x80
	masked = 0x80
)

// dialSocket opens a WebSocket at an http or https address. protocol is the
// subprotocol to insist on, or "". ctx bounds the dialling only.
func dialSocket(ctx context.Context, address, protocol string, header http.Header) (*socket, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	host, port := u.Hostname(), u.Port()
	if port == "" {
		port = map[string]string{"https": "443"}[u.Scheme]
	}
	if port == "" {
		port = "80"
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if u.Scheme == "https" {
		conn = tls.Client(conn, &tls.Config{ServerName: host})
	}
	s := &socket{conn: conn}
	if err := s.shakeHands(u, protocol, header); err != nil {
		conn.Close()
		return nil, errors.Join(ctx.Err(), err)
	}
	return s, nil
}

func (s *socket) shakeHands(u *url.URL, protocol string, header http.Header) error {
	var nonce [16]byte
	rand.Read(nonce[:]) // never fails
	key := base64.StdEncoding.EncodeToString(nonce[:])
	req := &http.Request{Method: http.MethodGet, URL: u, Host: u.Host, Header: header.Clone()}
	if req.Header == nil {
		req.Header = http.Header{}
	}
	for k, v := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key, "Sec-WebSocket-Protocol": protocol,
	} {
		if v != "" {
			req.Header.Set(k, v)
		}
	}
	if err := req.Write(s.conn); err != nil {
		return err
	}
	br := bufio.NewReader(s.conn)
	resp, err := http.ReadResponse(br, req)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 200))
		return fmt.Errorf("%s: %s", resp.Status, text)
	}
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	if resp.Header.Get("Sec-WebSocket-Accept") != base64.StdEncoding.EncodeToString(sum[:]) {
		return errors.New("the answer is not a WebSocket's")
	}
	if got := resp.Header.Get("Sec-WebSocket-Protocol"); got != protocol {
		return fmt.Errorf("the server speaks %q, not %q", got, protocol)
	}
	s.in = make([]byte, max(firstRead, br.Buffered()))
	s.to, err = io.ReadFull(br, s.in[:br.Buffered()]) // what came right behind the answer
	return err
}

// fill waits until something comes. What next returned before is no longer valid.
func (s *socket) fill() error {
	if s.from > 0 {
		s.to = copy(s.in, s.in[s.from:s.to])
		s.from = 0
	}
	if s.to == len(s.in) || s.more && len(s.in) < largeRead {
		s.in = append(make([]byte, 0, 2*len(s.in)), s.in[:s.to]...)
		s.in = s.in[:cap(s.in)]
	}
	n, err := s.conn.Read(s.in[s.to:])
	s.to += n
	s.more = s.to == len(s.in)
	if n > 0 {
		return nil
	}
	return err
}

// next returns the next message that has come whole, or ok false. The message
// is valid until the next call of next or fill.
func (s *socket) next() (msg []byte, ok bool, err error) {
	for {
		op, p, size, err := parseFrame(s.in[s.from:s.to])
		if err != nil || size == 0 {
			return nil, false, err
		}
		s.from += size
		switch op &^ final {
		case opText, opBin, opMore:
			if op&final != 0 && len(s.parts) == 0 {
				return p, true, nil
			}
			if s.parts = append(s.parts, p...); len(s.parts) > maxMessage {
				return nil, false, errTooLarge
			}
			if op&final != 0 {
				msg, s.parts = s.parts, nil
				return msg, true, nil
			}
		case opPing:
			s.answers = appendFrame(s.answers, opPong, p)
		case opPong:
		case opClose:
			if len(p) < 2 {
				return nil, false, errors.New("closed")
			}
			return nil, false, fmt.Errorf("closed with %d: %s", binary.BigEndian.Uint16(p), p[2:])
		default:
			return nil, false, fmt.Errorf("a frame of the unknown kind %#x", op)
		}
	}
}

var (
	errTooLarge = errors.New("the message is too large")
	errMasked   = errors.New("the server masks")
)

// parseFrame reads one frame at the start of b: its first byte, its payload
// and how long it all is, 0 while it is not all there.
func parseFrame(b []byte) (op byte, p []byte, size int, err error) {
	if len(b) < 2 {
		return 0, nil, 0, nil
	}
	if b[1]&masked != 0 {
		return 0, nil, 0, errMasked
	}
	head, n := 2, uint64(b[1])
	switch {
	case n == 126 && len(b) >= 4:
		head, n = 4, uint64(binary.BigEndian.Uint16(b[2:]))
	case n == 127 && len(b) >= maxHeader:
		head, n = maxHeader, binary.BigEndian.Uint64(b[2:])
	case n >= 126:
		return 0, nil, 0, nil
	}
	if n > maxMessage {
		return 0, nil, 0, errTooLarge
	}
	if uint64(len(b)-head) < n {
		return 0, nil, 0, nil
	}
	size = head + int(n)
	return b[0], b[head:size], size, nil
}

// appendFrame appends a whole message as a client sends it: masked, here with
// the key zero, which leaves the bytes as they are.
func appendFrame(dst []byte, op byte, p []byte) []byte {
	dst = append(dst, final|op)
	switch n := len(p); {
	case n < 126:
		dst = append(dst, masked|byte(n))
	case n < 1<<16:
		dst = append(dst, masked|126, byte(n>>8), byte(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, masked|127), uint64(n))
	}
	return append(append(dst, 0, 0, 0, 0), p...)
}

// write sends frames that appendFrame made, all in one system call.
func (s *socket) write(frames []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, err := s.conn.Write(frames)
	return err
}

// send sends one text message.
func (s *socket) send(msg []byte) error { return s.write(appendFrame(nil, opText, msg)) }

// answer sends the pongs that are due.
func (s *socket) answer() error {
	if len(s.answers) == 0 {
		return nil
	}
	err := s.write(s.answers)
	s.answers = s.answers[:0]
	return err
}

// close ends the connection, without a word as a broken network does.
func (s *socket) close() { s.conn.Close() }
