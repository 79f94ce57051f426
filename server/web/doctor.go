package web

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"kamachat/server/page"
	"kamachat/shared/chat"
)

// Health is what the server tells its administrators of itself. It holds no
// secret and nobody's name.
type Health struct {
	Version     string `json:"version"`
	Up          int64  `json:"up"` // milliseconds since the start
	People      int    `json:"people"`
	Connections int    `json:"connections"`
	Database    string `json:"database"` // "sqlite" or "mysql"
	Disk        *Disk  `json:"disk,omitempty"`
}

// Disk is the room where the data is, in bytes.
type Disk struct {
	Free int64 `json:"free"`
	All  int64 `json:"all"`
}

// A probe is how a request of a page looks from here.
type probe struct {
	At       int64  `json:"at"` // milliseconds since 1970, by the server's clock
	Build    string `json:"build"`
	SignedIn bool   `json:"signed_in"`
	Secure   bool   `json:"secure"`         // it came by https, as far as the server knows
	Site     string `json:"site"`           // what a socket's Origin would be taken for: "same", "other", or "dumb" without one
	Host     string `json:"host,omitempty"` // what was asked for; for administrators
}

func (a *api) doctorRoutes() {
	route(a, operation{
		Method: "POST", Path: "/api/v1/doctor", ID: "probe", Tag: "Server", Open: true,
		Summary: "How a request looks from here",
	}, a.apiProbe)
	route(a, operation{
		Method: "GET", Path: "/api/v1/doctor/server", ID: "getHealth", Tag: "Server",
		Summary: "How the server is, for administrators",
	}, a.apiHealth)
}

// pageDoctor is for everybody: who can't sign in may want to know why.
func (s *server) pageDoctor(w http.ResponseWriter, r *http.Request) {
	c, err := s.caller(r)
	s.draw(w, r, http.StatusOK, page.Doctor(page.DoctorPage{Common: s.common(w, r), SignedIn: err == nil, Admin: err == nil && c.Admin}))
}

// apiProbe is for everybody, too. It is a POST since only then do browsers say
// where they are, as they do for sockets.
func (s *server) apiProbe(ctx context.Context, _ caller, _ *struct{}) (probe, error) {
	r := exchangeOf(ctx).r
	c, err := s.caller(r)
	p := probe{At: time.Now().UnixMilli(), Build: s.Build, SignedIn: err == nil, Secure: overTLS(r), Site: s.siteOf(r)}
	if err == nil && c.Admin {
		p.Host = r.Host
	}
	return p, nil
}

// siteOf tells what the door to the socket would make of a request's origin.
func (s *server) siteOf(r *http.Request) string {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return "dumb"
	}
	if u, err := url.Parse(origin); err == nil && strings.EqualFold(u.Host, r.Host) || s.trusted(origin) {
		return "same"
	}
	return "other"
}

type healthAnswer struct {
	Health *Health         `json:"health,omitempty"`
	Ready  json.RawMessage `json:"ready,omitempty" doc:"What /readyz says"`
}

// apiHealth tells administrators what /readyz tells, and what Health does.
func (s *server) apiHealth(ctx context.Context, c caller, _ *struct{}) (out healthAnswer, err error) {
	if !c.Admin {
		return out, chat.Refuse(chat.Forbidden, "only administrators may see this")
	}
	if s.Health != nil {
		h := s.Health()
		out.Health = &h
	}
	said := &note{header: http.Header{}}
	s.Ready.ServeHTTP(said, exchangeOf(ctx).r)
	if json.Valid(said.Bytes()) {
		out.Ready = said.Bytes()
	}
	return out, nil
}

// A note takes down what a handler answers.
type note struct {
	bytes.Buffer
	header http.Header
}

func (n *note) Header() http.Header { return n.header }
func (n *note) WriteHeader(int)     {}
