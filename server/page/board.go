package page

import (
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"kamachat/shared/chat"
)

// An OverviewPage is how the installation fares.
type OverviewPage struct {
	Admin
	Tiles  []Tile
	Charts []Chart
	Span   string // one of Spans
	Spans  []string
	Node   string // the one that the charts are of; empty: all together
	Nodes  []string
	Stream bool // the page goes on behind StreamMark, with StreamTiles
}

// StreamMark is where the numbers of a page that goes on come.
const StreamMark = "<!-- live -->"

// A Tile is one number and what it is.
type Tile struct {
	Key   string // of the catalogue, behind "tile."
	Value string
	Sub   string // more about it, in the page's language
	Bad   bool   // it wants attention
}

// Fare is how all nodes are together. Latencies are milliseconds.
type Fare struct {
	People, Connections, Nodes, Queue, Goroutines, Reports int
	Refused                                                int64
	Stored, P50, P95, P99                                  float64
	Memory, Database, Files, Free                          int64 // bytes; Free 0: it is not known
}

// TilesOf writes f as tiles.
func TilesOf(c Common, f Fare) []Tile {
	storage := c.say("tile.storage.files", Bytes(f.Files))
	if f.Free > 0 {
		storage = c.say("tile.storage.free", Bytes(f.Files), Bytes(f.Free))
	}
	latency := Tile{Key: "latency", Value: "—", Sub: c.say("tile.latency.none")}
	if f.P99 > 0 {
		latency = Tile{Key: "latency", Value: Number(f.P50) + " ms", Sub: c.say("tile.latency.sub", Number(f.P95), Number(f.P99)), Bad: f.P99 >= slowest}
	}
	return []Tile{
		{Key: "people", Value: Number(float64(f.People)), Sub: c.say("tile.people.sub", Number(float64(f.Connections)))},
		{Key: "messages", Value: Number(f.Stored), Sub: c.say("tile.messages.sub", Number(float64(f.Refused)))},
		latency,
		{Key: "queue", Value: Number(float64(f.Queue)), Sub: c.say("tile.queue.sub")},
		{Key: "storage", Value: Bytes(f.Database), Sub: storage, Bad: f.Free > 0 && f.Free < scarce},
		{Key: "memory", Value: Bytes(f.Memory), Sub: c.say("tile.memory.sub", Number(float64(f.Goroutines)))},
		{Key: "nodes", Value: Number(float64(f.Nodes)), Sub: c.say("tile.nodes.sub", c.Build)},
		{Key: "reports", Value: Number(float64(f.Reports)), Sub: c.say("tile.reports.sub"), Bad: f.Reports > 0},
	}
}

const (
	slowest = 1000          // milliseconds from which on answers are slow
	scarce  = 1_000_000_000 // bytes of free space below which it is scarce
)

// A Chart is how one or two measures went.
type Chart struct {
	Key      string // of the catalogue, behind "chart."
	Lines    []Line // at most two
	Unit     string // behind numbers: "", "ms", "bytes"
	From, To int64  // Unix milliseconds, of the first point and behind the last
}

// A Line is one measure, point after point at equal distances; NaN where it is
// not known.
type Line struct {
	Key    string // of the catalogue, behind "line."
	Values []float64
}

// The drawing of a chart, in units of its own: it is stretched to its place.
const (
	chartWide = 600
	chartHigh = 120
)

// top is what the upper edge of c stands for: the largest value, rounded up to
// one, two or five of a power of ten.
func (c Chart) top() float64 {
	most := 0.0
	for _, l := range c.Lines {
		for _, v := range l.Values {
			if v > most { // not of NaN
				most = v
			}
		}
	}
	if most <= 0 {
		return 1
	}
	ten := math.Pow(10, math.Floor(math.Log10(most)))
	for _, n := range []float64{1, 2, 5} {
		if most <= n*ten {
			return n * ten
		}
	}
	return 10 * ten
}

