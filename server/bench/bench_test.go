package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// startFloor serves a floor that mangles what it delivers, and returns its address.
func startFloor(t *testing.T, mangle func(seq int64) []int64) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := newFloor(l, mangle)
	t.Cleanup(f.close)
	return "http://" + l.Addr().String()
}

// against runs c for a moment against a floor that mangles what it delivers.
func against(t *testing.T, c Config, mangle func(seq int64) []int64) (Report, error) {
	t.Helper()
	c.URL, c.Duration = startFloor(t, mangle), 200*time.Millisecond
	return Run(t.Context(), c, &bytes.Buffer{})
}

func TestEveryWorkloadRuns(t *testing.T) {
	for name, tt := range map[string]struct {
		c      Config
		copies int64 // of each message
	}{
		"direct":            {Config{Workload: Direct, Pairs: 3, InFlight: 4}, 2},
		"direct, open loop": {Config{Workload: Direct, Pairs: 3, Rate: 200}, 2},
		"fanout":            {Config{Workload: Fanout, Members: 5, InFlight: 2}, 5},
		"fanout, 1 writes":  {Config{Workload: Fanout, Members: 5, Senders: 1}, 5},
		"fanout, 1 deaf":    {Config{Workload: Fanout, Members: 5, Deaf: 1}, 5},
		"direct, classic":   {Config{Workload: Direct, Dialect: Classic, Pairs: 3, InFlight: 4}, 2},
		"fanout, classic":   {Config{Workload: Fanout, Dialect: Classic, Members: 5, InFlight: 2}, 5},
		"idle":              {Config{Workload: Idle, Members: 4}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			rep, err := against(t, tt.c, nil)
			if err != nil {
				t.Fatalf("%v: %+v", err, rep)
			}
			if rep.Sent != rep.Acknowledged || rep.Delivered != tt.copies*rep.Sent || (rep.Sent == 0) != (tt.c.Workload == Idle) {
				t.Errorf("sent %d, acknowledged %d, %d copies, want %d of each", rep.Sent, rep.Acknowledged, rep.Delivered, tt.copies)
			}
		})
	}
}

func TestFaultsOfTheServerAreFound(t *testing.T) {
	again := func(seq int64) []int64 {
		if seq == 3 {
			return []int64{seq, seq}
		}
		return []int64{seq}
	}
	rep, err := against(t, Config{Workload: Direct, Pairs: 1, InFlight: 1}, again)
	if !errors.Is(err, ErrWrong) || rep.Doubled != 3 || rep.SeqJumps != 2 { // two copies and one acknowledgement too many
		t.Errorf("doubled: got %v, %+v", err, rep)
	}

	jump := func(seq int64) []int64 {
		if seq > 3 {
			seq++
		}
		return []int64{seq}
	}
	rep, err = against(t, Config{Workload: Direct, Pairs: 1, InFlight: 1}, jump)
	if !errors.Is(err, ErrWrong) || rep.SeqJumps != 2 || rep.Lost != 0 {
		t.Errorf("a hole in the log: got %v, %+v", err, rep)
	}
}

func TestTracksTellLostDoubledAndReordered(t *testing.T) {
	for name, tt := range map[string]struct {
		saw                      []int64
		excused                  []int64
		resent                   map[int64]struct{}
		lost, doubled, reordered int64
	}{
		"all in order":     {saw: []int64{0, 1, 2, 3}},
		"one lost":         {saw: []int64{0, 2, 3}, lost: 1},
		"the end lost":     {saw: []int64{0, 1}, lost: 2},
		"nothing came":     {lost: 4},
		"not acknowledged": {saw: []int64{0, 2}, excused: []int64{1, 3}},
		"one twice":        {saw: []int64{0, 1, 1, 2, 3}, doubled: 1},
		"an old one again": {saw: []int64{0, 1, 2, 3, 0}, doubled: 1},
		"one late":         {saw: []int64{0, 2, 1, 3}, reordered: 1},
		"sent late":        {saw: []int64{0, 2, 1, 3}, resent: map[int64]struct{}{1: {}}},
		"late and twice":   {saw: []int64{0, 2, 1, 1, 3}, reordered: 1, doubled: 1},
	} {
		t.Run(name, func(t *testing.T) {
			var k track
			for _, n := range tt.saw {
				k.saw(n)
			}
			excused := func(n int64) bool { return slices.Contains(tt.excused, n) }
			if lost := k.lost(4, excused); lost != tt.lost || k.doubled != tt.doubled || k.reordered(tt.resent) != tt.reordered {
				t.Errorf("got lost %d, doubled %d, reordered %d, want %+v", lost, k.doubled, k.reordered(tt.resent), tt)
			}
		})
	}
}

