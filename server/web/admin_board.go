package web

import (
	"bytes"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"kamachat/server/board"
	"kamachat/server/page"
	"kamachat/server/settings"
	"kamachat/shared/chat"
)

// Where more entries of the navigation lead.
const (
	atOverview    = "/admin/overview"
	atReports     = "/admin/reports"
	atInvitations = "/admin/invitations"
	atSettings    = "/admin/settings"
)

func (s *server) adminBoardRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /admin/overview", s.admin(s.adminOverview))
	mux.HandleFunc("GET /admin/overview/live", s.admin(s.adminLive))
	mux.HandleFunc("GET /admin/overview/stream", s.admin(s.adminStream))
	mux.HandleFunc("GET /admin/settings", s.admin(s.adminSettings))
	mux.HandleFunc("POST /admin/settings", s.admin(s.adminSettingsDo))
	mux.HandleFunc("GET /admin/invitations", s.admin(s.adminInvitations))
	mux.HandleFunc("POST /admin/invitations", s.admin(s.adminInvite))
	mux.HandleFunc("POST /admin/invitations/withdraw", s.admin(s.adminUninvite))
	s.adminReportRoutes(mux)
}

// deed is something that c does, as the audit log names them.
func deed(r *http.Request, c caller) chat.Deed {
	return chat.Deed{By: c.ID, ByName: c.Username, Addr: address(r)}
}

// liveEvery is how often the numbers of the overview follow, chartsEvery its
// charts, and liveFor how long before the browser asks anew.
const (
	liveEvery   = 2 * time.Second
	chartsEvery = 30 * time.Second
	liveFor     = 10 * time.Minute
)

func (s *server) adminOverview(w http.ResponseWriter, r *http.Request, c caller) error {
	p, err := s.overview(w, r, c, nil)
	if err != nil {
		return err
	}
	s.draw(w, r, http.StatusOK, page.Overview(p))
	return nil
}

// overview is the page, with numbers from watch; nil: once.
func (s *server) overview(w http.ResponseWriter, r *http.Request, c caller, watch *board.Watch) (p page.OverviewPage, err error) {
	q := r.URL.Query()
	p = page.OverviewPage{Admin: s.adminPage(w, r, c, atOverview), Node: q.Get("node")}
	if watch == nil {
		watch = s.Board.Watch()
	}
	o, err := watch.Next(r.Context())
	if err != nil {
		return p, err
	}
	p.Tiles = tiles(p.Common, o)
	charts, err := s.Board.Charts(r.Context(), board.Span(q.Get("span")), p.Node)
	if err != nil {
		return p, err
	}
	for _, s := range board.Spans {
		p.Spans = append(p.Spans, string(s))
	}
	p.Span, p.Nodes = string(charts.Span), charts.Nodes
	if p.Node != "" && !slices.Contains(p.Nodes, p.Node) {
		p.Nodes = append(p.Nodes, p.Node)
	}
	p.Charts = drawnFrom(charts)
	return p, nil
}

// tiles are the numbers of the overview.
func tiles(c page.Common, o board.Overview) []page.Tile {
	t := page.TilesOf(c, page.Fare{
		People: o.People, Connections: o.Connections, Nodes: o.Nodes, Stored: o.Stored, Refused: o.Refused, Queue: o.Queue,
		P50: o.P50, P95: o.P95, P99: o.P99, Memory: o.Memory, Goroutines: o.Goroutines, Database: o.Database, Files: o.Files, Free: o.Free, Reports: o.Reports,
	})
	return t
}

// drawnFrom are the charts of the overview.
func drawnFrom(c board.Charts) []page.Chart {
	line := func(key string, of func(board.Point) float64) page.Line {
		l := page.Line{Key: key, Values: make([]float64, len(c.Points))}
		for i, p := range c.Points {
			l.Values[i] = math.NaN()
			if p.Known {
				l.Values[i] = of(p)
			}
		}
		return l
	}
	chart := func(key, unit string, lines ...page.Line) page.Chart {
		return page.Chart{Key: key, Unit: unit, Lines: lines, From: c.From.UnixMilli(), To: c.From.Add(time.Duration(len(c.Points)) * c.Step).UnixMilli()}
	}
	return []page.Chart{
		chart("people", "", line("people", func(p board.Point) float64 { return float64(p.People) }), line("connections", func(p board.Point) float64 { return float64(p.Connections) })),
		chart("messages", "", line("messages", func(p board.Point) float64 { return p.Stored })),
		chart("latency", "ms", line("p50", func(p board.Point) float64 { return p.P50 }), line("p99", func(p board.Point) float64 { return p.P99 })),
		chart("queue", "", line("queue", func(p board.Point) float64 { return float64(p.Queue) })),
		chart("memory", "bytes", line("memory", func(p board.Point) float64 { return float64(p.Memory) })),
		chart("storage", "bytes", line("database", func(p board.Point) float64 { return float64(p.Database) }), line("files", func(p board.Point) float64 { return float64(p.Files) })),
	}
}

