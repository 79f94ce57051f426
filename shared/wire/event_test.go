package wire

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"kamachat/shared/chat"
)

func TestEventsMeanTheSameOnAnotherNode(t *testing.T) {
	m := chat.Message{ID: 1<<62 + 1, Conv: "DUa-Ub", Seq: 3, Author: "Ua", At: 5, Content: chat.TextContent("<b> \u2028 \"你好\" 👋🏽\n")}
	file, change, record := m, m, m
	file.Content = chat.Content{Kind: chat.FileK, File: &chat.File{URL: "/f?a=1&b", Name: "ü.png", Type: "image/png", Size: "9", Width: 3, Height: 4}}
	change.Content = chat.Content{Kind: chat.Event, Event: &chat.Change{What: "joined", Who: []chat.UserID{"Uc"}, Name: "x"}}
	record.Content = chat.Content{Kind: chat.CallK, Call: &chat.Call{ID: "PROXY", What: "start_call", Data: json.RawMessage(`{"a":[1]}`)}}
	for name, e := range map[string]Event{
		"posted":       {Conv: m.Conv, Author: "Ua", Ref: `r"1\`, Frame: Frame{Body: Posted{Message: m}}},
		"posted again": {Unread: true, Conv: m.Conv, To: []chat.UserID{"Ua"}, Author: "Ua", Ref: "r1", Frame: Frame{Body: Posted{Message: m}}},
		"file":         {Conv: m.Conv, Author: "Ua", Ref: "r1", Frame: Frame{Body: Posted{Message: file}}},
		"change":       {Conv: m.Conv, Author: "Ua", Ref: "r1", Frame: Frame{Body: Posted{Message: change}}},
		"call record":  {Conv: m.Conv, Author: "Ua", Ref: "r1", Frame: Frame{Body: Posted{Message: record}}},
		"refused":      {Conv: m.Conv, To: []chat.UserID{"Ua"}, Author: "Ua", Ref: "r1", Frame: Frame{Body: Refused{Code: chat.Busy, RetryAfter: 7, Words: "w"}}},
		"signed out":   {To: []chat.UserID{"Ua"}, Ref: strings.Repeat("login", 40), Frame: Frame{Body: Bye{Reason: "signed_out"}}},
		"online":       {To: []chat.UserID{"Ub", "Uc"}, Frame: Frame{Body: Online{User: "Ua", Online: true}}},
		"seen by one":  {Conv: "G1", To: []chat.UserID{"Ua"}, Frame: Frame{Body: Seen{Marks: chat.Marks{Conv: "G1", User: "Ua", Delivered: 3, Read: 2}}}},
		"seen by all":  {Conv: "G1", Frame: Frame{Body: Seen{Marks: chat.Marks{Conv: "G1", Delivered: 3, Read: 2}}}},
		"line of one":  {Conv: "G1", To: []chat.UserID{"Ua"}, Frame: Frame{Body: Lined{Conv: "G1", Line: chat.Line{Pinned: 3, Cleared: 2}}}},
		"asked":        {To: []chat.UserID{"Ua"}, Frame: Frame{Body: Asked{}}},
		"asked in":     {Conv: "G1", To: []chat.UserID{"Ua", "Ub"}, Frame: Frame{Body: Asked{Conv: "G1"}}},
		"typing":       {Conv: "G1", To: []chat.UserID{"Ub"}, Frame: Frame{Body: Typing{Conv: "G1", User: "Ua"}}},
		"call":         {Conv: m.Conv, To: []chat.UserID{"Ub"}, Frame: Frame{Body: Signal{Conv: m.Conv, From: "Ua", Call: chat.Call{ID: "PROXY", What: "sdp", Data: json.RawMessage(`{"a":1}`)}}}},
		"opened":       {To: []chat.UserID{"Ub"}, Frame: Frame{Body: Opened{Summary: chat.Summary{Conv: "G1", Title: "t", Last: &m}, People: []chat.Person{{ID: "Ua"}}}}},
		"frame's ref":  {Frame: Frame{Ref: "f", Body: Bye{Reason: "idle", ComeAfter: 3}}},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := e.Append([]byte("before"))
			if err != nil || !bytes.HasPrefix(p, []byte("before")) || !json.Valid(p[len("before"):]) {
				t.Fatalf("Append: %s, %v", p, err)
			}
			got, err := ParseEvent(p[len("before"):])
			if err != nil || !reflect.DeepEqual(got, e) {
				t.Errorf("got  %+v, %v\nwant %+v", got, err, e)
			}
		})
	}
}

// By is each node's own to look up, and the message's Ref is the event's.
func TestEventsLeaveOutWhatTheReceiverKnows(t *testing.T) {
	b := Posted{Message: chat.Message{Conv: "G1", Seq: 1, Ref: "r1"}, By: chat.Person{ID: "Ua", Nickname: "Ann"}}
	p, err := Event{Conv: "G1", Ref: "r1", Frame: Frame{Body: b}}.Append(nil)
	if err != nil || bytes.Contains(p, []byte("Ann")) {
		t.Fatalf("%s, %v", p, err)
	}
	got, err := ParseEvent(p)
	if back, ok := got.Frame.Body.(Posted); err != nil || !ok || back.By != (chat.Person{}) || back.Ref != "" || got.Ref != "r1" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestEventsOfNewerNodesAreErrors(t *testing.T) {
	for _, in := range []string{"", "7", "{}", `{"c":"G1"}`, `{"f":{"k":"dance","b":{}}}`, `{"f":{"k":"posted","b":[]}}`, `{"t":"Ua","f":{"k":"bye","b":{}}}`} {
		if e, err := ParseEvent([]byte(in)); err == nil {
			t.Errorf("%q became %+v", in, e)
		}
	}
	for name, b := range map[string]string{
		"file without one":      `{"conv":"G1","seq":1,"c":{"k":"file"}}`,
		"call without one":      `{"conv":"G1","seq":1,"c":{"k":"call"}}`,
		"change without one":    `{"conv":"G1","seq":1,"c":{"k":"event"}}`,
		"elsewhere":             `{"conv":"G2","seq":1,"c":{"k":"text","text":"x"}}`,
		"before the beginning":  `{"conv":"G1","seq":0,"c":{"k":"text","text":"x"}}`,
		"nothing, in no place":  `{}`,
		"(that is how it goes)": `{"conv":"G1","seq":1,"c":{"k":"text","text":"x"}}`,
	} {
		_, err := ParseEvent([]byte(`{"c":"G1","f":{"k":"posted","b":` + b + `}}`))
		if (err == nil) != (name == "(that is how it goes)") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ParseEvent([]byte(`{"t":["Ua"],"f":{"k":"opened","b":{"conv":{"conv":"G1","last":{"c":{"k":"file"}}}}}}`)); err == nil {
		t.Error("a conversation whose last entry is a file without one was read")
	}
	bad := Event{Conv: "G1", Frame: Frame{Body: Bad{Kind: "dance"}}}
	if p, err := bad.Append([]byte("x")); err == nil || string(p) != "x" {
		t.Errorf("a frame without an encoding became %q, %v", p, err)
	}
}

// FuzzParseEvent: whatever comes from another node, ParseEvent answers, and
// what it understood means the same after a round trip.
func FuzzParseEvent(f *testing.F) {
	f.Add([]byte(`{"c":"G1","t":["Ua"],"a":"Ub","r":"1","f":{"k":"posted","b":{"conv":"G1","seq":1,"c":{"k":"text","text":"hi"}}}}`))
	f.Add([]byte(`{"f":{"k":"bye","r":"x","b":{"reason":"idle"}}}`))
	f.Fuzz(func(t *testing.T, p []byte) {
		e, err := ParseEvent(p)
		if err != nil {
			return
		}
		one, err := e.Append(nil)
		if err != nil {
			t.Fatalf("%+v can't be encoded: %v", e, err)
		}
		again, err := ParseEvent(one)
		if err != nil {
			t.Fatalf("%s does not parse: %v", one, err)
		}
		if two, _ := again.Append(nil); !bytes.Equal(one, two) {
			t.Fatalf("%s became %s", one, two)
		}
	})
}
