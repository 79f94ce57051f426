// Package web is the door: HTTP routes, cookies, pages, static files, and the
// way in to the socket. It decides nothing about people or messages.
package web

import (
	"context"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/alexedwards/scs/v2"

	"kamachat/server/board"
	"kamachat/server/export"
	"kamachat/server/session"
	"kamachat/server/settings"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// Accounts is what the routes need to know of people.
type Accounts interface {
	Groups
	Keys
	Admit(ctx context.Context, addr string) error
	AdmitRequest(addr string) error
	AdmitChange(u chat.UserID) error
	// MayRegister says why who has an invitation, or none where code is empty, may not register.
	MayRegister(ctx context.Context, code string) error
	Join(ctx context.Context, code, username, password, nickname string) (chat.Person, error)
	SignIn(ctx context.Context, addr, username, password string) (chat.Person, error)
	IssueToken(ctx context.Context, u chat.UserID) (string, error)
	UserByToken(ctx context.Context, token string) (p chat.Person, scopes []string, err error)
	RevokeToken(ctx context.Context, token string) error
	Person(ctx context.Context, id chat.UserID) (chat.Person, error)
	People(ctx context.Context, ids ...chat.UserID) ([]chat.Person, error)
	// PersonFor and PeopleFor leave out who is not there for by.
	PersonFor(ctx context.Context, by, id chat.UserID) (chat.Person, error)
	PeopleFor(ctx context.Context, by chat.UserID, ids ...chat.UserID) ([]chat.Person, error)
	Search(ctx context.Context, by chat.UserID, q string) ([]chat.Person, error)
	Renew(ctx context.Context, p chat.Person, password string, keep chat.SignIn) (ended []string, err error)
	Bots
	Contacts
	SetupOpen(ctx context.Context, key string) (bool, error)
	Setup(ctx context.Context, key, username, password, nickname string) (chat.Person, error)
}

// Hub is what the routes need to know of conversations. It checks who may do what.
type Hub interface {
	// PostWait posts d and waits until it is committed.
	PostWait(ctx context.Context, d chat.Draft) (chat.Message, error)
	// Renew has all nodes read anew what decides in conv, and tells its people.
	Renew(ctx context.Context, conv chat.ConvID, to ...chat.UserID) error
	// Unsee has u be unseen, or seen again, by all who see them now.
	Unsee(ctx context.Context, u chat.UserID, unseen bool) error
	// Here returns those of us of whom u may know that they are online.
	Here(ctx context.Context, u chat.UserID, us ...chat.UserID) []chat.UserID
	// Lines returns lines of the list of u, latest first, and the people that they name.
	Lines(ctx context.Context, u chat.UserID, ask wire.List) (wire.Listed, error)
	// Before returns at most limit entries before seq, 0 for the end. A direct
	// conversation that does not exist yet is an empty page.
	Before(ctx context.Context, u chat.UserID, conv chat.ConvID, seq int64, limit int) (chat.Page, error)
	At(ctx context.Context, u chat.UserID, conv chat.ConvID, at int64) (int64, error)
	// SetLine changes what u has made of conv in the list.
	SetLine(ctx context.Context, u chat.UserID, conv chat.ConvID, c chat.LineChange) (chat.Line, error)
	// StandingIn returns what decides what u may do in conv.
	StandingIn(ctx context.Context, u chat.UserID, conv chat.ConvID) (chat.Standing, error)
	// Seen moves the marks of u forward.
	Seen(ctx context.Context, u chat.UserID, m chat.Marks) error
	// CloseUser closes all sockets of u.
	CloseUser(ctx context.Context, u chat.UserID, reason string) error
	// CloseLogin closes the sockets of u that were opened with a login.
	CloseLogin(ctx context.Context, u chat.UserID, login, reason string) error
}

// Admit gives a socket from a network address a place, before it is known whose
// it is, or refuses it with an error that says when to try again.
type Admit func(addr string) (Place, error)

// A Place is held by a socket, or by a request for one.
type Place interface {
	// For says whose place it is, or answers that the person has too many.
	For(u chat.UserID) error
	// Free gives it back. A second time does nothing.
	Free()
}

// Serve begins the session of a socket, returns at once, and frees the place
// when the session ends. login is what CloseLogin knows it by, proof what the
// store does. native tells whether the subprotocol was ours, otherwise it is the
// seed's dialect.
type Serve func(c *session.Socket, p chat.Person, login, proof string, native bool, place Place)

// Limits bound what a request may cost. Zero values mean the default.
type Limits struct {
	Body int64 // bytes of a request's body; default 1 MiB
}

// Config is what the door needs.
type Config struct {
	Accounts Accounts
	Hub      Hub
	Sessions *scs.SessionManager // from NewSessions
	Admit    Admit
	Serve    Serve
	Refused  func(chat.Code) // counts a post that was not given to the hub; nil: nobody counts
	Static   fs.FS
	Origins  []string       // further origins or host patterns that browsers may come from
	Proxies  []netip.Prefix // networks whose X-Forwarded-For is believed, beside this machine
	Log      *slog.Logger
	Build    string
	Epoch    string // of the database, told to the browser with its page
	Limits   Limits
	Files    Files             // nil: nobody can upload
	Admin    Admin             // nil: there are no pages of administrators
	Board    *board.Service    // beside Admin: what they see of the installation; nil: nothing, and nobody reports
	Settings *settings.Service // beside Board: what they set
	Ending   <-chan struct{}   // closed when answers that never end have to; nil: they don't
	Hooks    Hooks             // nil: there are no webhooks
	Exports  *export.Service   // nil: nobody has files made of conversations
	Push     Push              // nil: there are no notifications
	Ready    http.Handler      // answers whether this node should get requests; nil: always
	Health   func() Health     // for administrators; nil: they are told what Ready says
}

// NewSessions returns the manager of browsers' sign-ins over store. They last
// 30 days; the store sees only the SHA-256 of a cookie.
func NewSessions(store scs.CtxStore) *scs.SessionManager {
	m := scs.New()
	m.Store = store
	m.HashTokenInStore = true
	m.Lifetime = 30 * 24 * time.Hour
	return m
}

// server has the handlers.
type server struct {
	Config
	static *static
	app    *app
}

// New returns the handler of everything.
func New(c Config) (http.Handler, error) {
	if c.Limits.Body == 0 {
		c.Limits.Body = 1 << 20
	}
	st, err := newStatic(c.Static)
	if err != nil {
		return nil, err
	}
	a, err := newApp(st, c.Build)
	if err != nil {
		return nil, err
	}
	s := &server{Config: c, static: st, app: a}
	mux := http.NewServeMux()
	s.routes(mux)
	return s.recover(s.secure(s.sameOrigin(s.behind(s.limit(mux))))), nil
}

func (s *server) routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /healthz", s.healthz)
	if s.Ready == nil {
		s.Ready = http.HandlerFunc(s.healthz)
	}
	mux.Handle("GET /readyz", s.Ready)
	mux.Handle("GET /static/", s.static)
	mux.HandleFunc("GET /sw.js", s.app.serveWorker)
	mux.HandleFunc("GET /manifest.webmanifest", s.serveManifest)
	mux.HandleFunc("GET /share", s.share)
	mux.HandleFunc("POST /share", s.share)

	mux.HandleFunc("GET /ws", s.socket)
	mux.HandleFunc("GET /wss", s.socket)
	mux.HandleFunc("POST /ws/logout", s.socketLogout)
	mux.HandleFunc("POST /user/wsLogout", s.socketLogout)

	s.apiRoutes(mux)
	s.adminRoutes(mux)
	s.groupRoutes(mux)
	s.botPages(mux)
	s.complainRoutes(mux)
	s.peoplePages(mux)
	s.exportRoutes(mux)
	s.settingsRoutes(mux)
	s.keyRoutes(mux)
	mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) {
		s.problem(w, r, chat.Refuse(chat.NotFound, "no such route"))
	})

	mux.HandleFunc("GET /doctor", s.pageDoctor)
	mux.HandleFunc("GET /login", s.pageSignIn)
	mux.HandleFunc("POST /login", s.pageSignInDo)
	mux.HandleFunc("GET /register", s.pageRegister)
	mux.HandleFunc("POST /register", s.pageRegisterDo)
	mux.HandleFunc("GET /setup", s.pageSetup)
	mux.HandleFunc("POST /setup", s.pageSetupDo)
	mux.HandleFunc("POST /logout", s.pageSignOut)
	mux.HandleFunc("GET /shell", s.pageShell)
	mux.HandleFunc("GET /{$}", s.signedIn(s.pageHome))
	mux.HandleFunc("GET /c/{id}", s.signedIn(s.pageChat))
	mux.HandleFunc("POST /c/{id}", s.signedIn(s.pagePost))
	mux.HandleFunc("POST /c/{id}/line", s.signedIn(s.pageLine))
	mux.HandleFunc("GET /new", s.signedIn(s.pageNew))
	mux.HandleFunc("POST /new", s.signedIn(s.pageNewDo))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.pageProblem(w, r, chat.Refuse(chat.NotFound, "there is no such page"))
	})
}

// healthz says that the process lives. Whether it should get requests is for readyz.
func (s *server) healthz(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Write([]byte("ok\n"))
}
