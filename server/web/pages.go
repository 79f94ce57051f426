package web

import (
	"bytes"
	"compress/gzip"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"
	_ "time/tzdata" // for machines that have no zones

	"github.com/a-h/templ"

	"kamachat/server/account"
	"kamachat/server/page"
	"kamachat/shared/chat"
)

// themeCookie holds "light" or "dark" where a person chose one; the browser's
// program sets it (ui/view/theme.go).
const themeCookie = "kamachat_theme"

// zoneCookie holds the name of the browser's time zone; boot.js sets it.
const zoneCookie = "tz"

func (s *server) common(w http.ResponseWriter, r *http.Request) page.Common {
	c := page.Common{Lang: lang(w, r), Build: s.Build, Epoch: s.Epoch, Asset: s.static.url, Now: time.Now(), Zone: zone(r)}
	if s.Files != nil {
		c.MaxUpload = s.Files.MaxUpload()
	}
	if t, err := r.Cookie(themeCookie); err == nil && (t.Value == "light" || t.Value == "dark") {
		c.Theme = t.Value
	}
	return c
}

// zone returns where the browser is, or else where the server is.
func zone(r *http.Request) *time.Location {
	c, err := r.Cookie(zoneCookie)
	if err != nil || len(c.Value) > 100 {
		return time.Local
	}
	name, err := url.PathUnescape(c.Value)
	if err != nil || name == "" || name == "Local" {
		return time.Local
	}
	z, err := time.LoadLocation(name)
	if err != nil {
		return time.Local
	}
	return z
}

// draw answers a page, once all of it is drawn.
func (s *server) draw(w http.ResponseWriter, r *http.Request, status int, c templ.Component) {
	var b bytes.Buffer
	if err := c.Render(r.Context(), &b); err != nil {
		s.Log.Error("page not drawn", "route", r.Pattern, "err", err)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	h.Add("Vary", "Accept-Encoding")
	if _, gz := accepts(r.Header.Get("Accept-Encoding")); gz {
		h.Set("Content-Encoding", "gzip")
		b = packed(b.Bytes())
	}
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		w.Write(b.Bytes())
	}
}

// packers are kept, since one is much memory.
var packers = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

// packed compresses a page: one of the chat becomes a sixth. There is nothing
// in pages that their length could betray to others, as a token against
// forged requests would be: those are told by their origin.
func packed(p []byte) (b bytes.Buffer) {
	z := packers.Get().(*gzip.Writer)
	defer packers.Put(z)
	z.Reset(&b)
	z.Write(p)
	z.Close()
	return b
}

// pageProblem answers an error as a page.
func (s *server) pageProblem(w http.ResponseWriter, r *http.Request, err error) {
	p := s.refuse(w, r, err)
	s.draw(w, r, p.Status, page.Error(page.ErrorPage{Common: s.common(w, r), Status: p.Status, Problem: chat.AsRefusal(err)}))
}

// signedIn makes a page of one that needs a caller and may answer an error.
// Those who are not signed in are sent to sign in. How often an address may ask is
// bounded, as for the API.
func (s *server) signedIn(h func(http.ResponseWriter, *http.Request, caller) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if err := s.Accounts.AdmitRequest(address(r)); err != nil {
			s.pageProblem(w, r, err)
			return
		}
		c, err := s.caller(r)
		if chat.AsRefusal(err).Code == chat.SignedOut && err != nil {
			s.toSignIn(w, r)
			return
		}
		if errors.Is(err, account.ErrRenew) {
			s.toRenew(w, r)
			return
		}
		if err == nil {
			err = s.admit(r, c)
		}
		if err == nil {
			err = h(w, r, c)
		}
		if err != nil {
			s.pageProblem(w, r, err)
		}
	}
}
