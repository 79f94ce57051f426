package chat

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

func TestIDs(t *testing.T) {
	for id, want := range map[string]bool{
		"U1": true, "U" + strings.Repeat("z", 23): true, "U": false, "": false, "G1": false, "u1": false,
		"U" + strings.Repeat("z", 24): false, "U1-2": false, "U你": false, "U 1": false,
	} {
		if got := UserID(id).Valid(); got != want {
			t.Errorf("UserID %q valid: %v", id, got)
		}
	}
	for id, want := range map[string]bool{
		"G1": true, "DU1-U2": true, "DU2-U1": false, "DU1-U1": false, "DU1": false, "D-": false, "G": false, "U1": false,
		"DU1-G2": false, "DU1-U2-U3": false, "": false, "G1-2": false,
	} {
		if got := ConvID(id).Valid(); got != want {
			t.Errorf("ConvID %q valid: %v", id, got)
		}
	}
	long := Direct(UserID("U"+strings.Repeat("a", 23)), UserID("U"+strings.Repeat("b", 23)))
	if !long.Valid() || len(long) > 50 {
		t.Errorf("the longest id is %q", long)
	}
}

func TestDirectIsTheSameForBoth(t *testing.T) {
	c := Direct("Ub", "Ua")
	if c != Direct("Ua", "Ub") || c != "DUa-Ub" || c.IsGroup() {
		t.Fatalf("got %q", c)
	}
	for u, want := range map[UserID]UserID{"Ua": "Ub", "Ub": "Ua", "Uc": ""} {
		if got, ok := c.Peer(u); got != want || ok != (want != "") {
			t.Errorf("peer of %s is %q %v", u, got, ok)
		}
	}
	if _, ok := ConvID("G1").Peer("Ua"); ok {
		t.Error("a group has a peer")
	}
}

