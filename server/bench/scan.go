package bench

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// textSize is how many bytes a text has.
const textSize = 128

// mark begins every text of ours.
const mark = "kb "

// A note is what a text tells: message number n, from 0, of writer number
// from, from 0 within its conversation, due at nanoseconds after the start of
// the run.
type note struct{ run, from, n, due int64 }

// padding fills texts up: ASCII that JSON does not escape.
var padding = strings.Repeat("x", textSize)

// append appends the text that carries the note.
func (t note) append(dst []byte) []byte {
	start := len(dst)
	dst = append(dst, mark...)
	for _, v := range [...]int64{t.run, t.from, t.n, t.due} {
		dst = append(strconv.AppendInt(dst, v, 10), ' ')
	}
	return append(dst, padding[:max(0, start+textSize-len(dst))]...)
}

// readNote reads what follows mark.
func readNote(b []byte) (t note, ok bool) {
	for _, v := range [...]*int64{&t.run, &t.from, &t.n, &t.due} {
		i := 0
		for ; i < len(b) && b[i] >= '0' && b[i] <= '9'; i++ {
			*v = *v*10 + int64(b[i]-'0')
		}
		if i == 0 || i > 18 || i == len(b) || b[i] != ' ' {
			return t, false
		}
		b = b[i+1:]
	}
	return t, true
}

// appendRef appends the ref of post n of one person in the run that stamp
// names. Refs grow with time, as databases like it, and no two people use the
// same, as with real clients.
func appendRef(dst []byte, stamp string, n int64, by chat.UserID) []byte {
	const digits = 9
	dst = append(dst, stamp...)
	var hex [16]byte
	h := strconv.AppendInt(hex[:0], n, 16)
	for range digits - len(h) {
		dst = append(dst, '0')
	}
	return append(append(append(dst, h...), '-'), by...)
}

// numberOf is n of a ref of the run.
func numberOf(ref []byte, stamp string) (n int64, ok bool) {
	if len(ref) <= len(stamp) || string(ref[:len(stamp)]) != stamp {
		return 0, false
	}
	for i, c := range ref[len(stamp):] {
		switch {
		case c >= '0' && c <= '9':
			n = n<<4 | int64(c-'0')
		case c >= 'a' && c <= 'f':
			n = n<<4 | int64(c-'a'+10)
		default:
			return n, c == '-' && i > 0 && i < 16
		}
	}
	return 0, false
}

// appendNative appends the post that carries t.
func appendNative(dst []byte, stamp string, by chat.UserID, conv chat.ConvID, t note) []byte {
	dst = append(dst, `{"k":"post","r":"`...)
	dst = appendRef(dst, stamp, t.n, by)
	dst = append(dst, `","b":{"conv":"`...)
	dst = append(dst, conv...)
	dst = append(dst, `","c":{"k":"text","text":"`...)
	dst = t.append(dst)
	return append(dst, `"}}}`...)
}

// appendClassic appends the message of the seed's dialect that carries t.
func appendClassic(dst []byte, by chat.UserID, conv chat.ConvID, t note) []byte {
	dst = append(dst, `{"session_id":"S1","type":1,"content":"`...)
	dst = t.append(dst)
	dst = append(dst, `","url":"","send_id":"`...)
	dst = append(dst, by...)
	dst = append(dst, `","send_name":"","send_avatar":"","receive_id":"`...)
	if peer, ok := conv.Peer(by); ok {
		dst = append(dst, peer...)
	} else {
		dst = append(dst, conv...)
	}
	return append(dst, `","file_size":"","file_type":"","file_name":"","av_data":""}`...)
}

// A posted is what the generator wants to know of a message that came.
type posted struct {
	ref []byte // empty but in the author's own copy; valid during the call
	seq int64  // 0 in the seed's dialect
	note
}

// Half a million messages a second arrive in some workloads, on the cores that
// the server needs too, so those that look as expected are not decoded but
// scanned. Whatever looks different goes through a decoder.
var (
	frameStart   = []byte(`{"k":"`)
	postedStart  = []byte(`{"k":"posted",`)
	refStart     = []byte(`"r":"`)
	seqStart     = []byte(`"seq":`)
	textStart    = []byte(`"c":{"k":"text","text":"` + mark)
	contStart    = textStart[:5]
	classicStart = []byte(`{"send_id":"`)
	classicText  = []byte(`"content":"` + mark)
)

// scan reads one posted frame at the start of b and returns what follows it.
func scan(b []byte) (p posted, rest []byte, ok bool) {
	if !bytes.HasPrefix(b, postedStart) {
		return p, b, false
	}
	b = b[len(postedStart):]
	if bytes.HasPrefix(b, refStart) {
		b = b[len(refStart):]
		end := bytes.IndexByte(b, '"')
		if end < 0 || bytes.IndexByte(b[:end], '\\') >= 0 {
			return p, b, false
		}
		p.ref, b = b[:end], b[end:]
	}
	content := bytes.Index(b, contStart)
	if content < 0 || !bytes.HasPrefix(b[content:], textStart) {
		return p, b, false
	}
	seq := bytes.Index(b[:content], seqStart)
	if seq < 0 {
		return p, b, false
	}
	for _, c := range b[seq+len(seqStart) : content] {
		if c < '0' || c > '9' {
			break
		}
		p.seq = p.seq*10 + int64(c-'0')
	}
	b = b[content+len(textStart):]
	p.note, ok = readNote(b)
	end := bytes.IndexByte(b, '"')
	if !ok || end < 0 {
		return p, b, false
	}
	return p, b[end:], true
}

// readNative hands every frame in one WebSocket message to one of the two
// functions, in order.
func readNative(msg []byte, onPosted func(posted), onOther func(wire.Frame)) error {
	done := 0
	for rest := msg; ; done++ {
		i := bytes.Index(rest, frameStart)
		if i < 0 {
			return nil
		}
		p, after, ok := scan(rest[i:])
		if !ok {
			break
		}
		onPosted(p)
		rest = after
	}
	frames, err := wire.V1.Parse(msg)
	if err != nil {
		return err
	}
	for _, f := range frames[min(done, len(frames)):] {
		if b, ok := f.Body.(wire.Posted); ok {
			if t, ok := noteOf(b.Content.Text); ok {
				onPosted(posted{[]byte(f.Ref), b.Seq, t})
				continue
			}
		}
		onOther(f)
	}
	return nil
}

func noteOf(text string) (note, bool) {
	rest, ok := strings.CutPrefix(text, mark)
	if !ok {
		return note{}, false
	}
	return readNote([]byte(rest))
}

// readClassic reads one message in the seed's dialect: one with a note of ours,
// or other words.
func readClassic(msg []byte, onPosted func(posted), onWords func(string)) error {
	if bytes.HasPrefix(msg, classicStart) {
		if i := bytes.Index(msg, classicText); i >= 0 {
			if t, ok := readNote(msg[i+len(classicText):]); ok {
				onPosted(posted{note: t})
				return nil
			}
		}
		var m struct {
			Content string `json:"content"`
		}
		if err := json.Unmarshal(msg, &m); err != nil {
			return err
		}
		if t, ok := noteOf(m.Content); ok {
			onPosted(posted{note: t})
			return nil
		}
	}
	onWords(string(msg))
	return nil
}
