package classic

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

var codec = New("Uann", func() string { return "c1" }, time.UTC)

func TestParseReadsTheSeedsFrames(t *testing.T) {
	direct := chat.Direct("Uann", "Ubob")
	for name, c := range map[string]struct {
		frame string
		want  wire.Body
	}{
		"text":     {`{"session_id":"S1","type":1,"content":"你好","send_id":"Uann","receive_id":"Ubob"}`, wire.Post{Conv: direct, Content: chat.TextContent("你好")}},
		"old text": {`{"type":0,"content":"x","receive_id":"Ubob"}`, wire.Post{Conv: direct, Content: chat.TextContent("x")}},
		"group":    {`{"type":1,"content":"x","send_id":"Uann","receive_id":"Gone"}`, wire.Post{Conv: "Gone", Content: chat.TextContent("x")}},
		"file": {`{"type":2,"url":"/f","file_name":"a.pdf","file_type":"application/pdf","file_size":"12","receive_id":"Ubob"}`,
			wire.Post{Conv: direct, Content: chat.Content{Kind: chat.FileK, File: &chat.File{URL: "/f", Name: "a.pdf", Type: "application/pdf", Size: "12"}}}},
		"signal": {`{"type":3,"receive_id":"Ubob","av_data":"{\"messageId\":\"PROXY\",\"type\":\"sdp\",\"messageData\":{\"sdp\":1}}"}`,
			wire.Signal{Conv: direct, Call: chat.Call{ID: "PROXY", What: "sdp", Data: json.RawMessage(`{"sdp":1}`)}}},
	} {
		fs, err := codec.Parse([]byte(c.frame))
		if err != nil || len(fs) != 1 || fs[0].Ref != "c1" || !reflect.DeepEqual(fs[0].Body, c.want) {
			t.Errorf("%s: %+v, %v, want %+v", name, fs, err, c.want)
		}
	}
}

func TestAppendWritesTheSeedsFields(t *testing.T) {
	m := chat.Message{Conv: chat.Direct("Uann", "Ubob"), Seq: 1, Author: "Ubob", At: time.Date(2026, 11, 24, 14, 2, 3, 0, time.UTC).UnixMilli()}
	by := chat.Person{ID: "Ubob", Nickname: "阿哲", Avatar: "/a.png"}
	for name, c := range map[string]struct {
		content chat.Content
		want    string
	}{
		"text": {chat.TextContent("hi"), `{"send_id":"Ubob","send_name":"阿哲","send_avatar":"/a.png","receive_id":"Uann","type":1,"content":"hi","url":"","file_type":"","file_name":"","file_size":"","created_at":"2026-11-24 14:02:03"}`},
		"file": {chat.Content{Kind: chat.FileK, File: &chat.File{URL: "/f", Name: "n", Type: "t/t", Size: "9"}}, `{"send_id":"Ubob","send_name":"阿哲","send_avatar":"/a.png","receive_id":"Uann","type":2,"content":"","url":"/f","file_type":"t/t","file_name":"n","file_size":"9","created_at":"2026-11-24 14:02:03"}`},
		"call": {chat.Content{Kind: chat.CallK, Call: &chat.Call{ID: "PROXY", What: "start_call"}}, `{"send_id":"Ubob","send_name":"阿哲","send_avatar":"/a.png","receive_id":"Uann","type":3,"content":"","url":"","file_type":"","file_name":"","file_size":"","created_at":"2026-11-24 14:02:03","av_data":"{\"messageId\":\"PROXY\",\"type\":\"start_call\"}"}`},
	} {
		m.Content = c.content
		p, ok, err := codec.Append(nil, wire.Frame{Body: wire.Posted{Message: m, By: by}})
		if err != nil || !ok || string(p) != c.want {
			t.Errorf("%s: %s, %v, %v, want %s", name, p, ok, err, c.want)
		}
	}
	for _, b := range []wire.Body{wire.Typing{Conv: "Gone"}, wire.Welcome{}, wire.List{IDs: []chat.ConvID{"Gone"}}, wire.Listed{More: true}} {
		if p, ok, _ := codec.Append(nil, wire.Frame{Body: b}); ok {
			t.Errorf("the seed has no word for %T, got %s", b, p)
		}
	}
	for _, k := range []chat.Kind{chat.FileK, chat.CallK} { // another node, or a cache, may hold rubbish
		if p, ok, err := codec.Append(nil, wire.Frame{Body: wire.Posted{Message: chat.Message{Content: chat.Content{Kind: k}}}}); ok || err != nil {
			t.Errorf("%s without one became %s, %v", k, p, err)
		}
	}
	p, _, _ := codec.Append(nil, wire.Frame{Body: wire.Refused{Code: chat.Forbidden, Words: "no"}})
	if string(p) != `{"code":403,"msg":"no"}` {
		t.Errorf("refused is %s", p)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`{}`, `{"type":1,"content":"x","receive_id":"Ubob"}`, `{"type":3,"receive_id":"Ubob","av_data":"{}"}`, `{"receive_id":""}`, `[`, `null`, `{"type":1e9}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		fs, err := codec.Parse(p)
		if err != nil {
			if r := chat.AsRefusal(err); r.Code == chat.Internal {
				t.Errorf("%q: %v is not a refusal", p, err)
			}
			return
		}
		for _, fr := range fs {
			var d chat.Draft
			switch b := fr.Body.(type) {
			case wire.Post:
				d = chat.Draft{Conv: b.Conv, Author: "Uann", Ref: fr.Ref, Content: b.Content}
			case wire.Signal:
				d = chat.Draft{Conv: b.Conv, Author: "Uann", Ref: fr.Ref, Content: chat.Content{Kind: chat.CallK, Call: &b.Call}}
			default:
				t.Fatalf("%q became %T", p, b)
			}
			if d.Validate() != nil {
				continue
			}
			m := chat.Message{Conv: d.Conv, Seq: 1, Author: d.Author, Content: d.Content}
			out, ok, err := codec.Append(nil, wire.Frame{Body: wire.Posted{Message: m}})
			if err != nil || !ok || !json.Valid(out) {
				t.Errorf("%q can't be written again: %s, %v, %v", p, out, ok, err)
			}
		}
	})
}

// The seed's clients know no amendments, and read a quoting text as a text.
func TestNoWordForAmendments(t *testing.T) {
	c := New("U1", nil, time.UTC)
	for _, k := range append([]chat.Kind{chat.Gone}, chat.Amending...) {
		m := chat.Message{Conv: "DU1-U2", Seq: 2, Author: "U2", Content: chat.Content{Kind: k, Of: 1, Text: "👍"}}
		if p, ok, err := c.Append(nil, wire.Frame{Body: wire.Posted{Message: m}}); ok || err != nil || len(p) > 0 {
			t.Errorf("%s becomes %s, %v", k, p, err)
		}
	}
	m := chat.Message{Conv: "DU1-U2", Seq: 2, Author: "U2", Content: chat.TextContent("yes")}
	m.Content.Re = &chat.Quote{Seq: 1, Author: "U1", Text: "tea?"}
	if p, ok, err := c.Append(nil, wire.Frame{Body: wire.Posted{Message: m}}); !ok || err != nil || !strings.Contains(string(p), `"content":"yes"`) {
		t.Errorf("an answer becomes %s, %v", p, err)
	}
}