// A server that stalls must not look better because the generator waited for it.
func TestOpenLoopCountsTheStall(t *testing.T) {
	var stalled atomic.Bool
	stall := func(seq int64) []int64 {
		if seq == 5 && stalled.CompareAndSwap(false, true) {
			time.Sleep(100 * time.Millisecond)
		}
		return []int64{seq}
	}
	rep, err := against(t, Config{Workload: Direct, Pairs: 1, Rate: 200}, stall)
	if err != nil {
		t.Fatal(err)
	}
	// 20 of the 40 posts fell due within the stall; a closed loop would have seen one.
	if rep.Ack.P90 < 50 {
		t.Errorf("p90 is %.1f ms after a stall of 100 ms in 200 ms", rep.Ack.P90)
	}
}

func TestReadNativeAgreesWithTheCodec(t *testing.T) {
	frames := []wire.Frame{
		{Ref: "a1-000000007", Body: posting(3, "G1", text(1, 0, 7, 99))},
		{Body: posting(4, chat.Direct("U1", "U2"), text(1, 2, 12345, 1<<50))},
		{Body: wire.Online{User: "U1", Online: true}},
		{Body: wire.Posted{Message: chat.Message{Conv: "G1", Seq: 5, Content: chat.Content{Kind: chat.Event, Event: &chat.Change{What: "made"}}}}},
		{Body: posting(6, "G1", "kb 1 2 and that was it")},
		{Ref: `odd"ref`, Body: posting(7, "G1", text(1, 0, 8, 100))},
		{Body: posting(8, "G1", text(1, 1, 0, 0))},
	}
	var encoded [][]byte
	for _, f := range frames {
		b, _, err := wire.V1.Append(nil, f)
		if err != nil {
			t.Fatal(err)
		}
		encoded = append(encoded, b)
	}
	var got []posted
	others := 0
	if err := readNative(wire.Join(encoded), func(p posted) { got = append(got, p) }, func(wire.Frame) { others++ }); err != nil {
		t.Fatal(err)
	}
	want := []posted{
		{[]byte("a1-000000007"), 3, note{1, 0, 7, 99}},
		{nil, 4, note{1, 2, 12345, 1 << 50}},
		{[]byte(`odd"ref`), 7, note{1, 0, 8, 100}},
		{nil, 8, note{1, 1, 0, 0}},
	}
	if len(got) != len(want) || others != 3 {
		t.Fatalf("got %+v and %d others, want %+v and 3", got, others, want)
	}
	for i := range want {
		if string(got[i].ref) != string(want[i].ref) || got[i].seq != want[i].seq || got[i].note != want[i].note {
			t.Errorf("got %+v, want %+v", got[i], want[i])
		}
	}
}

func text(run, from, n, due int64) string { return string(note{run, from, n, due}.append(nil)) }

func posting(seq int64, conv chat.ConvID, text string) wire.Posted {
	return wire.Posted{Message: chat.Message{ID: 1, Conv: conv, Seq: seq, Author: "U1", At: 5, Content: chat.TextContent(text)}}
}

func FuzzReadNative(f *testing.F) {
	b, _, _ := wire.V1.Append(nil, wire.Frame{Ref: "r", Body: posting(1, "G1", text(1, 2, 3, 4))})
	f.Add(b)
	f.Add(wire.Join([][]byte{b, b}))
	f.Add([]byte(`{"k":"posted","b":{"seq":1,"c":{"k":"text","text":"kb `))
	f.Fuzz(func(t *testing.T, p []byte) {
		readNative(p, func(posted) {}, func(wire.Frame) {}) // any answer will do, but no panic
	})
}

func TestReadPeopleTakesWhatImportPrints(t *testing.T) {
	ps, err := ReadPeople(strings.NewReader("username,id,token\nann,Uabc,secret\nli,Udef,other\n"))
	if err != nil || len(ps) != 2 || ps[1] != (Person{"li", "Udef", "other"}) {
		t.Errorf("got %v, %v", ps, err)
	}
	for name, text := range map[string]string{
		"no header": "ann,Uabc,secret\n",
		"no id":     "username,id,token\nann,,secret\n",
		"nothing":   "",
	} {
		if _, err := ReadPeople(strings.NewReader(text)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestConfigsThatMakeNoSenseAreRefused(t *testing.T) {
	for name, c := range map[string]Config{
		"workload": {Workload: "pairs"},
		"negative": {Workload: Direct, Pairs: -1},
		"senders":  {Workload: Fanout, Members: 2, Senders: 3},
		"deaf":     {Workload: Direct, Deaf: 1},
		"too few":  {Workload: Direct, Pairs: 2, People: make([]Person, 3)},
	} {
		if _, err := Run(t.Context(), c, &bytes.Buffer{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestTheReportIsJSONWhenAsked(t *testing.T) {
	var out bytes.Buffer
	_, err := Run(context.Background(), Config{URL: startFloor(t, nil), Workload: Direct, Pairs: 1, JSON: true, Duration: 50 * time.Millisecond}, &out)
	if err != nil {
		t.Fatal(err)
	}
	var rep Report
	if err := json.Unmarshal(out.Bytes(), &rep); err != nil || rep.Acknowledged == 0 || rep.Ack.P50 <= 0 {
		t.Errorf("got %v, %s", err, out.String())
	}
}
