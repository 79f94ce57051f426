package web

import (
	"context"
	"net/http"

	"kamachat/server/account"
	"kamachat/server/page"
	"kamachat/shared/chat"
)

// Keys is how people prove who they are, and where they have done so.
type Keys interface {
	NoteSignIn(ctx context.Context, u chat.UserID, token, kind, agent, addr string) error
	Saw(d chat.SignIn)
	Devices(ctx context.Context, u chat.UserID) ([]chat.SignIn, error)
	EndDevice(ctx context.Context, u chat.UserID, id string) error
	EndOthers(ctx context.Context, u chat.UserID, keep chat.SignIn) ([]string, error)
	ChangePassword(ctx context.Context, addr string, p chat.Person, old, password string, keep chat.SignIn) ([]string, error)
	// Knows answers chat.Forbidden unless p knows their password.
	Knows(ctx context.Context, addr string, p chat.Person, password string) error

	Factors(ctx context.Context, u chat.UserID) (account.Factors, error)
	SignInFactor(ctx context.Context, addr, ticket, code string) (chat.Person, error)
	BeginTOTP(ctx context.Context, p chat.Person, issuer string) (secret, address string, err error)
	PendingTOTP(ctx context.Context, p chat.Person, issuer string) (secret, address string, err error)
	ConfirmTOTP(ctx context.Context, addr string, p chat.Person, code string) ([]string, error)
	EndTOTP(ctx context.Context, addr string, p chat.Person, code string) error

	BeginPasskey(ctx context.Context, at account.Site, p chat.Person) (options any, state string, err error)
	AddPasskey(ctx context.Context, at account.Site, p chat.Person, name, state string, response []byte) error
	DeletePasskey(ctx context.Context, u chat.UserID, id string) error
	BeginPasskeySignIn(ctx context.Context, at account.Site, ticket string) (options any, state string, err error)
	HasPasskey(ctx context.Context, u chat.UserID) (bool, error)
	BeginProof(ctx context.Context, at account.Site, p chat.Person, login string) (options any, state string, err error)
	Prove(ctx context.Context, addr string, at account.Site, p chat.Person, login, state string, response []byte) error
	PasskeySignIn(ctx context.Context, addr string, at account.Site, state string, response []byte) (chat.Person, error)

	CodesOn() bool
	AskCode(ctx context.Context, addr, phone string) error
	SignInCode(ctx context.Context, addr, phone, code string) (chat.Person, error)
	AskPhone(ctx context.Context, addr string, u chat.UserID, phone string) error
	ConfirmPhone(ctx context.Context, addr string, u chat.UserID, phone, code string) error
	ForgetPhone(ctx context.Context, u chat.UserID) error
	PhoneOf(ctx context.Context, u chat.UserID) (phone string, confirmed bool, err error)
}

// Where the entries of the navigation lead.
const (
	atIndex    = "/settings"
	atPassword = "/settings/password"
	atCodes    = "/settings/codes"
	atPasskeys = "/settings/passkeys"
	atPhone    = "/settings/phone"
	atDevices  = "/settings/devices"
	atLeave    = "/settings/leave"
)

func (s *server) settingsRoutes(mux *http.ServeMux) {
	for route, h := range map[string]func(http.ResponseWriter, *http.Request, caller) error{
		"GET " + atIndex:                    s.pageSettings,
		"GET " + atPassword:                 s.pagePassword,
		"POST " + atPassword:                s.pagePasswordDo,
		"GET " + atDevices:                  s.pageDevices,
		"POST " + atDevices + "/end":        s.pageDevicesEnd,
		"POST " + atDevices + "/end-others": s.pageDevicesEndOthers,
		"GET " + atCodes:                    s.pageTOTP,
		"POST " + atCodes + "/begin":        s.pageTOTPBegin,
		"POST " + atCodes + "/confirm":      s.pageTOTPConfirm,
		"POST " + atCodes + "/off":          s.pageTOTPOff,
		"GET " + atPasskeys:                 s.pagePasskeys,
		"POST " + atPasskeys + "/sure":      s.pagePasskeysSure,
		"POST " + atPasskeys + "/remove":    s.pagePasskeysRemove,
		"POST " + atPasskeys + "/begin":     s.passkeyBegin,
		"POST " + atPasskeys + "/proof":     s.proofBegin,
		"POST " + atPasskeys:                s.passkeyAdd,
		"GET " + atPhone:                    s.withCodes(s.pagePhone),
		"POST " + atPhone:                   s.withCodes(s.pagePhoneAsk),
		"POST " + atPhone + "/confirm":      s.withCodes(s.pagePhoneConfirm),
		"POST " + atPhone + "/remove":       s.withCodes(s.pagePhoneRemove),
		"GET " + atLeave:                    s.pageLeave,
		"POST " + atLeave:                   s.pageLeaveDo,
	} {
		mux.HandleFunc(route, s.own(h))
	}
}

// own makes a page of one about the caller's own account, which only browsers get:
// programs have the API.
func (s *server) own(h func(http.ResponseWriter, *http.Request, caller) error) http.HandlerFunc {
	return s.signedIn(func(w http.ResponseWriter, r *http.Request, c caller) error {
		if bearer(r) != "" {
			return errNoPage
		}
		return h(w, r, c)
	})
}

