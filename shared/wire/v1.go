package wire

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"kamachat/shared/chat"
)

// V1 is the native dialect: a JSON object {"k":kind,"r":ref,"b":body}, or an
// array of them.
var V1 Codec = v1{}

type v1 struct{}

type envelope struct {
	K string          `json:"k"`
	R string          `json:"r,omitempty"`
	B json.RawMessage `json:"b"`
}

// bodies decodes the body of each kind.
var bodies = map[string]func([]byte) (Body, error){
	"hello": decode[Hello], "post": decode[Post], "resume": decode[Resume], "before": decode[Before],
	"who": decode[Who], "look": decode[Look], "line": decode[Line], "lined": decode[Lined], "seen": decode[Seen], "typing": decode[Typing], "call": decode[Signal],
	"welcome": decode[Welcome], "posted": decode[Posted], "history": decode[History], "people": decode[People],
	"list": decode[List], "listed": decode[Listed], "online": decode[Online], "presence": decode[Presence], "opened": decode[Opened], "parted": decode[Parted], "turned": decode[Turned], "asked": decode[Asked], "refused": decode[Refused], "bye": decode[Bye],
}

func decode[B Body](p []byte) (Body, error) {
	var b B
	err := json.Unmarshal(p, &b)
	return b, err
}

func (v1) Name() string { return "kamachat.v1" }

func (v1) Append(dst []byte, f Frame) ([]byte, bool, error) {
	if _, bad := f.Body.(Bad); bad {
		return dst, false, nil
	}
	b, err := json.Marshal(f.Body)
	if err != nil {
		return dst, false, err
	}
	dst = append(dst, `{"k":"`...)
	dst = append(dst, f.Body.kind()...)
	dst = append(dst, '"')
	if f.Ref != "" {
		r, err := json.Marshal(f.Ref)
		if err != nil {
			return dst, false, err
		}
		dst = append(append(dst, `,"r":`...), r...)
	}
	dst = append(append(dst, `,"b":`...), b...)
	return append(dst, '}'), true, nil
}

func (v1) Parse(p []byte) ([]Frame, error) {
	if !utf8.Valid(p) {
		return nil, chat.Refuse(chat.Invalid, "the frame is not valid UTF-8")
	}
	var es []envelope
	if t := bytes.TrimLeft(p, " \t\r\n"); len(t) > 0 && t[0] == '[' {
		if commas(t) >= MaxFrames {
			return nil, chat.Refuse(chat.Invalid, "the message holds more than 512 frames")
		}
		if err := json.Unmarshal(p, &es); err != nil {
			return nil, chat.Refuse(chat.Invalid, "the frame is not JSON of the right form")
		}
	} else {
		es = make([]envelope, 1)
		if err := json.Unmarshal(p, &es[0]); err != nil {
			return nil, chat.Refuse(chat.Invalid, "the frame is not JSON of the right form")
		}
	}
	fs := make([]Frame, 0, len(es))
	for _, e := range es {
		fs = append(fs, e.frame())
	}
	return fs, nil
}

// commas counts the commas of a JSON array between its elements.
func commas(p []byte) int {
	n, deep, quoted := 0, 0, false
	for i := 0; i < len(p); i++ {
		switch c := p[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			deep++
		case c == ']' || c == '}':
			deep--
		case c == ',' && deep == 1:
			n++
		}
	}
	return n
}

// Why a frame is Bad. They are shared: rubbish comes in great numbers.
var (
	longRef     = chat.Refuse(chat.Invalid, "the ref is longer than 64 bytes")
	unknownKind = chat.Refuse(chat.Invalid, "unknown kind of frame")
	wrongForm   = chat.Refuse(chat.Invalid, "the body has the wrong form")
)

func (e envelope) frame() Frame {
	bad := func(ref string, why *chat.Refusal) Frame { return Frame{Ref: ref, Body: Bad{Kind: e.K, Why: why}} }
	if len(e.R) > chat.MaxRef {
		return bad("", longRef)
	}
	dec, ok := bodies[e.K]
	if !ok {
		return bad(e.R, unknownKind)
	}
	if len(e.B) == 0 {
		e.B = json.RawMessage("{}")
	}
	b, err := dec(e.B)
	if err != nil {
		return bad(e.R, wrongForm)
	}
	return Frame{Ref: e.R, Body: b}
}

// Join merges native encodings into one WebSocket message. That of a single one
// is itself, not a copy.
func Join(frames [][]byte) []byte {
	if len(frames) == 1 {
		return frames[0]
	}
	n := 1 + len(frames)
	for _, f := range frames {
		n += len(f)
	}
	out := make([]byte, 0, n)
	out = append(out, '[')
	for i, f := range frames {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, f...)
	}
	return append(out, ']')
}