// paths are the stretches of a line where it is known, as SVG writes them; below
// is the area under them.
func (c Chart) paths(l Line) (line, below string) {
	var out, area strings.Builder
	top := c.top()
	x := func(i int) float64 { return float64(i) * chartWide / float64(max(1, len(l.Values)-1)) }
	y := func(v float64) float64 { return chartHigh - min(v/top, 1)*(chartHigh-2) - 1 }
	for i := 0; i < len(l.Values); {
		if math.IsNaN(l.Values[i]) {
			i++
			continue
		}
		from := i
		for ; i < len(l.Values) && !math.IsNaN(l.Values[i]); i++ {
			cmd := "L"
			if i == from {
				cmd = "M"
				fmt.Fprintf(&area, "M%.1f %d", x(i), chartHigh)
			}
			fmt.Fprintf(&out, "%s%.1f %.1f", cmd, x(i), y(l.Values[i]))
			fmt.Fprintf(&area, "L%.1f %.1f", x(i), y(l.Values[i]))
		}
		if i == from+1 { // one point is a short line
			fmt.Fprintf(&out, "h2")
		}
		fmt.Fprintf(&area, "L%.1f %dZ", x(i-1), chartHigh)
	}
	return out.String(), area.String()
}

func (c Chart) line(i int) string  { l, _ := c.paths(c.Lines[i]); return l }
func (c Chart) below(i int) string { _, b := c.paths(c.Lines[i]); return b }

// last is the last known value of a line, as it is written.
func (c Chart) last(l Line) string {
	for _, v := range slices.Backward(l.Values) {
		if !math.IsNaN(v) {
			return c.write(v)
		}
	}
	return "—"
}

// write writes a value of c.
func (c Chart) write(v float64) string {
	switch c.Unit {
	case "bytes":
		return Bytes(int64(v))
	case "":
		return Number(v)
	}
	return Number(v) + " " + c.Unit
}

// known reports whether there is anything to draw.
func (c Chart) known() bool {
	return slices.ContainsFunc(c.Lines, func(l Line) bool {
		return slices.ContainsFunc(l.Values, func(v float64) bool { return !math.IsNaN(v) })
	})
}

// says is what c shows, for those who don't see it.
func (p OverviewPage) says(c Chart) string {
	said := p.say("chart." + c.Key)
	for _, l := range c.Lines {
		said += p.say("chart.says", p.say("line."+l.Key), c.last(l), c.write(c.top()))
	}
	return said
}

