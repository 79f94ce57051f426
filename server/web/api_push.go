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
	Mutes(ctx context.Context, u chat.UserID, convs ...chat.ConvID) ([]chat.Mute, error)
	SetQuiet(ctx context.Context, u chat.UserID, q chat.Quiet) error
	Quiet(ctx context.Context, u chat.UserID) (chat.Quiet, error)
}

// pushRoutes are there where there is Push.
func (a *api) pushRoutes() {
	if a.Push == nil {
		return
	}
	o := operation{Tag: "Notifications"}
	o.Method, o.Path, o.ID, o.Summary = "GET", "/api/v1/push/key", "getPushKey", "The public key that browsers subscribe with"
	route(a, o, a.apiPushKey)
	o.Method, o.Path, o.ID, o.Summary = "POST", "/api/v1/push/subscriptions", "subscribe", "Have this browser notified, until it signs out"
	route(a, o, a.apiSubscribe)
	o.Method, o.ID, o.Summary = "DELETE", "unsubscribe", "Have a browser notified no longer"
	route(a, o, a.apiUnsubscribe)
	o.Method, o.Path, o.ID, o.Summary = "POST", "/api/v1/push/test", "testPush", "Send a notification to all of one's browsers, to see what comes"
	route(a, o, a.apiPushTest)
	o.Method, o.Path, o.ID, o.Summary = "GET", "/api/v1/conversations/{id}/mute", "getMute", "Whether a conversation is muted"
	route(a, o, a.apiMuted)
	o.Method, o.ID, o.Summary = "PUT", "setMute", "Mute a conversation, or no longer"
	route(a, o, a.apiMute)
	o.Method, o.Path, o.ID, o.Summary = "GET", "/api/v1/me/mutes", "listMutes", "All that is muted"
	route(a, o, a.apiMutes)
	o.Method, o.Path, o.ID, o.Summary = "GET", "/api/v1/me/dnd", "getQuiet", "When one wants no notifications"
	route(a, o, a.apiQuiet)
	o.Method, o.ID, o.Summary = "PUT", "setQuiet", "Say when one wants no notifications"
	route(a, o, a.apiSetQuiet)
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

type keyAnswer struct {
	Key string `json:"key" doc:"P-256, uncompressed, base64url"`
}

func (s *server) apiPushKey(context.Context, caller, *struct{}) (keyAnswer, error) {
	key, err := s.Push.Key()
	return keyAnswer{key}, err
}

// A newSubscription is what a browser's PushSubscription writes as JSON.
type newSubscription struct {
	Endpoint string           `json:"endpoint"`
	Keys     subscriptionKeys `json:"keys"`
}

type subscriptionKeys struct {
	P256dh string `json:"p256dh"`
	Auth   string `json:"auth"`
}

func (s *server) apiSubscribe(ctx context.Context, c caller, in *struct{ Body newSubscription }) (none, error) {
	x, b := exchangeOf(ctx), in.Body
	sub := chat.Subscription{
		User: c.ID, Login: c.login, Endpoint: b.Endpoint, P256dh: b.Keys.P256dh, Auth: b.Keys.Auth, Site: site(x.r), Lang: lang(x.w, x.r),
	}
	if !c.until.IsZero() {
		sub.Until = c.until.UnixMilli()
	}
	return none{}, s.Push.Subscribe(ctx, sub)
}

// site is where the person uses us, for push services that have a question.
// They take no address without TLS, which only a developer's has.
func site(r *http.Request) string {
	if o := r.Header.Get("Origin"); strings.HasPrefix(o, "https://") {
		return o
	}
	return "https://" + r.Host
}

type oldSubscription struct {
	Endpoint string `json:"endpoint"`
}

func (s *server) apiUnsubscribe(ctx context.Context, c caller, in *struct{ Body oldSubscription }) (none, error) {
	return none{}, s.Push.Unsubscribe(ctx, c.ID, in.Body.Endpoint)
}

type pushAnswers struct {
	Answers []push.Answer `json:"answers" doc:"One for each browser"`
}

func (s *server) apiPushTest(ctx context.Context, c caller, _ *struct{}) (pushAnswers, error) {
	as, err := s.Push.Test(ctx, c.ID)
	return pushAnswers{orEmpty(as)}, err
}

type newMute struct {
	Until *int64 `json:"until" nullable:"false" doc:"Milliseconds since 1970; -1: until further notice; 0: not muted"`
}

func (s *server) apiMute(ctx context.Context, c caller, in *struct {
	ConvPath
	Body newMute
}) (m chat.Mute, err error) {
	m.Conv, err = s.convOf(ctx, c, in.ID)
	if err != nil {
		return m, err
	}
	if in.Body.Until == nil {
		return m, chat.Refuse(chat.Invalid, "until is missing")
	}
	m.Until = *in.Body.Until
	_, err = s.Hub.SetLine(ctx, c.ID, m.Conv, chat.LineChange{Hush: &m.Until})
	return m, err
}

func (s *server) apiMuted(ctx context.Context, c caller, in *ConvPath) (chat.Mute, error) {
	conv, err := s.convOf(ctx, c, in.ID)
	if err != nil {
		return chat.Mute{}, err
	}
	ms, err := s.Push.Mutes(ctx, c.ID, conv)
	if len(ms) > 0 {
		return ms[0], err
	}
	return chat.Mute{Conv: conv}, err
}

type mutesAnswer struct {
	Mutes []chat.Mute `json:"mutes"`
}

func (s *server) apiMutes(ctx context.Context, c caller, _ *struct{}) (mutesAnswer, error) {
	ms, err := s.Push.Mutes(ctx, c.ID)
	return mutesAnswer{orEmpty(ms)}, err
}

func (s *server) apiSetQuiet(ctx context.Context, c caller, in *struct{ Body chat.Quiet }) (chat.Quiet, error) {
	return in.Body, s.Push.SetQuiet(ctx, c.ID, in.Body)
}

func (s *server) apiQuiet(ctx context.Context, c caller, _ *struct{}) (chat.Quiet, error) {
	return s.Push.Quiet(ctx, c.ID)
}
