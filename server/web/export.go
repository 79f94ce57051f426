package web

import (
	"mime"
	"net/http"
	"strconv"
	"time"

	"kamachat/server/export"
	"kamachat/server/page"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
	"kamachat/shared/words"
)

// exportRoutes are there where there are Exports.
func (s *server) exportRoutes(mux *http.ServeMux) {
	if s.Exports == nil {
		return
	}
	mux.HandleFunc("GET /c/{id}/export", s.signedIn(s.pageExport))
	mux.HandleFunc("POST /c/{id}/export", s.signedIn(s.pageExportDo))
	mux.HandleFunc("GET /settings/export", s.signedIn(s.pageExportMine))
	mux.HandleFunc("POST /settings/export", s.signedIn(s.pageExportMineDo))
	mux.HandleFunc("GET /exports/{job}", s.signedIn(s.exported))
	mux.HandleFunc("POST /exports/{job}/cancel", s.signedIn(s.pageExportCancel))
}

// order is what c wants of a conversation, or where conv is empty, of the account.
// It refuses who may not read the conversation.
func (s *server) order(w http.ResponseWriter, r *http.Request, c caller, conv chat.ConvID) (export.Order, error) {
	o := export.Order{Me: c.Person, Conv: conv, Lang: words.Lang(lang(w, r)), Zone: zone(r), Site: origin(r), Now: time.Now()}
	if conv == "" {
		return o, nil
	}
	if _, err := s.Hub.Before(r.Context(), c.ID, conv, 0, 1); err != nil {
		return o, err
	}
	if peer, direct := conv.Peer(c.ID); direct {
		p, err := s.Accounts.PersonFor(r.Context(), c.ID, peer)
		if o.Title = p.Name(); p.Gone() {
			o.Title = words.Say(o.Lang, "person.gone")
		}
		return o, err
	}
	l, err := s.Hub.Lines(r.Context(), c.ID, wire.List{IDs: []chat.ConvID{conv}})
	o.Title = string(conv)
	if err == nil && len(l.Convs) == 1 && l.Convs[0].Title != "" {
		o.Title = l.Convs[0].Title
	}
	return o, err
}

func (s *server) pageExport(w http.ResponseWriter, r *http.Request, c caller) error {
	conv, err := s.conv(r, c)
	if err != nil {
		return err
	}
	return s.drawExport(w, r, c, conv, nil)
}

func (s *server) pageExportMine(w http.ResponseWriter, r *http.Request, c caller) error {
	return s.drawExport(w, r, c, "", nil)
}

// drawExport draws the page for conv, or where that is empty, for the account. It
// comes again by itself while a file is being made.
func (s *server) drawExport(w http.ResponseWriter, r *http.Request, c caller, conv chat.ConvID, problem error) error {
	o, err := s.order(w, r, c, conv)
	if err != nil {
		return err
	}
	js, err := s.Exports.List(r.Context(), c.ID, conv)
	if err != nil {
		return err
	}
	p := page.ExportPage{SettingsFrame: page.SettingsFrame{Common: s.common(w, r), Me: c.Person}, Conv: conv, Title: o.Title}
	if conv == "" {
		p.At = "/settings/export"
	}
	for _, j := range js {
		size, _ := strconv.ParseInt(j.Detail[export.Size], 10, 64)
		p.Exports = append(p.Exports, page.Export{Job: j, Format: j.Detail[export.Format], Size: size})
		if j.State == chat.JobRunning {
			w.Header().Set("Refresh", "2; url="+r.URL.Path)
		}
	}
	status := http.StatusOK
	if problem != nil {
		p.Problem = chat.AsRefusal(problem)
		status = s.refuse(w, r, problem).Status
	}
	s.draw(w, r, status, page.ExportOf(p))
	return nil
}

func (s *server) pageExportDo(w http.ResponseWriter, r *http.Request, c caller) error {
	conv, err := s.conv(r, c)
	if err != nil {
		return err
	}
	return s.startExport(w, r, c, conv)
}

func (s *server) pageExportMineDo(w http.ResponseWriter, r *http.Request, c caller) error {
	return s.startExport(w, r, c, "")
}

func (s *server) startExport(w http.ResponseWriter, r *http.Request, c caller, conv chat.ConvID) error {
	o, err := s.order(w, r, c, conv)
	if err != nil {
		return err
	}
	if err = s.Accounts.AdmitChange(c.ID); err == nil && conv == "" {
		_, err = s.Exports.Account(r.Context(), o)
	} else if err == nil {
		o.Format = r.PostFormValue("format")
		_, err = s.Exports.Conversation(r.Context(), o)
	}
	if err != nil {
		return s.drawExport(w, r, c, conv, err)
	}
	http.Redirect(w, r, r.URL.Path, http.StatusSeeOther)
	return nil
}

// jobOf is the job in the path, of c.
func (s *server) jobOf(r *http.Request) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue("job"), 10, 64)
	if err != nil {
		return 0, errNoPage
	}
	return id, nil
}

func (s *server) pageExportCancel(w http.ResponseWriter, r *http.Request, c caller) error {
	id, err := s.jobOf(r)
	if err != nil {
		return err
	}
	j, err := s.Exports.Cancel(r.Context(), c.ID, id)
	if err != nil {
		return err
	}
	back := "/settings/export"
	if conv := j.Detail[export.Conv]; conv != "" {
		back = "/c/" + conv + "/export"
	}
	http.Redirect(w, r, back, http.StatusSeeOther)
	return nil
}

// exported answers a file that c had made.
func (s *server) exported(w http.ResponseWriter, r *http.Request, c caller) error {
	id, err := s.jobOf(r)
	if err != nil {
		return err
	}
	f, j, err := s.Exports.Open(r.Context(), c.ID, id)
	if err != nil {
		return err
	}
	defer f.Close()
	name := "kamachat"
	if t := j.Detail[export.Title]; t != "" {
		name += " " + t
	}
	attached(w, name+" "+time.UnixMilli(j.At).In(zone(r)).Format("2006-01-02"), j.Detail[export.Format])
	w.Header().Set("Cache-Control", "no-store")
	http.ServeContent(w, r, "", time.UnixMilli(j.Updated), f)
	return nil
}

// attached says that the answer is a file to keep, whatever it holds.
func attached(w http.ResponseWriter, name, format string) {
	kind := "application/json"
	if format == export.HTML {
		kind = "text/html; charset=utf-8"
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	disposition := mime.FormatMediaType("attachment", map[string]string{"filename": chat.CleanName(name) + "." + format})
	if disposition == "" {
		disposition = "attachment"
	}
	h.Set("Content-Disposition", disposition)
}