// Number writes n with at most one digit behind the point, and thousands apart.
func Number(n float64) string {
	if n != 0 && math.Abs(n) < 100 && n != math.Trunc(n) {
		return strconv.FormatFloat(n, 'f', 1, 64)
	}
	s := strconv.FormatInt(int64(math.Round(n)), 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Bytes writes a size.
func Bytes(n int64) string {
	units := []string{"B", "KB", "MB", "GB", "TB", "PB"}
	f, i := float64(n), 0
	for f >= 1000 && i < len(units)-1 {
		f, i = f/1000, i+1
	}
	if i == 0 || f >= 100 {
		return strconv.FormatFloat(f, 'f', 0, 64) + " " + units[i]
	}
	return strconv.FormatFloat(f, 'f', 1, 64) + " " + units[i]
}

// url is the address of this page with charts of another span or node.
func (p OverviewPage) url(span, node string) string {
	q := url.Values{"span": {span}}
	if node != "" {
		q.Set("node", node)
	}
	return "/admin/overview?" + q.Encode()
}

// stream is where the page is that goes on without a script.
func (p OverviewPage) stream() string { return strings.Replace(p.live(), "/live?", "/stream?", 1) }

// live is where the numbers come from that follow.
func (p OverviewPage) live() string {
	q := url.Values{"span": {p.Span}, "lang": {p.Lang}}
	if p.Node != "" {
		q.Set("node", p.Node)
	}
	return "/admin/overview/live?" + q.Encode()
}

// edge is a time below a chart.
func (p OverviewPage) edge(ms int64) string {
	if p.Span == "7d" {
		return p.listTime(ms) + " " + timeOf(p.Common, ms)
	}
	return p.clock(ms)
}

// An InstallationPage is what administrators set.
type InstallationPage struct {
	Admin
	Settings []Setting
}

// A Setting is one of the installation. One with Options is a choice, another a
// whole number from Low to High.
type Setting struct {
	Name, Value string
	Options     []string
	Low, High   int
}

// label is what the catalogue calls it: names have points and underlines.
func (s Setting) label() string { return "setting." + strings.NewReplacer(".", "_").Replace(s.Name) }

// An InvitationsPage lists links to register.
type InvitationsPage struct {
	Admin
	Invitations []chat.Invitation
	People      []chat.Person
	Fresh       string // code of the one that was just made
	Base        string // address of this server, without a slash at the end
	Needed      bool   // nobody registers without one
	Note        string // what was typed before
	Most, Days  int
}

func (p InvitationsPage) link(i chat.Invitation) string {
	return p.Base + "/register?" + url.Values{"invite": {i.Code}}.Encode()
}

// left is how many more an invitation is good for.
func (p InvitationsPage) used(i chat.Invitation) string {
	if i.Most == 0 {
		return p.say("invite.uses.any", i.Uses)
	}
	return p.say("invite.uses", i.Uses, i.Most)
}

func (p InvitationsPage) works(i chat.Invitation) bool { return i.Works(p.Now.UnixMilli()) }

// named is what to call a person of ps.
func (c Common) named(ps []chat.Person, u chat.UserID) string {
	for _, p := range ps {
		if p.ID == u {
			return c.personName(p)
		}
	}
	if u == "" {
		return "—"
	}
	return string(u)
}

// A ReportsPage lists what people reported.
type ReportsPage struct {
	Admin
	Closed  bool
	Reports []chat.Report
	People  []chat.Person
	Behind  int64 // where this page begins, 0 at the beginning
	Next    int64 // and the next, 0 at the end
}

func (p ReportsPage) url(closed bool, behind int64) string {
	q := url.Values{}
	if closed {
		q.Set("closed", "1")
	}
	if behind > 0 {
		q.Set("after", strconv.FormatInt(behind, 10))
	}
	if len(q) == 0 {
		return "/admin/reports"
	}
	return "/admin/reports?" + q.Encode()
}

func (p ReportsPage) first() string {
	if p.Behind == 0 {
		return ""
	}
	return p.url(p.Closed, 0)
}

func (p ReportsPage) next() string {
	if p.Next == 0 {
		return ""
	}
	return p.url(p.Closed, p.Next)
}

// A ReportPage is one report, with messages where it is about one.
type ReportPage struct {
	Admin
	Report  chat.Report
	Title   string // of the conversation
	Entries []chat.Message
	People  []chat.Person
}

func reportURL(r chat.Report) string { return "/admin/reports/" + strconv.FormatInt(r.ID, 10) }

// where is the conversation of a report.
func (p ReportPage) where() string {
	if p.Title != "" {
		return p.Title
	}
	if a, b, ok := p.Report.Conv.Pair(); ok {
		return p.named(p.People, a) + p.say("names.join") + p.named(p.People, b)
	}
	return string(p.Report.Conv)
}

// text is what a message says, in these pages.
func (p ReportPage) text(m chat.Message) string {
	switch {
	case m.Content.Kind == chat.Gone:
		return p.gone(m.Content)
	case m.Content.File != nil:
		return p.say("preview.file", m.Content.File.Name)
	}
	return m.Content.Text
}

// removable reports whether there is a message to remove.
func (p ReportPage) removable() bool {
	return slices.ContainsFunc(p.Entries, func(m chat.Message) bool { return m.Seq == p.Report.Seq && m.Content.Kind != chat.Gone })
}

// A ComplainPage is where somebody reports a message or a person.
type ComplainPage struct {
	Common
	Conv    chat.ConvID
	Seq     int64          // of the message; 0: one of Entries is to be chosen
	User    chat.UserID    // the person, where Conv is empty
	Entries []chat.Message // the message, or those to choose from
	People  []chat.Person
	Reason  string
	Sent    bool
	Problem *chat.Refusal
}

// back is where one came from.
func (p ComplainPage) back() string {
	if p.Conv != "" {
		return "/c/" + string(p.Conv)
	}
	return "/"
}

func (p ComplainPage) option(m chat.Message) string {
	return p.named(p.People, m.Author) + " · " + p.clock(m.At) + " · " + p.preview(m)
}

func (p ComplainPage) preview(m chat.Message) string {
	if m.Content.File != nil {
		return p.say("preview.file", m.Content.File.Name)
	}
	return m.Content.Preview(previewed)
}