// adminLive sends the numbers of the overview as they change, and its charts, as
// server-sent events.
func (s *server) adminLive(w http.ResponseWriter, r *http.Request, c caller) error {
	charts := time.Now()
	return s.follow(w, r, c, "text/event-stream", func(p page.OverviewPage, out *bytes.Buffer) error {
		if time.Since(charts) >= chartsEvery {
			charts = time.Now()
			if err := s.event(r, out, "charts", page.Charts(p)); err != nil {
				return err
			}
		}
		return s.event(r, out, "tiles", page.Tiles(p.Common, p.Tiles))
	})
}

// adminStream sends the page of the overview for those without a script: it does
// not end, and new numbers come behind those before, which the style sheet hides.
func (s *server) adminStream(w http.ResponseWriter, r *http.Request, c caller) error {
	begun := false
	return s.follow(w, r, c, "text/html; charset=utf-8", func(p page.OverviewPage, out *bytes.Buffer) error {
		if !begun {
			begun, p.Stream = true, true
			var whole bytes.Buffer
			if err := page.Overview(p).Render(r.Context(), &whole); err != nil {
				return err
			}
			head, _, _ := bytes.Cut(whole.Bytes(), []byte(page.StreamMark)) // browsers close what is open
			out.Write(head)
		}
		return page.StreamTiles(p).Render(r.Context(), out)
	})
}

// follow sends pieces of the overview, as send writes them, every two seconds:
// until the sign-in or the server ends, the browser leaves, or ten minutes have passed.
func (s *server) follow(w http.ResponseWriter, r *http.Request, c caller, kind string, send func(page.OverviewPage, *bytes.Buffer) error) error {
	watch := s.Board.Watch()
	p, err := s.overview(w, r, c, watch)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("X-Accel-Buffering", "no") // or nginx keeps it back
	rc := http.NewResponseController(w)
	end := time.NewTimer(liveFor)
	defer end.Stop()
	tick := time.NewTicker(liveEvery)
	defer tick.Stop()
	for {
		var out bytes.Buffer
		if err := send(p, &out); err != nil {
			s.Log.Error("piece of a page not drawn", "route", r.Pattern, "err", err)
			return nil // the answer has begun
		}
		_ = rc.SetWriteDeadline(time.Now().Add(5 * liveEvery)) // only tests have writers without one
		if _, err := w.Write(out.Bytes()); err != nil {
			return nil
		}
		if err := rc.Flush(); err != nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-end.C:
			return nil
		case <-s.Ending:
			return nil
		case <-r.Context().Done():
			return nil
		}
		again, err := s.caller(r)
		if err != nil || again.ID != c.ID || !again.Admin {
			return nil
		}
		if p, err = s.overview(w, r, c, watch); err != nil {
			return nil
		}
	}
}

// event appends a server-sent event whose data is a piece of a page.
func (s *server) event(r *http.Request, to *bytes.Buffer, name string, piece templ.Component) error {
	var b bytes.Buffer
	if err := piece.Render(r.Context(), &b); err != nil {
		return err
	}
	fmt.Fprintf(to, "event: %s\ndata: %s\n\n", name, strings.NewReplacer("\r", "", "\n", "\ndata: ").Replace(b.String()))
	return nil
}

func (s *server) adminSettings(w http.ResponseWriter, r *http.Request, c caller) error {
	s.drawSettings(w, r, c, nil, nil)
	return nil
}

