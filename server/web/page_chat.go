package web

import (
	"crypto/rand"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"kamachat/server/page"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// firstEntries is how many entries a conversation is first drawn with.
const firstEntries = 30

// pageShell is the chat of nobody, which the service worker keeps.
func (s *server) pageShell(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-cache")
	s.draw(w, r, http.StatusOK, page.Chat(page.ChatPage{Common: s.common(w, r)}))
}

func (s *server) pageHome(w http.ResponseWriter, r *http.Request, c caller) error {
	convs, people, err := s.list(r, c, nil)
	if err != nil {
		return err
	}
	s.draw(w, r, http.StatusOK, page.Chat(page.ChatPage{Common: s.common(w, r), Me: &c.Person, Convs: convs, People: people, Asks: s.asks(r, c)}))
	return nil
}

// asks are those who wait for the caller's answer. Where that is not known the page
// does without.
func (s *server) asks(r *http.Request, c caller) (a page.Asks) {
	n, err := s.Accounts.AsksWaiting(r.Context(), c.ID)
	gs, gerr := s.Accounts.GroupsAsked(r.Context(), c.ID)
	if err := errors.Join(err, gerr); err != nil {
		s.Log.Error("who waits for an answer is not known", "user", c.ID, "err", err)
	}
	return page.Asks{Contacts: n, Groups: gs[:min(len(gs), 3)]}
}

// list returns the caller's conversations and everybody whom they or the page
// of a log name.
func (s *server) list(r *http.Request, c caller, log *chat.Page) ([]chat.Summary, []chat.Person, error) {
	l, err := s.Hub.Lines(r.Context(), c.ID, wire.List{})
	if err != nil {
		return nil, nil, err
	}
	convs, people := l.Convs, l.People
	var ids []chat.UserID
	names := func(m chat.Message) {
		if m.Content.Event != nil {
			ids = append(ids, m.Content.Event.Who...)
		}
	}
	for _, x := range convs {
		if x.Last != nil {
			names(*x.Last)
		}
	}
	if log != nil {
		people = append(people, log.People...)
		for _, m := range log.Entries {
			names(m)
		}
		if peer, ok := log.Conv.Peer(c.ID); ok {
			ids = append(ids, peer)
		}
	}
	ids = slices.DeleteFunc(ids, func(u chat.UserID) bool {
		return slices.ContainsFunc(people, func(p chat.Person) bool { return p.ID == u })
	})
	if len(ids) == 0 {
		return convs, people, nil
	}
	slices.Sort(ids)
	more, err := s.Accounts.PeopleFor(r.Context(), c.ID, slices.Compact(ids)...)
	return convs, append(people, more...), err
}

func (s *server) pageChat(w http.ResponseWriter, r *http.Request, c caller) error {
	return s.chat(w, r, c, page.OpenConv{Ref: rand.Text(), Menu: r.URL.Query().Has("menu")})
}

// chat draws the conversation of the path: its end, or what is before the Seq
// of the query "before". open has what the form to write
// shows; the rest of it is filled in here.
func (s *server) chat(w http.ResponseWriter, r *http.Request, c caller, open page.OpenConv) error {
	conv, err := s.conv(r, c)
	if err != nil {
		return err
	}
	before, _ := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64)
	log, err := s.Hub.Before(r.Context(), c.ID, conv, max(before, 0), firstEntries)
	if err != nil {
		return err
	}
	convs, people, err := s.list(r, c, &log)
	if err != nil {
		return err
	}
	open.Summary, open.Page = chat.Summary{Conv: conv, LastSeq: log.LastSeq}, log
	n := len(log.Entries)
	open.Past = before > 0 && (n == 0 || log.Entries[n-1].Seq < log.LastSeq)
	if i := slices.IndexFunc(convs, func(x chat.Summary) bool { return x.Conv == conv }); i >= 0 {
		open.Summary = convs[i]
	} else if l, err := s.Hub.Lines(r.Context(), c.ID, wire.List{IDs: []chat.ConvID{conv}}); err != nil {
		return err
	} else if len(l.Convs) == 1 { // further down than the list goes
		open.Summary = l.Convs[0]
	}
	status := http.StatusOK
	if open.Problem != nil {
		status = s.refuse(w, r, open.Problem).Status
	}
	s.draw(w, r, status, page.Chat(page.ChatPage{Common: s.common(w, r), Me: &c.Person, Convs: convs, People: people, Open: &open, Asks: s.asks(r, c)}))
	return nil
}

// pagePost sends what was written into the form, without a script, and marks
// the conversation read: who answers has seen it.
func (s *server) pagePost(w http.ResponseWriter, r *http.Request, c caller) error {
	in, err := s.written(w, r, c)
	var m chat.Message
	if err == nil {
		m, err = s.postWritten(r, c, &in)
	}
	if refused := chat.AsRefusal(err); err != nil && refused.Code != chat.Internal {
		if in.ref == "" {
			in.ref = rand.Text()
		}
		return s.chat(w, r, c, page.OpenConv{Ref: in.ref, Text: in.text, Problem: refused})
	}
	if err != nil {
		return err
	}
	if err := s.Hub.Seen(r.Context(), c.ID, chat.Marks{Conv: m.Conv, Delivered: m.Seq, Read: m.Seq}); err != nil {
		return err
	}
	http.Redirect(w, r, "/c/"+r.PathValue("id"), http.StatusSeeOther)
	return nil
}

// postWritten posts the text of a form, unless there are files alone, and then
// each file. It returns the last message. What is posted is taken out of in.
func (s *server) postWritten(r *http.Request, c caller, in *written) (m chat.Message, err error) {
	if strings.TrimSpace(in.text) != "" || len(in.files) == 0 {
		if m, err = s.post(r.Context(), c, r.PathValue("id"), in.ref, chat.TextContent(in.text)); err != nil {
			return m, err
		}
	}
	for i, u := range in.files {
		f, ref := u.File(), ""
		if in.ref != "" {
			ref = in.ref + "." + strconv.Itoa(i+1)
		}
		last, err := s.post(r.Context(), c, r.PathValue("id"), ref, chat.Content{Kind: chat.FileK, File: &f})
		if err != nil && m.Seq > 0 {
			in.ref, in.text = rand.Text(), ""
		}
		if err != nil {
			return m, err
		}
		m = last
	}
	return m, nil
}
