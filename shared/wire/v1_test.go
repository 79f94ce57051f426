package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"kamachat/shared/chat"
)

func TestV1RoundTrip(t *testing.T) {
	m := chat.Message{ID: 1<<62 + 1, Conv: "G1", Seq: 3, Author: "U1", At: 5, Content: chat.TextContent("hi <b> \u2028 \"quoted\" 你好")}
	yes, no, until := true, false, int64(chat.Forever)
	for name, f := range map[string]Frame{
		"hello":    {Body: Hello{Device: "d", Build: "b", Sums: []uint32{0, 1<<32 - 1}}},
		"post":     {Ref: "r1", Body: Post{Conv: "G1", Content: m.Content}},
		"resume":   {Ref: "q1", Body: Resume{Conv: "G1", After: 4}},
		"before":   {Ref: "q2", Body: Before{Conv: "G1", Seq: 9, Limit: 10}},
		"who":      {Ref: "q3", Body: Who{IDs: []chat.UserID{"U1"}}},
		"look":     {Body: Look{Hidden: true}},
		"line":     {Ref: "l1", Body: Line{Conv: "G1", LineChange: chat.LineChange{Pin: &yes, Archive: &no, Clear: 7, Mark: &yes, Hush: &until}}},
		"lined":    {Ref: "l1", Body: Lined{Conv: "G1", Line: chat.Line{Pinned: 5, Archived: true, Cleared: 7, Marked: true, Hushed: chat.Forever}}},
		"seen":     {Body: Seen{Marks: chat.Marks{Conv: "G1", User: "U1", Delivered: 3, Read: 2}}},
		"typing":   {Body: Typing{Conv: "G1", User: "U2"}},
		"call":     {Ref: "c", Body: Signal{Conv: "DU1-U2", From: "U1", Call: chat.Call{ID: "PROXY", What: "sdp", Data: json.RawMessage(`{"a":1}`)}}},
		"welcome":  {Body: Welcome{Me: chat.Person{ID: "U1"}, Convs: []chat.Summary{{Conv: "G1", Last: &m}}, People: []chat.Person{}, Online: []chat.UserID{"U2"}}},
		"list":     {Ref: "q4", Body: List{IDs: []chat.ConvID{"G1"}, Sums: []uint32{7}, After: "5 G1", Limit: 9}},
		"listed":   {Ref: "q4", Body: Listed{Convs: []chat.Summary{{Conv: "G1", Last: &m, Line: chat.Line{Pinned: 9, Cleared: 2}}}, Online: []chat.UserID{"U2"}, Next: "5 G1", Differ: []int{0}, More: true}},
		"posted":   {Ref: "r1", Body: Posted{Message: m}},
		"history":  {Ref: "q1", Body: History{Page: chat.Page{Conv: "G1", Entries: []chat.Message{m}, LastSeq: 3, All: &chat.Marks{Conv: "G1", Read: 2}}}},
		"people":   {Ref: "q3", Body: People{People: []chat.Person{{ID: "U2", Admin: true}}}},
		"online":   {Body: Online{User: "U2", Online: true}},
		"presence": {Body: Presence{Known: true, Online: []chat.UserID{"U2"}}},
		"opened":   {Body: Opened{Summary: chat.Summary{Conv: "G1"}, People: []chat.Person{}}},
		"parted":   {Body: Parted{Conv: "G1"}},
		"turned":   {Body: Turned{Conv: "G1"}},
		"asked":    {Body: Asked{Conv: "G1"}},
		"refused":  {Ref: "r\"1", Body: Refused{Code: chat.Busy, RetryAfter: 7, Words: "w"}},
		"bye":      {Body: Bye{Reason: "restart", ComeAfter: 9}},
	} {
		t.Run(name, func(t *testing.T) {
			if f.Body.kind() != name {
				t.Fatalf("kind is %q", f.Body.kind())
			}
			p, ok, err := V1.Append([]byte("before"), f)
			if !ok || err != nil || !bytes.HasPrefix(p, []byte("before")) {
				t.Fatalf("Append: %s %v %v", p, ok, err)
			}
			got, err := V1.Parse(p[len("before"):])
			if err != nil || len(got) != 1 || !reflect.DeepEqual(got[0], f) {
				t.Errorf("got %+v, %v; want %+v", got, err, f)
			}
		})
	}
	if len(bodies) != 25 {
		t.Errorf("%d kinds, 25 tried", len(bodies))
	}
}