// drawSettings draws what administrators set, or what was typed, and why that was refused.
func (s *server) drawSettings(w http.ResponseWriter, r *http.Request, c caller, typed map[string]string, problem error) {
	p := page.InstallationPage{Admin: s.adminPage(w, r, c, atSettings)}
	p.Sure = s.sureness(r, c)
	status := http.StatusOK
	if problem != nil {
		status, p.Problem = s.refuse(w, r, problem).Status, chat.AsRefusal(problem)
	} else if r.URL.Query().Has("saved") {
		p.Said = "settings.saved"
	}
	now := s.Settings.Get()
	for _, name := range settings.Names {
		one := page.Setting{Name: name, Value: now.Of(name)}
		if v, ok := typed[name]; ok {
			one.Value = v
		}
		one.Options, one.Low, one.High = settings.Bounds(name)
		p.Settings = append(p.Settings, one)
	}
	s.draw(w, r, status, page.Installation(p))
}

func (s *server) adminSettingsDo(w http.ResponseWriter, r *http.Request, c caller) error {
	if err := r.ParseForm(); err != nil {
		return badBody(err)
	}
	typed := map[string]string{}
	for _, name := range settings.Names {
		if r.PostForm.Has(name) {
			typed[name] = strings.TrimSpace(r.PostForm.Get(name))
		}
	}
	err := s.sure(r, c)
	if err == nil {
		err = s.Settings.Change(r.Context(), deed(r, c), typed)
	}
	if told(err) {
		s.drawSettings(w, r, c, typed, err)
		return nil
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, atSettings+"?saved", http.StatusSeeOther)
	return nil
}

// told reports whether err is one that is said above a form.
func told(err error) bool { return err != nil && chat.AsRefusal(err).Code != chat.Internal }

func (s *server) adminInvitations(w http.ResponseWriter, r *http.Request, c caller) error {
	return s.drawInvitations(w, r, c, page.InvitationsPage{Most: 1, Days: 14, Fresh: r.URL.Query().Get("new")}, nil)
}

func (s *server) drawInvitations(w http.ResponseWriter, r *http.Request, c caller, p page.InvitationsPage, problem error) error {
	p.Admin = s.adminPage(w, r, c, atInvitations)
	status := http.StatusOK
	if problem != nil {
		status, p.Problem = s.refuse(w, r, problem).Status, chat.AsRefusal(problem)
	} else if r.URL.Query().Has("withdrawn") {
		p.Said = "invite.withdrawn"
	}
	var err error
	if p.Invitations, err = s.Board.Invitations(r.Context()); err != nil {
		return err
	}
	var ids []chat.UserID
	for _, i := range p.Invitations {
		ids = append(ids, i.By)
	}
	slices.Sort(ids)
	if p.People, err = s.Accounts.People(r.Context(), slices.Compact(ids)...); err != nil {
		return err
	}
	p.Base, p.Needed = base(r), s.Settings.Get().Registration == chat.RegisterInvite
	s.draw(w, r, status, page.Invitations(p))
	return nil
}

// base is the address of this server as the browser knows it.
func base(r *http.Request) string {
	if overTLS(r) {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

func (s *server) adminInvite(w http.ResponseWriter, r *http.Request, c caller) error {
	p := page.InvitationsPage{Note: r.PostFormValue("note")}
	var errs [2]error
	p.Most, errs[0] = strconv.Atoi(r.PostFormValue("most"))
	p.Days, errs[1] = strconv.Atoi(r.PostFormValue("days"))
	if errs[0] != nil || errs[1] != nil {
		p.Most, p.Days = -1, -1 // which are refused with words
	}
	i, err := s.Board.Invite(r.Context(), deed(r, c), p.Note, p.Most, p.Days)
	if told(err) {
		p.Most, p.Days = max(p.Most, 0), max(p.Days, 0)
		return s.drawInvitations(w, r, c, p, err)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, atInvitations+"?new="+i.Code, http.StatusSeeOther)
	return nil
}

func (s *server) adminUninvite(w http.ResponseWriter, r *http.Request, c caller) error {
	err := s.Board.Uninvite(r.Context(), deed(r, c), r.PostFormValue("code"))
	if told(err) {
		return s.drawInvitations(w, r, c, page.InvitationsPage{Most: 1, Days: 14}, err)
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, atInvitations+"?withdrawn", http.StatusSeeOther)
	return nil
}