func TestMarksOnlyGrow(t *testing.T) {
	m := Marks{Conv: "G1", Delivered: 5, Read: 3}
	for name, c := range map[string]struct{ o, want Marks }{
		"older":          {Marks{Delivered: 2, Read: 1}, Marks{Conv: "G1", Delivered: 5, Read: 3}},
		"newer":          {Marks{Delivered: 9, Read: 4}, Marks{Conv: "G1", Delivered: 9, Read: 4}},
		"read delivers":  {Marks{Read: 8}, Marks{Conv: "G1", Delivered: 8, Read: 8}},
		"nothing at all": {Marks{}, Marks{Conv: "G1", Delivered: 5, Read: 3}},
	} {
		if got := m.Merge(c.o); got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

func TestContentValidate(t *testing.T) {
	file := func(f File) Content { return Content{Kind: FileK, File: &f} }
	call := func(c Call) Content { return Content{Kind: CallK, Call: &c} }
	for name, c := range map[string]struct {
		c    Content
		want Code
	}{
		"text":               {TextContent("hi"), ""},
		"longest text":       {TextContent(strings.Repeat("你", MaxText)), ""},
		"too long":           {TextContent(strings.Repeat("你", MaxText+1)), TooLong},
		"empty":              {TextContent(" \n\t"), Invalid},
		"not UTF-8":          {TextContent("a\xff"), Invalid},
		"NUL":                {TextContent("a\x00b"), Invalid},
		"no kind":            {Content{Text: "hi"}, Invalid},
		"event":              {Content{Kind: Event, Event: &Change{What: "joined"}}, Invalid},
		"file":               {file(File{URL: "/files/1", Name: "a.pdf", Type: "application/pdf", Size: "3"}), ""},
		"file elsewhere":     {file(File{URL: "https://example.org/a", Name: "a"}), ""},
		"script url":         {file(File{URL: "javascript:alert(1)", Name: "a"}), Invalid},
		"data url":           {file(File{URL: "data:text/html,x", Name: "a"}), Invalid},
		"other host's path":  {file(File{URL: "//evil.example", Name: "a"}), Invalid},
		"backslash":          {file(File{URL: `/\evil.example`, Name: "a"}), Invalid},
		"no name":            {file(File{URL: "/a"}), Invalid},
		"no file":            {Content{Kind: FileK}, Invalid},
		"long type":          {file(File{URL: "/a", Name: "a", Type: strings.Repeat("x", MaxFileType+1)}), TooLong},
		"call":               {call(Call{ID: "PROXY", What: "sdp", Data: json.RawMessage(`{}`)}), ""},
		"peer leave":         {call(Call{ID: "PEER_LEAVE"}), ""},
		"unknown signal":     {call(Call{ID: "PROXY", What: "dance"}), Invalid},
		"no id":              {call(Call{What: "sdp"}), Invalid},
		"large signal":       {call(Call{ID: "PROXY", What: "sdp", Data: make(json.RawMessage, MaxSignal+1)}), TooLong},
		"no call":            {Content{Kind: CallK}, Invalid},
		"tab in a path":      {file(File{URL: "/\t/evil.example", Name: "a"}), Invalid},
		"text with a file":   {Content{Kind: Text, Text: "hi", File: &File{URL: "javascript:alert(1)", Name: "a"}}, Invalid},
		"text with a call":   {Content{Kind: Text, Text: "hi", Call: &Call{ID: "x"}}, Invalid},
		"text with a change": {Content{Kind: Text, Text: "hi", Event: &Change{What: "left"}}, Invalid},
		"file with a text":   {Content{Kind: FileK, Text: "hi", File: &File{URL: "/a", Name: "a"}}, Invalid},
		"deep signal":        {call(Call{ID: "PROXY", What: "start_call", Data: nested(MaxDepth + 1)}), Invalid},
		"nested signal":      {call(Call{ID: "PROXY", What: "start_call", Data: nested(MaxDepth)}), ""},
		"brackets in words":  {call(Call{ID: "PROXY", What: "sdp", Data: json.RawMessage(`{"sdp":"\"` + strings.Repeat("[", 100) + `"}`)}), ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.c.Validate()
			if c.want == "" && err != nil || c.want != "" && !errors.Is(err, &Refusal{Code: c.want}) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// nested is an array in an array, n deep.
func nested(n int) json.RawMessage {
	return json.RawMessage(strings.Repeat("[", n) + strings.Repeat("]", n))
}

func TestDraftValidate(t *testing.T) {
	good := Draft{Conv: "DU1-U2", Author: "U1", Ref: "r", Content: TextContent("hi")}
	for name, c := range map[string]struct {
		change func(*Draft)
		want   Code
	}{
		"good":          {func(*Draft) {}, ""},
		"group":         {func(d *Draft) { d.Conv = "G1" }, ""},
		"others' talk":  {func(d *Draft) { d.Author = "U3" }, Forbidden},
		"no conv":       {func(d *Draft) { d.Conv = "" }, NotFound},
		"no author":     {func(d *Draft) { d.Author = "" }, Forbidden},
		"no ref":        {func(d *Draft) { d.Ref = "" }, Invalid},
		"long ref":      {func(d *Draft) { d.Ref = strings.Repeat("x", MaxRef+1) }, Invalid},
		"not UTF-8 ref": {func(d *Draft) { d.Ref = "\xff" }, Invalid},
		"NUL in ref":    {func(d *Draft) { d.Ref = "r\x00" }, Invalid},
		"space in ref":  {func(d *Draft) { d.Ref = "r " }, Invalid},
		"any sign":      {func(d *Draft) { d.Ref = `!~"\{}<'%` }, ""},
		"lost in JSON":  {func(d *Draft) { d.Ref = "r" + unquoted(`"\ud83d"`) }, Invalid},
		"not ASCII ref": {func(d *Draft) { d.Ref = "rä" }, Invalid},
		"empty text":    {func(d *Draft) { d.Content.Text = "" }, Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			d := good
			c.change(&d)
			if err := d.Validate(); c.want == "" && err != nil || c.want != "" && !errors.Is(err, &Refusal{Code: c.want}) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestPreview(t *testing.T) {
	for _, c := range []struct {
		c    Content
		want string
	}{
		{TextContent("one\n two"), "one two"},
		{TextContent("你好世界你好世界你"), "你好世界你好世…"},
		{TextContent("12345678"), "12345678"},
		{Content{Kind: FileK, File: &File{Name: "a.pdf"}}, "a.pdf"},
		{Content{Kind: Event, Event: &Change{What: "joined"}}, ""},
	} {
		if got := c.c.Preview(8); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestLayout(t *testing.T) {
	zone := time.FixedZone("east", 8*3600)
	at := func(d, h, m int) int64 { return time.Date(2025, 11, d, h, m, 0, 0, zone).UnixMilli() }
	row := func(seq int64, by UserID, at int64) Row {
		return Row{Message: Message{Seq: seq, Author: by, At: at, Content: TextContent("x")}, Mine: by == "U1"}
	}
	rows := []Row{
		row(1, "U2", at(23, 23, 58)), // a day begins
		row(2, "U2", at(23, 23, 59)),
		row(3, "U2", at(24, 0, 1)), // another day
		row(4, "U1", at(24, 0, 2)), // own: never the first unread
		row(5, "U2", at(24, 0, 3)), // the first unread
		row(6, "U2", at(24, 0, 4)),
		row(7, "U2", at(24, 0, 10)), // after a pause
	}
	rows = append(rows, Row{Message: Message{Seq: 8, Author: "U3", At: at(24, 0, 10), Content: Content{Kind: Event}}}, row(9, "U3", at(24, 0, 10)))
	Layout(rows, 3, zone)
	want := map[int64]string{1: "day head", 2: "", 3: "day head", 4: "head", 5: "new head", 6: "", 7: "head", 8: "head", 9: "head"}
	for _, r := range rows {
		var w []string
		if r.Day {
			w = append(w, "day")
		}
		if r.New {
			w = append(w, "new")
		}
		if r.Head {
			w = append(w, "head")
		}
		if got := strings.Join(w, " "); got != want[r.Message.Seq] {
			t.Errorf("row %d: %q, want %q", r.Message.Seq, got, want[r.Message.Seq])
		}
	}
	Layout(rows, -1, zone)
	for _, r := range rows {
		if r.New {
			t.Errorf("row %d has a divider", r.Message.Seq)
		}
	}
}

func TestTickOf(t *testing.T) {
	others := Marks{Delivered: 5, Read: 3}
	for seq, want := range map[int64]Tick{3: Read, 4: Delivered, 5: Delivered, 6: Stored} {
		if got := TickOf(seq, others); got != want {
			t.Errorf("tick of %d is %d, want %d", seq, got, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	busy := &Refusal{Code: Busy, RetryAfter: time.Second}
	if got := AsRefusal(errors.Join(errors.New("x"), busy)); got != busy {
		t.Errorf("got %v", got)
	}
	if got := AsRefusal(errors.New("secret detail")); got.Code != Internal || strings.Contains(got.Words, "secret") {
		t.Errorf("got %v", got)
	}
	if !errors.Is(Refuse(NotFound, "no such thing"), ErrNotFound) || errors.Is(Refuse(Invalid, "x"), ErrNotFound) {
		t.Error("refusals are not compared by code")
	}
}

// unquoted is a string as JSON readers see it.
func unquoted(s string) (out string) {
	_ = json.Unmarshal([]byte(s), &out)
	return out
}

// 0 milliseconds would mean that it is never to be tried again.
func TestTheShortestWaitIsNotNever(t *testing.T) {
	for wait, want := range map[time.Duration]int64{0: 0, 1: 1, time.Microsecond: 1, time.Millisecond: 1, 1500 * time.Microsecond: 2, time.Second: 1000, 48 * time.Hour: 86_400_000, math.MaxInt64: 86_400_000} {
		if got := (&Refusal{Code: RateLimited, RetryAfter: wait}).RetryMillis(); got != want {
			t.Errorf("%v is told as %d ms, want %d", wait, got, want)
		}
	}
}
