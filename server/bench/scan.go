package bench

import (
	"bytes"
	"strconv"
	"strings"

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

// text returns the text that carries the note: ASCII that JSON does not escape.
func (t note) text() string {
	b := make([]byte, 0, textSize)
	b = append(b, mark...)
	for _, v := range []int64{t.run, t.from, t.n, t.due} {
		b = append(strconv.AppendInt(b, v, 10), ' ')
	}
	for len(b) < textSize {
		b = append(b, 'x')
	}
	return string(b)
}

// readNote reads what follows mark.
func readNote(b []byte) (t note, ok bool) {
	for _, v := range []*int64{&t.run, &t.from, &t.n, &t.due} {
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

// A posted is what the generator wants to know of wire.Posted.
type posted struct {
	ref string // "" but in the author's own copy
	seq int64
	note
}

// Half a million messages a second arrive in some workloads, on the cores that
// the server needs too, so those that look as expected are not decoded but
// scanned. Whatever looks different goes through wire.V1.
var (
	frameStart  = []byte(`{"k":"`)
	postedStart = []byte(`{"k":"posted",`)
	refStart    = []byte(`"r":"`)
	seqStart    = []byte(`"seq":`)
	textStart   = []byte(`"c":{"k":"text","text":"` + mark)
	contStart   = textStart[:5]
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
		p.ref, b = string(b[:end]), b[end:]
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

// read hands every frame in one WebSocket message to one of the two functions,
// in order.
func read(msg []byte, onPosted func(posted), onOther func(wire.Frame)) error {
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
	for _, f := range frames[done:] {
		if b, ok := f.Body.(wire.Posted); ok {
			if text, ok := strings.CutPrefix(b.Content.Text, mark); ok {
				if t, ok := readNote([]byte(text)); ok {
					onPosted(posted{f.Ref, b.Seq, t})
					continue
				}
			}
		}
		onOther(f)
	}
	return nil
}