func TestV1BadFrames(t *testing.T) {
	for name, in := range map[string]string{
		"unknown kind":       `{"k":"dance","r":"1"}`,
		"no kind":            `{"r":"1"}`,
		"body of wrong form": `{"k":"post","r":"1","b":[]}`,
		"number as conv":     `{"k":"post","r":"1","b":{"conv":7}}`,
	} {
		t.Run(name, func(t *testing.T) {
			fs, err := V1.Parse([]byte(in))
			if err != nil || len(fs) != 1 {
				t.Fatalf("%v %v", fs, err)
			}
			b, ok := fs[0].Body.(Bad)
			if !ok || fs[0].Ref != "1" || b.Why.Code != chat.Invalid {
				t.Errorf("got %+v", fs[0])
			}
			if _, ok, _ := V1.Append(nil, fs[0]); ok {
				t.Error("Bad was encoded")
			}
		})
	}
	fs, err := V1.Parse([]byte(`{"k":"hello","r":"` + strings.Repeat("x", chat.MaxRef+1) + `"}`))
	if _, bad := fs[0].Body.(Bad); err != nil || !bad || fs[0].Ref != "" {
		t.Errorf("a long ref: %+v %v", fs, err)
	}
}

func TestV1NotFrames(t *testing.T) {
	for name, in := range map[string]string{
		"empty": "", "spaces": "  ", "text": "hello", "number": "7", "cut": `{"k":"he`, "not UTF-8": "{\"k\":\"\xff\"}",
		"two values": `{} {}`, "deep": strings.Repeat("[", 100_000),
	} {
		t.Run(name, func(t *testing.T) {
			if fs, err := V1.Parse([]byte(in)); !errors.Is(err, &chat.Refusal{Code: chat.Invalid}) {
				t.Errorf("got %v, %v", fs, err)
			}
		})
	}
}

// A message of 64 KiB could hold 20,000 frames, each of which costs memory and an answer.
func TestV1MessageHoldsSoManyFrames(t *testing.T) {
	for name, c := range map[string]struct {
		frame string
		n     int
		ok    bool
	}{
		"as many as fit": {`{"k":"typing","r":"a,\\\",[{","b":{"conv":"G1","x":[1,{"y":[2,3]}]}}`, MaxFrames, true},
		"one more":       {`{"k":"typing"}`, MaxFrames + 1, false},
		"nothing in it":  {`{}`, 21_801, false},
	} {
		fs, err := V1.Parse([]byte(" [" + strings.Repeat(c.frame+",", c.n-1) + c.frame + "]"))
		if c.ok && (err != nil || len(fs) != c.n) || !c.ok && !errors.Is(err, &chat.Refusal{Code: chat.Invalid}) {
			t.Errorf("%s: %d frames, %v", name, len(fs), err)
		}
	}
}

func TestJoinMakesOneMessage(t *testing.T) {
	a, _, _ := V1.Append(nil, Frame{Body: Online{User: "U1"}})
	b, _, _ := V1.Append(nil, Frame{Ref: "x", Body: Bye{Reason: "idle"}})
	for n, frames := range map[int][][]byte{1: {a}, 2: {a, b}, 3: {b, a, b}} {
		if fs, err := V1.Parse(Join(frames)); err != nil || len(fs) != n {
			t.Errorf("%d frames came back as %v, %v", n, fs, err)
		}
	}
}

// FuzzV1Parse: whatever arrives, Parse answers, and what it understood means
// the same after a round trip.
func FuzzV1Parse(f *testing.F) {
	for _, s := range []string{
		`{"k":"post","r":"1","b":{"conv":"G1","c":{"k":"text","text":"hi"}}}`,
		`[{"k":"typing","b":{"conv":"G1"}},{"k":"nope"}]`,
		`{"k":"welcome","b":{"convs":[{"last":{"id":"7"}}]}}`,
		`{"k":"call","b":{"call":{"data":{"x":[1,2]}}}}`, `{"k":"hello","b":{"sums":[1,4294967295]}}`,
		`{"k":"list","r":"q","b":{"ids":["G1"],"sums":[-1],"after":"5 G1"}}`, `{"k":"listed","b":{"convs":[{}],"differ":[0,-1],"next":"x"}}`,
		`{"k":"line","r":"l","b":{"conv":"G1","pin":true,"archive":null,"clear":-1}}`, `{"k":"lined","b":{"conv":"G1","pinned":1,"archived":true,"cleared":7}}`,
		`[]`, `null`, `[null]`, `{"k":"seen","b":null}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		fs, err := V1.Parse(p)
		if err != nil {
			if chat.AsRefusal(err).Code != chat.Invalid {
				t.Fatalf("not a refusal: %v", err)
			}
			return
		}
		for _, f := range fs {
			if b, bad := f.Body.(Bad); bad {
				if b.Why == nil {
					t.Fatal("Bad without a reason")
				}
				continue
			}
			one, ok, err := V1.Append(nil, f)
			if !ok || err != nil {
				t.Fatalf("%+v can't be encoded: %v", f, err)
			}
			again, err := V1.Parse(one)
			if err != nil || len(again) != 1 {
				t.Fatalf("%s does not parse: %v", one, err)
			}
			two, _, _ := V1.Append(nil, again[0])
			if !bytes.Equal(one, two) {
				t.Fatalf("%s became %s", one, two)
			}
		}
	})
}
