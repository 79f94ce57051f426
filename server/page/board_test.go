package page

import (
	"math"
	"strings"
	"testing"

	"github.com/a-h/templ"

	"kamachat/shared/chat"
)

// boardPages are the pages about the installation, invitations and reports.
func boardPages(lang string) map[string]templ.Component {
	hour, now := int64(3_600_000), noon.UnixMilli()
	frame := func(at string) Admin {
		return Admin{Common: common(lang), Me: chat.Person{ID: ann, Username: "ann", Nickname: "Lin Mei", Admin: true}, At: at}
	}
	nan := math.NaN()
	fares := OverviewPage{Admin: frame("/admin/overview"), Span: "1h", Spans: []string{"1h", "24h", "7d"}, Node: "2", Nodes: []string{"1", "2"}, Tiles: TilesOf(common(lang), Fare{
		People: 1284, Connections: 1702, Nodes: 2, Queue: 3, Goroutines: 5200, Reports: 3, Refused: 7, Stored: 46.23, P50: 3.1, P95: 8, P99: 1250,
		Memory: 412_000_000, Database: 5_120_000_000, Files: 71_300_000_000, Free: 900_000_000,
	}), Charts: []Chart{
		{Key: "people", Lines: []Line{{"people", []float64{nan, 2, 4, nan, 7}}, {"connections", []float64{nan, 3, 6, nan, 12}}}, From: now - hour, To: now},
		{Key: "latency", Unit: "ms", Lines: []Line{{"p50", []float64{0, 0, 0}}, {"p99", []float64{0, 1.5, 3}}}, From: now - hour, To: now},
		{Key: "memory", Unit: "bytes", Lines: []Line{{"memory", []float64{nan, nan}}}, From: now - hour, To: now},
	}}
	fares.Waiting = map[string]int{"/admin/reports": 3}
	fresh := OverviewPage{Admin: frame("/admin/overview"), Span: "7d", Spans: []string{"1h", "24h", "7d"}, Nodes: []string{"0"}, Tiles: TilesOf(common(lang), Fare{Nodes: 1}),
		Charts: []Chart{{Key: "messages", Lines: []Line{{"messages", []float64{1000, 999}}}, From: now - 168*hour, To: now}}}
	stream := fresh
	stream.Stream = true
	set := []Setting{
		{Name: "registration", Value: "invite", Options: []string{"open", "invite", "closed"}}, {Name: "posting", Value: "anyone", Options: []string{"anyone", "contacts"}},
		{Name: "max_group", Value: "10000", Low: 2, High: 10000}, {Name: "retention.days", Value: "0", High: 36500}, {Name: "retention.files_days", Value: "30", High: 36500},
	}
	wrong := InstallationPage{Admin: frame("/admin/settings"), Settings: []Setting{{Name: "max_group", Value: `<1"`, Low: 2, High: 10000}}}
	wrong.Problem, wrong.Sure.Said = chat.Refuse(chat.Invalid, "a group may have from 2 to 10,000 people"), true
	saved := InstallationPage{Admin: frame("/admin/settings"), Settings: set}
	saved.Said = "settings.saved"
	people := []chat.Person{{ID: ann, Username: "ann", Nickname: "Lin Mei"}, {ID: bob, Username: "bob", Nickname: "<Azhe>"}, {ID: eve, Username: chat.GoneUsername(eve)}}
	links := InvitationsPage{Admin: frame("/admin/invitations"), People: people, Base: "https://chat.example.org", Needed: true, Fresh: "FRESH", Most: 1, Days: 14, Invitations: []chat.Invitation{
		{Code: "FRESH", By: ann, Note: "The <hikers>", Most: 3, Uses: 1, ExpiresAt: now + 48*hour}, {Code: "FREE", By: bob}, {Code: "OVER", By: eve, Most: 1, Uses: 1},
	}}
	reports := []chat.Report{
		{ID: 9, By: bob, Conv: hike, Seq: 5, User: eve, Reason: "Rude <b>again</b>", Said: "You <fool>", At: now - hour},
		{ID: 8, By: ann, User: bob, Reason: "Pretends to be me", At: now - 50*hour, ClosedBy: ann, ClosedAt: now, Outcome: chat.OutcomeSettled},
	}
	case1 := ReportPage{Admin: frame("/admin/reports"), Report: reports[0], Title: "Weekend hike", People: people, Entries: []chat.Message{
		said(hike, 4, bob, -20, chat.TextContent("Hello\nall")), said(hike, 5, eve, -19, chat.TextContent("You <fool>")), said(hike, 6, ann, -18, chat.Content{Kind: chat.Gone}),
	}}
	direct := ReportPage{Admin: frame("/admin/reports"), Report: chat.Report{ID: 7, By: ann, Conv: chat.Direct(ann, bob), Seq: 1, User: bob, Reason: "x", Said: "y", At: now}, People: people}
	closed := ReportsPage{Admin: frame("/admin/reports"), Closed: true, Reports: reports[1:], People: people, Behind: 12, Next: 8}
	form := ComplainPage{Common: common(lang), Conv: hike, Seq: 5, People: people, Entries: case1.Entries[1:2]}
	refused := ComplainPage{Common: common(lang), User: bob, People: people, Problem: chat.Refuse(chat.Invalid, "a report needs a reason")}
	work := JobsPage{Admin: frame("/admin/jobs"), People: people, Jobs: []chat.Job{
		{ID: 4, Kind: "export", By: bob, State: chat.JobRunning, Done: 1200, Total: 4800, At: now - hour/60}, {ID: 3, Kind: "of-<tomorrow>", State: chat.JobRunning, At: now - hour/30},
		{ID: 2, Kind: "export", By: ann, State: chat.JobDone, Done: 7, Total: 7, At: now - 30*hour}, {ID: 1, Kind: "export", By: eve, State: chat.JobFailed, Done: 5, At: now - 50*hour, Detail: map[string]string{chat.JobProblem: "the server was restarted"}},
		{ID: 0, Kind: "export", By: ann, State: chat.JobCancelled, At: now - 60*hour},
	}}
	return map[string]templ.Component{
		"admin-overview":          Overview(fares),
		"admin-overview-stream":   Overview(stream),
		"admin-overview-new":      Overview(fresh),
		"admin-settings":          Installation(saved),
		"admin-settings-wrong":    Installation(wrong),
		"admin-invitations":       Invitations(links),
		"admin-invitations-none":  Invitations(InvitationsPage{Admin: frame("/admin/invitations"), Base: "http://localhost", Days: 14}),
		"admin-reports":           Reports(ReportsPage{Admin: frame("/admin/reports"), Reports: reports[:1], People: people}),
		"admin-reports-closed":    Reports(closed),
		"admin-reports-none":      Reports(ReportsPage{Admin: frame("/admin/reports")}),
		"admin-report":            Report(case1),
		"admin-report-of-two":     Report(direct),
		"admin-report-of-someone": Report(ReportPage{Admin: frame("/admin/reports"), Report: reports[1], People: people}),
		"admin-jobs":              Jobs(work),
		"admin-jobs-none":         Jobs(JobsPage{Admin: frame("/admin/jobs")}),
		"report":                  Complain(form),
		"report-choose":           Complain(ComplainPage{Common: common(lang), Conv: hike, People: people, Entries: case1.Entries[:2]}),
		"report-person":           Complain(refused),
		"report-sent":             Complain(ComplainPage{Common: common(lang), Sent: true}),
		"register-closed":         Register(RegisterPage{Common: common(lang), Next: "/", Closed: chat.Refuse(chat.Forbidden, "registration is by invitation")}),
		"register-invited":        Register(RegisterPage{Common: common(lang), Next: "/", Invite: `C"`}),
	}
}

