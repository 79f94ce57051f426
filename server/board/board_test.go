package board

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"kamachat/shared/chat"
)

// memory is the part of a Store that is about samples.
type memory struct {
	Store
	rows  []Sample
	asked int // times that samples were read
	old   int64
}

func (m *memory) AddSample(_ context.Context, node string, at int64, data string, before int64) error {
	s := Sample{}
	if err := json.Unmarshal([]byte(data), &s); err != nil {
		return err
	}
	s.Node, s.At = node, at
	m.rows, m.old = append(m.rows, s), before
	return nil
}

func (m *memory) Samples(_ context.Context, since int64, node string, _ int64, each func(string, int64, string)) error {
	m.asked++
	for _, s := range m.rows {
		if s.At >= since && (node == "" || node == s.Node) {
			data, err := json.Marshal(s)
			if err != nil {
				return err
			}
			each(s.Node, s.At, string(data))
		}
	}
	each("9", since, "not JSON")
	return nil
}

func (m *memory) OpenReports(context.Context) (int, error) { return 4, nil }

func (m *memory) Size(context.Context) (int64, int64, error) { return 100, 200, nil }

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// fixed is a service at noon, which the test may move.
func fixed(m *memory) (*Service, *time.Time) {
	now := noon
	return New(Config{
		Store: m, Node: "0", Now: func() time.Time { return now }, Free: func() int64 { return 300 },
		Live: func() Live {
			return Live{People: 1, Connections: 2, Queue: 3, Goroutines: 4, Memory: 5, StoredEver: 1000}
		},
	}), &now
}

func at(node string, ago time.Duration, s Sample) Sample {
	s.Node, s.At = node, noon.Add(-ago).UnixMilli()
	return s
}

func TestChartsAddNodesAndAverageTimes(t *testing.T) {
	m := &memory{rows: []Sample{
		at("0", 90*time.Second, Sample{People: 10, Stored: 2, P99: 5, Queue: 1, Refused: 1}), at("0", 70*time.Second, Sample{People: 20, Stored: 4, P99: 9, Queue: 7, Refused: 2}),
		at("1", 80*time.Second, Sample{People: 5, Stored: 1, P99: 50, Refused: 3}), at("1", 30*time.Minute, Sample{People: 2}), at("1", 2*time.Hour, Sample{People: 1000}),
	}}
	s, now := fixed(m)
	c, err := s.Charts(t.Context(), "nonsense", "")
	if err != nil || c.Span != Hour || len(c.Points) != 60 || !slices.Equal(c.Nodes, []string{"0", "1"}) {
		t.Fatalf("got %s with %d points of %v, %v", c.Span, len(c.Points), c.Nodes, err)
	}
	known := map[int]Point{}
	for i, p := range c.Points {
		if p.Known {
			known[i] = p
		}
	}
	if p := known[57]; len(known) != 2 || p.People != 20 || p.Stored != 4 || p.P99 != 50 || p.Queue != 7 || p.Refused != 6 || known[29].People != 2 {
		t.Errorf("known are %+v", known)
	}
	if one, err := s.Charts(t.Context(), Hour, "1"); err != nil || one.Points[57].People != 5 || len(one.Nodes) != 2 {
		t.Errorf("of a node: %+v of %v, %v", one.Points[57], one.Nodes, err)
	}
	asked := m.asked
	if _, err := s.Charts(t.Context(), Hour, ""); err != nil || m.asked != asked {
		t.Errorf("a second look asked again, %v", err)
	}
	*now = now.Add(SampleEvery)
	if _, err := s.Charts(t.Context(), Hour, ""); err != nil || m.asked != asked+1 {
		t.Errorf("after half a minute it was not asked again, %v", err)
	}
	for span, points := range map[Span]int{Day: 96, Week: 84} {
		if c, err := s.Charts(t.Context(), span, ""); err != nil || len(c.Points) != points {
			t.Errorf("%s has %d points, %v", span, len(c.Points), err)
		}
	}
}

func TestAWatchCountsWhatIsStoredBetweenLooks(t *testing.T) {
	m := &memory{rows: []Sample{
		at("0", 20*time.Second, Sample{People: 99, Stored: 8, P99: 3}), at("1", 45*time.Second, Sample{People: 1, Stored: 1}), at("1", 15*time.Second, Sample{People: 10, Stored: 2, P99: 7, Memory: 100}),
		at("2", 5*time.Minute, Sample{People: 1000}), // it has gone
	}}
	s, now := fixed(m)
	stored := int64(1000)
	s.Live = func() Live { return Live{People: 1, Memory: 5, StoredEver: stored} }
	w := s.Watch()
	o, err := w.Next(t.Context())
	if err != nil || o.Nodes != 2 || o.People != 11 || o.Stored != 10 || o.P99 != 7 || o.Memory != 105 || o.Reports != 4 || o.Free != 300 {
		t.Errorf("at first %+v, %v", o, err)
	}
	stored += 60
	*now = now.Add(2 * time.Second)
	if o, err = w.Next(t.Context()); err != nil || o.Stored != 32 {
		t.Errorf("then %v messages per second, %v, want 30 here and 2 there", o.Stored, err)
	}
}

func TestSamplesAreKeptForAWeekWithWhatIsStored(t *testing.T) {
	m := &memory{}
	s, _ := fixed(m)
	s.measure(t.Context())
	if err := s.keep(t.Context(), Sample{People: 3}); err != nil {
		t.Fatal(err)
	}
	want := Sample{Node: "0", At: noon.UnixMilli(), People: 3, Storage: Storage{100, 200, 300}}
	if len(m.rows) != 1 || m.rows[0] != want || m.old != noon.Add(-7*24*time.Hour).UnixMilli() {
		t.Errorf("kept are %+v, older than %d gone; want %+v", m.rows, m.old, want)
	}
}

func TestAReportShowsFiveMessagesBeforeAndAfter(t *testing.T) {
	log := func(kinds string) (es []chat.Message) { // t: text, g: gone, r: a reaction
		for i, k := range kinds {
			es = append(es, chat.Message{Seq: int64(i + 1), Content: chat.Content{Kind: map[rune]chat.Kind{'t': chat.Text, 'g': chat.Gone, 'r': chat.React}[k]}})
		}
		return es
	}
	for name, c := range map[string]struct {
		log  string
		seq  int64
		want string
	}{
		"in the midst":  {"tttttttttttttttt", 8, "3 4 5 6 7 8 9 10 11 12 13 "},
		"the first":     {"tttttttttttttttt", 1, "1 2 3 4 5 6 "},
		"the last":      {"tttttttt", 8, "3 4 5 6 7 8 "},
		"alone":         {"t", 1, "1 "},
		"reactions":     {"trtrtrtrtrtrtrtrt", 9, "1 3 5 7 9 11 13 15 17 "},
		"it is unsent":  {"ttgt", 3, "1 2 3 4 "},
		"it is removed": {"ttrt", 3, "1 2 4 "},
		"nothing":       {"", 3, ""},
	} {
		got := ""
		for _, m := range near(log(c.log), c.seq) {
			got += fmt.Sprint(m.Seq, " ")
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
