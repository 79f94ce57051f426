package web

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"kamachat/server/push"
	"kamachat/shared/chat"
)

// Push is what the routes need to know of notifications.
type Push interface {
	// Key is the public key that browsers subscribe with, or chat.NotFound where
	// push is switched off.
	Key() (string, error)
	// Subscribe answers chat.Invalid for what can't be used.
	Subscribe(ctx context.Context, sub chat.Subscription) error
	Unsubscribe(ctx context.Context, u chat.UserID, endpoint string) error
	// Forget ends what was subscribed with a login.
	Forget(ctx context.Context, u chat.UserID, login string) error
	Test(ctx context.Context, u chat.UserID) ([]push.Answer, error)
	Mute(ctx context.Context, u chat.UserID, m chat.Mute) error
	Mutes(ctx context.Context, u chat.UserID, convs ...chat.ConvID) ([]chat.Mute, error)
	SetQuiet(ctx context.Context, u chat.UserID, q chat.Quiet) error
	Quiet(ctx context.Context, u chat.UserID) (chat.Quiet, error)
}

// pushRoutes are there where there is Push.
func (s *server) pushRoutes(mux *http.ServeMux) {
	if s.Push == nil {
		return
	}
	mux.HandleFunc("GET /api/v1/push/key", s.api(s.apiPushKey))
	mux.HandleFunc("POST /api/v1/push/subscriptions", s.api(s.apiSubscribe))
	mux.HandleFunc("DELETE /api/v1/push/subscriptions", s.api(s.apiUnsubscribe))
	mux.HandleFunc("POST /api/v1/push/test", s.api(s.apiPushTest))
	mux.HandleFunc("GET /api/v1/conversations/{id}/mute", s.api(s.apiMuted))
	mux.HandleFunc("PUT /api/v1/conversations/{id}/mute", s.api(s.apiMute))
	mux.HandleFunc("GET /api/v1/me/mutes", s.api(s.apiMutes))
	mux.HandleFunc("GET /api/v1/me/dnd", s.api(s.apiQuiet))
	mux.HandleFunc("PUT /api/v1/me/dnd", s.api(s.apiSetQuiet))
}

// closeLogin closes the sockets of a login that has ended, and has its browsers
// told no longer.
func (s *server) closeLogin(ctx context.Context, u chat.UserID, login string) error {
	err := s.Hub.CloseLogin(ctx, u, login, signedOut)
	if s.Push != nil {
		err = errors.Join(err, s.Push.Forget(ctx, u, login))
	}
	return err
}

func (s *server) apiPushKey(w http.ResponseWriter, _ *http.Request, _ caller) error {
	key, err := s.Push.Key()
	if err != nil {
		return err
	}
	answer(w, map[string]string{"key": key})
	return nil
}

// apiSubscribe takes what a browser's PushSubscription writes as JSON.
func (s *server) apiSubscribe(w http.ResponseWriter, r *http.Request, c caller) error {
	var in struct {
		Endpoint string `json:"endpoint"`
		Keys     struct {
			P256dh string `json:"p256dh"`
			Auth   string `json:"auth"`
		} `json:"keys"`
	}
	if err := read(r, &in); err != nil {
		return err
	}
	sub := chat.Subscription{
		User: c.ID, Login: c.login, Endpoint: in.Endpoint, P256dh: in.Keys.P256dh, Auth: in.Keys.Auth, Site: site(r), Lang: lang(w, r),
	}
	if !c.until.IsZero() {
		sub.Until = c.until.UnixMilli()
	}
	if err := s.Push.Subscribe(r.Context(), sub); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// site is where the person uses us, for push services that have a question.
// They take no address without TLS, which only a developer's has.
func site(r *http.Request) string {
	if o := r.Header.Get("Origin"); strings.HasPrefix(o, "https://") {
		return o
	}
	return "https://" + r.Host
}

func (s *server) apiUnsubscribe(w http.ResponseWriter, r *http.Request, c caller) error {
	var in struct {
		Endpoint string `json:"endpoint"`
	}
	if err := read(r, &in); err != nil {
		return err
	}
	if err := s.Push.Unsubscribe(r.Context(), c.ID, in.Endpoint); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *server) apiPushTest(w http.ResponseWriter, r *http.Request, c caller) error {
	as, err := s.Push.Test(r.Context(), c.ID)
	if err != nil {
		return err
	}
	answer(w, map[string]any{"answers": orEmpty(as)})
	return nil
}

func (s *server) apiMute(w http.ResponseWriter, r *http.Request, c caller) error {
	conv, err := s.conv(r, c)
	if err != nil {
		return err
	}
	var in struct {
		Until *int64 `json:"until"`
	}
	if err := read(r, &in); err != nil {
		return err
	}
	if in.Until == nil {
		return chat.Refuse(chat.Invalid, "until is missing")
	}
	m := chat.Mute{Conv: conv, Until: *in.Until}
	if err := s.Push.Mute(r.Context(), c.ID, m); err != nil {
		return err
	}
	answer(w, m)
	return nil
}

func (s *server) apiMuted(w http.ResponseWriter, r *http.Request, c caller) error {
	conv, err := s.conv(r, c)
	if err != nil {
		return err
	}
	ms, err := s.Push.Mutes(r.Context(), c.ID, conv)
	if err != nil {
		return err
	}
	m := chat.Mute{Conv: conv}
	if len(ms) > 0 {
		m = ms[0]
	}
	answer(w, m)
	return nil
}

func (s *server) apiMutes(w http.ResponseWriter, r *http.Request, c caller) error {
	ms, err := s.Push.Mutes(r.Context(), c.ID)
	if err != nil {
		return err
	}
	answer(w, map[string]any{"mutes": orEmpty(ms)})
	return nil
}

func (s *server) apiSetQuiet(w http.ResponseWriter, r *http.Request, c caller) error {
	var q chat.Quiet
	if err := read(r, &q); err != nil {
		return err
	}
	if err := s.Push.SetQuiet(r.Context(), c.ID, q); err != nil {
		return err
	}
	answer(w, q)
	return nil
}

func (s *server) apiQuiet(w http.ResponseWriter, r *http.Request, c caller) error {
	q, err := s.Push.Quiet(r.Context(), c.ID)
	if err != nil {
		return err
	}
	answer(w, q)
	return nil
}
