package web

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/coder/websocket"

	"kamachat/server/classic"
	"kamachat/server/session"
	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// socket lets a signed-in person's program open a socket, in our protocol or,
// without the subprotocol, in the seed's dialect.
func (s *server) socket(w http.ResponseWriter, r *http.Request) {
	if !hasToken(r.Header, "Connection", "upgrade") || !hasToken(r.Header, "Upgrade", "websocket") {
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket")
		http.Error(w, "this address speaks WebSocket only", http.StatusUpgradeRequired)
		return
	}
	native := hasToken(r.Header, "Sec-WebSocket-Protocol", wire.V1.Name())
	client := chat.UserID(r.URL.Query().Get("client_id"))
	if !native && !client.Valid() {
		envelope(w, http.StatusBadRequest, "clientId获取失败")
		return
	}
	refuse := func(err error, words string) {
		if native {
			s.problem(w, r, err)
		} else {
			envelope(w, s.refuse(w, r, err).Status, words)
		}
	}
	// Whether there is room costs nothing to know: it is asked first.
	if err := s.Accounts.AdmitRequest(address(r)); err != nil {
		refuse(err, classic.Busy)
		return
	}
	place, err := s.Admit(address(r))
	if err != nil {
		refuse(err, classic.Busy)
		return
	}
	handed := false
	defer func() {
		if !handed {
			place.Free()
		}
	}()
	c, err := s.socketCaller(r)
	switch {
	case err != nil:
		refuse(err, "请先登录")
		return
	case !native && client != c.ID:
		envelope(w, http.StatusForbidden, "clientId与登录用户不符")
		return
	}
	if err := place.For(c.ID); err != nil {
		refuse(err, classic.Busy)
		return
	}
	sock, err := session.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols: []string{wire.V1.Name()}, OriginPatterns: s.Origins,
	})
	if err != nil {
		s.Log.Debug("socket refused", "user", c.ID, "err", err)
		return
	}
	handed = true
	s.Serve(sock, c.Person, c.login, c.proof, native, place)
}

// socketLogout closes the caller's sockets, in the words of the seed's clients.
func (s *server) socketLogout(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Owner chat.UserID `json:"owner_id"`
	}
	if err := read(r, &in); err != nil {
		envelope(w, s.refuse(w, r, err).Status, "参数错误")
		return
	}
	c, err := s.socketCaller(r)
	if err != nil {
		envelope(w, s.refuse(w, r, err).Status, "请先登录")
		return
	}
	if in.Owner != c.ID {
		envelope(w, http.StatusForbidden, "只能退出自己的登录")
		return
	}
	if err := s.Hub.CloseUser(r.Context(), c.ID, signedOut); err != nil {
		envelope(w, s.refuse(w, r, err).Status, "系统错误")
		return
	}
	envelope(w, 0, "success")
}

// envelope answers as the seed does. Code 0 goes with status 200.
func envelope(w http.ResponseWriter, code int, msg string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if code != 0 {
		w.WriteHeader(code)
	}
	json.NewEncoder(w).Encode(struct {
		Code int    `json:"code"`
		Msg  string `json:"msg"`
		Data any    `json:"data"`
	}{code, msg, nil})
}

// hasToken reports whether a header that lists tokens has this one.
func hasToken(h http.Header, name, token string) bool {
	return slices.ContainsFunc(h.Values(name), func(v string) bool {
		return slices.ContainsFunc(strings.Split(v, ","), func(t string) bool {
			return strings.EqualFold(strings.TrimSpace(t), token)
		})
	})
}
