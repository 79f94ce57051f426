package web

import "context"

// Second factors are set up by people and their own programs: no token that is bound
// to scopes reaches here, and each change takes the password again.
func (a *api) factorRoutes() {
	route(a, operation{
		Method: "GET", Path: "/api/v1/me/factors", ID: "getFactors", Tag: "Signing in", Summary: "What is asked for beside the password",
	}, a.apiFactors)
	route(a, operation{
		Method: "POST", Path: "/api/v1/me/totp", ID: "beginTOTP", Tag: "Signing in", Summary: "Begin to set one-time codes up",
		About: "Nothing is asked for until `confirmTOTP`. Begun again, the secret is another.",
	}, a.apiBeginTOTP)
	route(a, operation{
		Method: "POST", Path: "/api/v1/me/totp/confirm", ID: "confirmTOTP", Tag: "Signing in", Summary: "Have one-time codes asked for from now on",
		About: "The recovery codes work once each, and are not to be had again.",
	}, a.apiConfirmTOTP)
	route(a, operation{
		Method: "POST", Path: "/api/v1/me/totp/remove", ID: "removeTOTP", Tag: "Signing in", Summary: "Have them asked for no longer",
	}, a.apiRemoveTOTP)
	route(a, operation{
		Method: "POST", Path: "/api/v1/me/passkeys/{id}/remove", ID: "removePasskey", Tag: "Signing in", Summary: "Remove a passkey",
		About: "Passkeys are made in a browser, at `/settings/passkeys`: they are bound to its address.",
	}, a.apiRemovePasskey)
}

// A passkey is one as its person sees it.
type passkey struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	CreatedAt int64  `json:"created_at" doc:"Milliseconds since 1970"`
	UsedAt    int64  `json:"used_at" doc:"Milliseconds since 1970; 0: never"`
}

type factorsAnswer struct {
	TOTP     bool      `json:"totp" doc:"Whether one-time codes are asked for"`
	Recovery int       `json:"recovery" doc:"Recovery codes that are left"`
	Passkeys []passkey `json:"passkeys"`
}

func (s *server) apiFactors(ctx context.Context, c caller, _ *struct{}) (factorsAnswer, error) {
	f, err := s.Accounts.Factors(ctx, c.ID)
	keys := make([]passkey, len(f.Passkeys))
	for i, k := range f.Passkeys {
		keys[i] = passkey{k.ID, k.Name, k.CreatedAt, k.UsedAt}
	}
	return factorsAnswer{f.TOTP, f.Recovery, keys}, err
}

// A proof is the password of who is signed in already.
type proof struct {
	Password string `json:"password" doc:"The current one"`
}

// A codeProof is that, with a one-time code.
type codeProof struct {
	Password string `json:"password" doc:"The current one"`
	Code     string `json:"code" doc:"Of the authenticator"`
}

type secretAnswer struct {
	Secret  string `json:"secret" doc:"In base 32"`
	Address string `json:"address" doc:"otpauth:// address, for a QR code"`
}

func (s *server) apiBeginTOTP(ctx context.Context, c caller, in *struct{ Body proof }) (out secretAnswer, err error) {
	r := exchangeOf(ctx).r
	if err = s.Accounts.Knows(ctx, address(r), c.Person, in.Body.Password); err == nil {
		out.Secret, out.Address, err = s.Accounts.BeginTOTP(ctx, c.Person, issuer(r))
	}
	return out, err
}

type recoveryAnswer struct {
	Recovery []string `json:"recovery" doc:"Codes that work once each in place of the authenticator's"`
}

func (s *server) apiConfirmTOTP(ctx context.Context, c caller, in *struct{ Body codeProof }) (out recoveryAnswer, err error) {
	at := address(exchangeOf(ctx).r)
	if err = s.Accounts.Knows(ctx, at, c.Person, in.Body.Password); err == nil {
		out.Recovery, err = s.Accounts.ConfirmTOTP(ctx, at, c.Person, in.Body.Code)
	}
	return out, err
}

func (s *server) apiRemoveTOTP(ctx context.Context, c caller, in *struct{ Body codeProof }) (none, error) {
	at := address(exchangeOf(ctx).r)
	err := s.Accounts.Knows(ctx, at, c.Person, in.Body.Password)
	if err == nil {
		err = s.Accounts.EndTOTP(ctx, at, c.Person, in.Body.Code)
	}
	return none{}, err
}

func (s *server) apiRemovePasskey(ctx context.Context, c caller, in *struct {
	ID   string `path:"id" maxLength:"255" doc:"Of the passkey"`
	Body proof
}) (none, error) {
	err := s.Accounts.Knows(ctx, address(exchangeOf(ctx).r), c.Person, in.Body.Password)
	if err == nil {
		err = s.Accounts.DeletePasskey(ctx, c.ID, in.ID)
	}
	return none{}, err
}
