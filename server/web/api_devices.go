package web

import (
	"context"
	"errors"

	"kamachat/server/account"
	"kamachat/shared/chat"
)

func (a *api) deviceRoutes() {
	route(a, operation{
		Method: "GET", Path: "/api/v1/devices", ID: "listDevices", Tag: "Devices",
		Summary: "Where one is signed in",
		About:   "Last used first.",
	}, a.apiDevices)
	route(a, operation{
		Method: "DELETE", Path: "/api/v1/devices/{id}", ID: "endDevice", Tag: "Devices",
		Summary: "Sign out there",
		About:   "Its sockets are closed and its notifications end. That which asks is ended by `logout`.",
	}, a.apiEndDevice)
	route(a, operation{
		Method: "DELETE", Path: "/api/v1/devices", ID: "endOtherDevices", Tag: "Devices",
		Summary: "Sign out everywhere else",
	}, a.apiEndOthers)
	route(a, operation{
		Method: "PUT", Path: "/api/v1/me/password", ID: "changePassword", Tag: "Signing in",
		Summary: "Choose another password",
		About:   "All other sign-ins end.",
	}, a.apiChangePassword)
}

// A device is a browser or program in which one is signed in.
type device struct {
	chat.SignIn
	This bool `json:"this" doc:"The one that asks"`
}

type devicesAnswer struct {
	Devices []device `json:"devices"`
}

func (s *server) apiDevices(ctx context.Context, c caller, _ *struct{}) (a devicesAnswer, err error) {
	ss, err := s.Accounts.Devices(ctx, c.ID)
	a.Devices = make([]device, len(ss))
	for i, d := range ss {
		a.Devices[i] = device{d, d.ID == c.login}
	}
	return a, err
}

func (s *server) apiEndDevice(ctx context.Context, c caller, in *struct {
	ID string `path:"id" maxLength:"64" doc:"Of the device"`
}) (none, error) {
	return none{}, s.endDevice(ctx, c, in.ID)
}

type endedAnswer struct {
	Ended int `json:"ended" doc:"How many"`
}

func (s *server) apiEndOthers(ctx context.Context, c caller, _ *struct{}) (endedAnswer, error) {
	n, err := s.endOthers(ctx, c)
	return endedAnswer{n}, err
}

type newPassword struct {
	Old string `json:"old" doc:"The current one"`
	New string `json:"new"`
}

func (s *server) apiChangePassword(ctx context.Context, c caller, in *struct{ Body newPassword }) (none, error) {
	return none{}, s.changePassword(ctx, address(exchangeOf(ctx).r), c, in.Body.Old, in.Body.New)
}

// A secondFactor is what somebody shows who was right so far.
type secondFactor struct {
	Ticket string `json:"ticket" doc:"Of the problem second_factor"`
	Code   string `json:"code" doc:"Of the authenticator, or a recovery code"`
}

func (s *server) apiLoginFactor(ctx context.Context, _ caller, in *struct{ Body secondFactor }) (entered, error) {
	p, err := s.Accounts.SignInFactor(ctx, address(exchangeOf(ctx).r), in.Body.Ticket, in.Body.Code)
	return s.apiEntered(ctx, p, err)
}

type phoneAsk struct {
	Phone string `json:"phone"`
}

type phoneCode struct {
	Phone string `json:"phone"`
	Code  string `json:"code"`
}

func (s *server) apiAskCode(ctx context.Context, _ caller, in *struct{ Body phoneAsk }) (none, error) {
	return none{}, s.Accounts.AskCode(ctx, address(exchangeOf(ctx).r), in.Body.Phone)
}

func (s *server) apiLoginCode(ctx context.Context, _ caller, in *struct{ Body phoneCode }) (entered, error) {
	p, err := s.Accounts.SignInCode(ctx, address(exchangeOf(ctx).r), in.Body.Phone, in.Body.Code)
	return s.apiEntered(ctx, p, err)
}

// ticketOf is the ticket of an error that asks for a second factor, or "".
func ticketOf(err error) string {
	var need *account.NeedsFactor
	if errors.As(err, &need) {
		return need.Ticket
	}
	return ""
}

// passkeyOf reports whether a passkey will do as the second factor that an error asks for.
func passkeyOf(err error) bool {
	var need *account.NeedsFactor
	return errors.As(err, &need) && need.Passkey
}
