package web

import (
	"io"
	"net/http"
	"strings"
	"time"

	"kamachat/shared/chat"
)

// errNoPicture is the answer to a file that can't be a group's picture.
var errNoPicture = chat.Refuse(chat.Invalid, "the picture must be a file that was uploaded here")

// ended is how reading the parts of a form ended.
func ended(err error) error {
	if err == io.EOF {
		return nil
	}
	return badBody(err)
}

// groupPicture serves a group's picture to those who may ask to come in.
func (s *server) groupPicture(w http.ResponseWriter, r *http.Request, c caller) error {
	v, err := s.Accounts.ViewGroup(r.Context(), c.Person, groupOf(r))
	if err != nil {
		return err
	}
	as := c.ID
	if !v.Me.In {
		// Its owner may see it, and who may ask to come in as well.
		g, err := s.Accounts.GroupOwner(r.Context(), v.Conv)
		if err != nil {
			return err
		}
		as = g
	}
	return s.picture(w, r, as, v.Avatar)
}

// doorPicture serves the picture of the group of a link.
func (s *server) doorPicture(w http.ResponseWriter, r *http.Request, c caller) error {
	d, err := s.Accounts.InviteDoor(r.Context(), c.Person, r.PathValue("code"))
	if err != nil {
		return err
	}
	return s.picture(w, r, d.Inviter.ID, d.Avatar)
}

// picture serves the picture at a path below /files/ that as may see.
func (s *server) picture(w http.ResponseWriter, r *http.Request, as chat.UserID, path string) error {
	none := chat.Refuse(chat.NotFound, "there is no such page")
	rest, ok := strings.CutPrefix(path, "/files/")
	id, _, _ := strings.Cut(rest, "/")
	if s.Files == nil || !ok {
		return none
	}
	u, body, err := s.Files.Open(r.Context(), as, id)
	if err != nil {
		return err
	}
	defer body.Close()
	if chat.Media(u.Type) != "image" {
		return none
	}
	h := w.Header()
	h.Set("Content-Security-Policy", fileCSP)
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Content-Type", u.Type)
	h.Set("Cache-Control", "private, max-age=300")
	h.Set("Vary", "Cookie, Authorization")
	http.ServeContent(w, r, "", time.Time{}, body)
	return nil
}
