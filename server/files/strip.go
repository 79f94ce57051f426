package files

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"strings"
)

// stripped returns what r has without what a picture tells beside itself: where and
// when it was taken, by whom and with what. Which way is up stays. What it is not
// sure of it leaves as it is, and so it does with all other kinds of files.
func stripped(r *bufio.Reader, kind string) io.Reader {
	s := &stripper{in: r}
	switch kind {
	case "image/jpeg":
		s.step = s.jpegBegin
	case "image/png":
		s.step = s.pngBegin
	case "image/webp":
		s.step = s.webpBegin
	default:
		return r
	}
	return s
}

// A stripper reads a file part by part: each step takes one from in and puts what
// stays of it into out.
type stripper struct {
	in   *bufio.Reader
	out  bytes.Buffer
	step func() error
	err  error
	skip int64 // bytes of in that are not wanted
	pass int64 // bytes of in that stay as they are
}

func (s *stripper) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for s.err == nil && s.out.Len() == 0 {
		switch {
		case s.skip > 0:
			var n int
			n, s.err = s.in.Discard(int(min(s.skip, 32<<10)))
			s.skip -= int64(n)
		case s.pass > 0:
			n, err := s.in.Read(p[:min(int64(len(p)), s.pass)])
			s.pass -= int64(n)
			s.err = err
			if n > 0 {
				return n, nil
			}
		default:
			s.err = s.step()
		}
	}
	if s.out.Len() > 0 {
		return s.out.Read(p)
	}
	return 0, s.err
}

// rest leaves all that comes as it is.
func (s *stripper) rest() error {
	s.step, s.pass = func() error { return io.EOF }, 1<<62
	return nil
}

// end drops all that comes.
func (s *stripper) end() error {
	s.step, s.skip = func() error { return io.EOF }, 1<<62
	return nil
}

// take puts the next n bytes of in into out, as far as they are there.
func (s *stripper) take(n int) error {
	_, err := io.CopyN(&s.out, s.in, int64(n))
	return err
}

// Markers of JPEG, ITU-T T.81 table B.1.
const (
	jpegTEM, jpegRST0, jpegSOI, jpegEOI, jpegSOS = 0x01, 0xd0, 0xd8, 0xd9, 0xda
	jpegAPP0, jpegCOM                            = 0xe0, 0xfe
)

func (s *stripper) jpegBegin() error {
	s.step = s.jpegSegment
	return s.take(2) // it was found to be one by these
}

// jpegSegment takes a segment. Of APPn those stay that say how colours are meant:
// JFIF, ICC and Adobe. What follows the picture goes: others of the same view,
// which have their own EXIF.
func (s *stripper) jpegSegment() error {
	head, err := s.in.Peek(2)
	if err != nil || head[0] != 0xff {
		return s.rest()
	}
	marker := head[1]
	if marker == 0xff { // padding
		return s.takePadding()
	}
	if marker == jpegEOI {
		s.step = s.end
		return s.take(2)
	}
	if marker == jpegTEM || marker >= jpegRST0 && marker <= jpegSOI {
		return s.take(2)
	}
	if head, err = s.in.Peek(4); err != nil {
		return s.rest()
	}
	n := int64(binary.BigEndian.Uint16(head[2:])) + 2
	app, what := marker-jpegAPP0, s.peeked(4, 14)
	switch {
	case marker == jpegSOS:
		s.step, s.pass = s.jpegScan, n
	case marker == jpegCOM:
		s.skip = n
	case marker < jpegAPP0 || app > 15, app == 0 && strings.HasPrefix(what, "JFIF\x00"), app == 2 && strings.HasPrefix(what, "ICC_PROFILE\x00"), app == 14 && strings.HasPrefix(what, "Adobe"):
		s.pass = n
	case app == 1 && n >= 10 && strings.HasPrefix(what, "Exif\x00\x00"):
		return s.jpegExif(int(n))
	default:
		s.skip = n
	}
	return nil
}

// peeked returns what comes behind so many bytes, at most n.
func (s *stripper) peeked(behind, n int) string {
	p, _ := s.in.Peek(behind + n)
	return string(p[min(behind, len(p)):])
}

// jpegExif puts which way is up in place of a segment of n bytes.
func (s *stripper) jpegExif(n int) error {
	p := make([]byte, n)
	for got := 0; got < n; {
		k, err := s.in.Read(p[got:])
		if got += k; err != nil {
			return err // io.EOF: it was cut, and goes
		}
	}
	if o := orientation(p[10:]); o > 1 {
		s.out.Write([]byte("\xff\xe1\x00\x22Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00"))
		s.out.Write([]byte{byte(o), 0, 0, 0, 0, 0, 0})
	}
	return nil
}