// saidOf are the keys of what was just done, by what stands in the address.
var saidOf = map[string]string{
	"ended": "devices.ended", "others": "devices.all.ended", "password": "password.changed", "codes-off": "codes.off.done",
	"bots": "bots.done", "passkey": "passkeys.added", "no-passkey": "passkeys.removed", "phone": "phone.done", "no-phone": "phone.removed",
}

// frame is what a page of settings begins with. at is its entry in the navigation,
// problem what was wrong with the try before. The status goes with that.
func (s *server) frame(w http.ResponseWriter, r *http.Request, c caller, at string, problem error) (page.SettingsFrame, int) {
	f, status := page.SettingsFrame{Common: s.common(w, r), Me: c.Person, At: at, Codes: s.Accounts.CodesOn()}, http.StatusOK
	if problem != nil {
		status, f.Problem = s.refuse(w, r, problem).Status, chat.AsRefusal(problem)
	} else if r.Method == http.MethodGet {
		f.Said = saidOf[r.URL.Query().Get("done")]
	}
	return f, status
}

// toSettings leads on to a page of settings, which says what was done.
func (s *server) toSettings(w http.ResponseWriter, r *http.Request, at, done string) error {
	if done != "" {
		at += "?done=" + done
	}
	http.Redirect(w, r, at, http.StatusSeeOther)
	return nil
}

func (s *server) pageSettings(w http.ResponseWriter, r *http.Request, c caller) error {
	f, status := s.frame(w, r, c, atIndex, nil)
	s.draw(w, r, status, page.Settings(f))
	return nil
}

func (s *server) pageDevices(w http.ResponseWriter, r *http.Request, c caller) error {
	return s.drawDevices(w, r, c, nil)
}

func (s *server) drawDevices(w http.ResponseWriter, r *http.Request, c caller, problem error) error {
	ds, err := s.Accounts.Devices(r.Context(), c.ID)
	if err != nil {
		return err
	}
	f, status := s.frame(w, r, c, atDevices, problem)
	s.draw(w, r, status, page.Devices(page.DevicesPage{SettingsFrame: f, This: c.login, Devices: ds}))
	return nil
}

func (s *server) pageDevicesEnd(w http.ResponseWriter, r *http.Request, c caller) error {
	if err := s.endDevice(r.Context(), c, r.PostFormValue("id")); err != nil {
		return s.drawDevices(w, r, c, err)
	}
	return s.toSettings(w, r, atDevices, "ended")
}

// endDevice signs c out of another device and closes its sockets, on every node.
func (s *server) endDevice(ctx context.Context, c caller, id string) error {
	if id == c.login {
		return chat.Refuse(chat.Invalid, "this is the sign-in that asks")
	}
	if err := s.Accounts.EndDevice(ctx, c.ID, id); err != nil {
		return err
	}
	return s.closeLogin(ctx, c.ID, id)
}

func (s *server) pageDevicesEndOthers(w http.ResponseWriter, r *http.Request, c caller) error {
	if _, err := s.endOthers(r.Context(), c); err != nil {
		return err
	}
	return s.toSettings(w, r, atDevices, "others")
}

// endOthers signs c out everywhere else, and says of how many.
func (s *server) endOthers(ctx context.Context, c caller) (int, error) {
	logins, err := s.Accounts.EndOthers(ctx, c.ID, c.signIn())
	if err != nil {
		return 0, err
	}
	return len(logins), s.closeLogins(ctx, c, logins)
}

// closeLogins closes the sockets of sign-ins that have ended. Once they have,
// that is done to all: a browser that goes away stops nothing halfway.
func (s *server) closeLogins(ctx context.Context, c caller, logins []string) error {
	ctx = context.WithoutCancel(ctx)
	for _, l := range logins {
		if err := s.closeLogin(ctx, c.ID, l); err != nil {
			return err
		}
	}
	return nil
}

func (s *server) pagePassword(w http.ResponseWriter, r *http.Request, c caller) error {
	f, status := s.frame(w, r, c, atPassword, nil)
	s.draw(w, r, status, page.Password(page.PasswordPage{SettingsFrame: f}))
	return nil
}

func (s *server) pagePasswordDo(w http.ResponseWriter, r *http.Request, c caller) error {
	err := error(chat.Refuse(chat.Invalid, "the two passwords differ"))
	if password := r.PostFormValue("new"); password == r.PostFormValue("again") {
		err = s.changePassword(r.Context(), address(r), c, r.PostFormValue("password"), password)
	}
	if err != nil {
		f, status := s.frame(w, r, c, atPassword, err)
		s.draw(w, r, status, page.Password(page.PasswordPage{SettingsFrame: f}))
		return nil
	}
	return s.toSettings(w, r, atPassword, "password")
}

// changePassword gives c another password and signs c out everywhere else.
func (s *server) changePassword(ctx context.Context, addr string, c caller, old, password string) error {
	ended, err := s.Accounts.ChangePassword(ctx, addr, c.Person, old, password, c.signIn())
	if err != nil {
		return err
	}
	return s.closeLogins(ctx, c, ended)
}
