package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"kamachat/shared/chat"
)

func (a *api) lineRoutes() {
	route(a, operation{
		Method: "PUT", Path: "/api/v1/conversations/{id}/line", ID: "setLine", Tag: "Conversations", Scope: "conversations:write",
		Summary: "Pin, archive, mark, mute or delete a conversation in one's own list",
		About: "What is not said stays. `pin` puts it on top, `archive` into the folder below, where it stays whatever comes. `clear` deletes all entries up to a Seq " +
			"for oneself; it comes back with its next message. `mark` shows it as unread, and `hush` has no notifications of it.",
	}, a.apiSetLine)
	route(a, operation{
		Method: "GET", Path: "/api/v1/conversations/open", ID: "openConversation", Tag: "Conversations", Scope: "conversations:read",
		Summary: "The conversation with a person, and whether one may write there",
		About:   "It need not exist yet: it does with the first message.",
	}, a.apiOpen)
}

type lineBody struct {
	Pin     *bool  `json:"pin,omitempty" doc:"On top of the list, or no longer; at most 50 are"`
	Archive *bool  `json:"archive,omitempty" doc:"In the folder below, or no longer"`
	Clear   int64  `json:"clear,omitempty" doc:"Delete the entries up to this Seq for oneself"`
	Mark    *bool  `json:"mark,omitempty" doc:"As unread, until it is opened, or no longer"`
	Hush    *int64 `json:"hush,omitempty" doc:"No notifications until then, in Unix milliseconds; -1: until further notice; 0: they come"`
}

type lineAnswer struct {
	Conv     chat.ConvID `json:"conv"`
	Pinned   int64       `json:"pinned,omitempty" doc:"Since when, in Unix milliseconds"`
	Archived bool        `json:"archived,omitempty"`
	Cleared  int64       `json:"cleared,omitempty" doc:"Deleted up to this Seq"`
	Marked   bool        `json:"marked,omitempty" doc:"As unread"`
	Hushed   int64       `json:"hushed,omitempty" doc:"No notifications until then, in Unix milliseconds, or -1"`
}

func (s *server) apiSetLine(ctx context.Context, c caller, in *struct {
	ConvPath
	Body lineBody
}) (lineAnswer, error) {
	conv, err := s.convOf(ctx, c, in.ID)
	if err != nil {
		return lineAnswer{}, err
	}
	l, err := s.Hub.SetLine(ctx, c.ID, conv, chat.LineChange(in.Body))
	return lineAnswer{conv, l.Pinned, l.Archived, l.Cleared, l.Marked, l.Hushed}, err
}

type openAnswer struct {
	Conv    chat.ConvID `json:"conv"`
	Allowed bool        `json:"allowed" doc:"Whether one may write there now"`
	Why     chat.Code   `json:"why,omitempty" doc:"Why not: a code, as of refusals"`
}

func (s *server) apiOpen(ctx context.Context, c caller, in *struct {
	Person chat.UserID `query:"person" required:"true" doc:"The other person"`
}) (openAnswer, error) {
	if !in.Person.Valid() || in.Person == c.ID {
		return openAnswer{}, chat.Refuse(chat.Invalid, "person must be somebody else's id")
	}
	p, err := s.Accounts.PersonFor(ctx, c.ID, in.Person)
	if err != nil {
		return openAnswer{}, err
	}
	conv := chat.Direct(c.ID, p.ID)
	st, err := s.Hub.StandingIn(ctx, c.ID, conv)
	if err != nil {
		return openAnswer{}, err
	}
	st.Peer = !p.Disabled
	out := openAnswer{Conv: conv, Allowed: true}
	if err := st.MayPost(conv, chat.Text, time.Now().UnixMilli()); err != nil {
		out.Allowed, out.Why = false, chat.AsRefusal(err).Code
	}
	return out, nil
}

// pageLine does what a button of the conversation's menu says, without a script.
func (s *server) pageLine(w http.ResponseWriter, r *http.Request, c caller) error {
	conv, err := s.conv(r, c)
	if err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return badBody(err)
	}
	do, hours, _ := strings.Cut(r.PostForm.Get("do"), " ")
	to := "/c/" + r.PathValue("id")
	pin, archive, mark := do == "pin", do == "archive", do == "mark"
	var by chat.LineChange
	switch do {
	case "pin", "unpin":
		by.Pin = &pin
	case "archive", "unarchive":
		by.Archive = &archive
	case "mark", "unmark":
		by.Mark, to = &mark, "/"
	case "hush": // for so many hours
		until, err := hushUntil(hours, time.Now())
		if err != nil {
			return err
		}
		by.Hush = &until
	case "delete":
		by.Clear, _ = strconv.ParseInt(r.PostForm.Get("seq"), 10, 64)
		to = "/"
	}
	if err := s.Accounts.AdmitChange(c.ID); err != nil {
		return err
	}
	if _, err := s.Hub.SetLine(r.Context(), c.ID, conv, by); err != nil {
		return err
	}
	if do == "unmark" { // and all of it is read
		seq, _ := strconv.ParseInt(r.PostForm.Get("seq"), 10, 64)
		if err := s.Hub.Seen(r.Context(), c.ID, chat.Marks{Conv: conv, Delivered: seq, Read: seq}); err != nil {
			return err
		}
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// hushUntil is until when there are no notifications for so many hours: -1 is for
// ever, and 0 that they come.
func hushUntil(hours string, now time.Time) (int64, error) {
	n, err := strconv.ParseInt(hours, 10, 32)
	switch {
	case err != nil || n < chat.Forever:
		return 0, chat.Refuse(chat.Invalid, "the change of the line says nothing")
	case n > 0:
		return now.UnixMilli() + n*time.Hour.Milliseconds(), nil
	}
	return n, nil
}