// jpegScan takes the picture itself, up to the next marker.
func (s *stripper) jpegScan() error {
	_, err := s.in.Peek(1)
	if err != nil {
		return err
	}
	p, _ := s.in.Peek(s.in.Buffered())
	at := bytes.IndexByte(p, 0xff)
	switch {
	case at < 0:
		return s.take(len(p))
	case at > 0:
		return s.take(at)
	}
	if p, err = s.in.Peek(2); err != nil {
		return s.rest()
	}
	if m := p[1]; m != 0 && m != 0xff && (m < jpegRST0 || m >= jpegSOI) {
		s.step = s.jpegSegment
		return nil
	}
	if p[1] == 0xff { // padding, or the byte before a marker
		return s.takePadding()
	}
	return s.take(2)
}

// takePadding takes a run of 0xff but for its last byte, which may begin a marker.
func (s *stripper) takePadding() error {
	p, _ := s.in.Peek(s.in.Buffered())
	n := len(p) - len(bytes.TrimLeft(p, "\xff"))
	return s.take(max(n-1, 1))
}

// orientation is which way is up, 1 to 8, by a TIFF header and what follows, 1 where it says nothing
// (TIFF 6.0, tag 274).
func orientation(p []byte) int {
	var order binary.ByteOrder = binary.BigEndian
	switch {
	case bytes.HasPrefix(p, []byte("II\x2a\x00")):
		order = binary.LittleEndian
	case !bytes.HasPrefix(p, []byte("MM\x00\x2a")):
		return 1
	}
	if len(p) < 8 {
		return 1
	}
	at := uint64(order.Uint32(p[4:]))
	if at+2 > uint64(len(p)) {
		return 1
	}
	fields := p[at+2:]
	for range order.Uint16(p[at:]) {
		if len(fields) < 12 {
			break
		}
		if order.Uint16(fields) == 274 && order.Uint16(fields[2:]) == 3 {
			if o := int(order.Uint16(fields[8:])); o >= 1 && o <= 8 {
				return o
			}
		}
		fields = fields[12:]
	}
	return 1
}

func (s *stripper) pngBegin() error {
	s.step = s.pngChunk
	return s.take(8)
}

// pngChunk takes a chunk. Those go that tell of a picture in words (PNG 3rd edition, 11.3),
// and what follows its end.
func (s *stripper) pngChunk() error {
	head, err := s.in.Peek(8)
	if err != nil {
		return s.rest()
	}
	n := int64(binary.BigEndian.Uint32(head)) + 12
	switch string(head[4:]) {
	case "tEXt", "zTXt", "iTXt", "eXIf", "tIME":
		s.skip = n
	case "IEND":
		s.step, s.pass = s.end, n
	default:
		s.pass = n
	}
	return nil
}

// Bits of VP8X that say what other chunks there are.
const webpEXIF, webpXMP = 1 << 3, 1 << 2

func (s *stripper) webpBegin() error {
	s.step = s.webpChunk
	return s.take(12)
}

// webpChunk takes a chunk. The size of all stands before it, so what is to go is
// overwritten in place, as a chunk that nobody knows.
func (s *stripper) webpChunk() error {
	head, err := s.in.Peek(8)
	if err != nil {
		return s.rest()
	}
	n := int64(binary.LittleEndian.Uint32(head[4:]))
	n += n & 1
	switch string(head[:4]) {
	case "VP8X":
		if err := s.take(8); err != nil || n == 0 {
			return err
		}
		flags, err := s.in.ReadByte()
		if err != nil {
			return err
		}
		s.out.WriteByte(flags &^ (webpEXIF | webpXMP))
		s.pass = n - 1
	case "EXIF", "XMP ":
		size := bytes.Clone(head[4:])
		if _, err := s.in.Discard(8); err != nil {
			return err
		}
		s.out.WriteString("JUNK")
		s.out.Write(size)
		s.step = s.blank(n)
	default:
		s.pass = n + 8
	}
	return nil
}

// blank puts zeros in place of the next n bytes of a WebP file.
func (s *stripper) blank(n int64) func() error {
	return func() error {
		k, err := s.in.Discard(int(min(n, 32<<10)))
		s.out.Write(make([]byte, k))
		if n -= int64(k); n == 0 {
			s.step = s.webpChunk
		}
		return err
	}
}