func TestChartsAreDrawnWhereSomethingIsKnown(t *testing.T) {
	nan := math.NaN()
	for name, c := range map[string]struct {
		values []float64
		top    float64
		line   string
	}{
		"nothing":  {[]float64{nan, nan}, 1, ""},
		"zero":     {[]float64{0, 0}, 1, "M0.0 119.0L600.0 119.0"},
		"a gap":    {[]float64{10, nan, 5}, 10, "M0.0 1.0h2M600.0 60.0h2"},
		"three":    {[]float64{0, 1.2, 2}, 2, "M0.0 119.0L300.0 48.2L600.0 1.0"},
		"large":    {[]float64{0, 7e6}, 1e7, "M0.0 119.0L600.0 36.4"},
		"only one": {[]float64{3}, 5, "M0.0 48.2h2"},
	} {
		chart := Chart{Lines: []Line{{Values: c.values}}}
		if got := chart.line(0); chart.top() != c.top || got != c.line {
			t.Errorf("%s: up to %v, %q; want %v, %q", name, chart.top(), got, c.top, c.line)
		}
		if chart.known() != (c.line != "") || strings.Contains(chart.below(0), "NaN") {
			t.Errorf("%s: known %v, below %q", name, chart.known(), chart.below(0))
		}
	}
}

func TestNumbersAreWritten(t *testing.T) {
	for n, want := range map[float64]string{0: "0", 0.04: "0.0", 46.23: "46.2", 99.96: "100.0", 100.4: "100", 1234: "1,234", 1234567: "1,234,567", -1234: "-1,234"} {
		if got := Number(n); got != want {
			t.Errorf("Number(%v) is %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 KB", 412_000_000: "412 MB", 5_120_000_000: "5.1 GB"} {
		if got := Bytes(n); got != want {
			t.Errorf("Bytes(%v) is %q, want %q", n, got, want)
		}
	}
}
