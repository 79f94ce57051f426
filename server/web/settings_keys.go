package web

import (
	"context"
	"net"
	"net/http"
	"strings"

	"kamachat/server/page"
	"kamachat/shared/chat"
)

// issuer is what authenticators show beside the username.
func issuer(r *http.Request) string { return "KamaChat " + hostOf(r) }

// hostOf is the name of this site, without a port.
func hostOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	return strings.ToLower(host)
}

func (s *server) pageTOTP(w http.ResponseWriter, r *http.Request, c caller) error {
	return s.drawTOTP(w, r, c, nil)
}

func (s *server) drawTOTP(w http.ResponseWriter, r *http.Request, c caller, problem error) error {
	f, err := s.Accounts.Factors(r.Context(), c.ID)
	if err != nil {
		return err
	}
	frame, status := s.frame(w, r, c, atCodes, problem)
	p := page.TOTPPage{SettingsFrame: frame, On: f.TOTP, Left: f.Recovery, Sure: s.sureness(r, c)}
	if f.TOTP {
		p.Sure = s.unsure(r, c)
	}
	// What is to be confirmed is a secret: it is shown to who said the password.
	if !f.TOTP && p.Sure.Said {
		p.Secret, p.Address, err = s.Accounts.PendingTOTP(r.Context(), c.Person, issuer(r))
		if err != nil && chat.AsRefusal(err).Code != chat.NotFound {
			return err
		}
	}
	s.draw(w, r, status, page.TOTP(p))
	return nil
}

func (s *server) pageTOTPBegin(w http.ResponseWriter, r *http.Request, c caller) error {
	err := s.sure(r, c)
	if err == nil {
		_, _, err = s.Accounts.BeginTOTP(r.Context(), c.Person, issuer(r))
	}
	if err != nil {
		return s.drawTOTP(w, r, c, err)
	}
	return s.toSettings(w, r, atCodes, "")
}

func (s *server) pageTOTPConfirm(w http.ResponseWriter, r *http.Request, c caller) error {
	err := s.sure(r, c)
	var codes []string
	if err == nil {
		codes, err = s.Accounts.ConfirmTOTP(r.Context(), address(r), c.Person, r.PostFormValue("code"))
	}
	if err != nil {
		return s.drawTOTP(w, r, c, err)
	}
	frame, status := s.frame(w, r, c, atCodes, nil)
	s.draw(w, r, status, page.TOTP(page.TOTPPage{SettingsFrame: frame, On: true, Codes: codes}))
	return nil
}

func (s *server) pageTOTPOff(w http.ResponseWriter, r *http.Request, c caller) error {
	err := s.proven(r, c)
	if err == nil {
		err = s.Accounts.EndTOTP(r.Context(), address(r), c.Person, r.PostFormValue("code"))
	}
	if err != nil {
		return s.drawTOTP(w, r, c, err)
	}
	return s.toSettings(w, r, atCodes, "codes-off")
}

// withCodes makes a page of one that there is only where codes are sent to phones.
func (s *server) withCodes(h func(http.ResponseWriter, *http.Request, caller) error) func(http.ResponseWriter, *http.Request, caller) error {
	return func(w http.ResponseWriter, r *http.Request, c caller) error {
		if !s.Accounts.CodesOn() {
			return errNoPage
		}
		return h(w, r, c)
	}
}

func (s *server) pagePhone(w http.ResponseWriter, r *http.Request, c caller) error {
	return s.drawPhone(w, r, c, "", nil)
}

// drawPhone draws the phone, or with asked the form for the code that was sent there.
func (s *server) drawPhone(w http.ResponseWriter, r *http.Request, c caller, asked string, problem error) error {
	phone, confirmed, err := s.Accounts.PhoneOf(r.Context(), c.ID)
	if err != nil {
		return err
	}
	frame, status := s.frame(w, r, c, atPhone, problem)
	s.draw(w, r, status, page.Phone(page.PhonePage{SettingsFrame: frame, Phone: phone, Confirmed: confirmed, Asked: asked, Sure: s.sureness(r, c)}))
	return nil
}

func (s *server) pagePhoneAsk(w http.ResponseWriter, r *http.Request, c caller) error {
	phone := r.PostFormValue("phone")
	err := s.sure(r, c)
	if err == nil {
		err = s.Accounts.AskPhone(r.Context(), address(r), c.ID, phone)
	}
	if err != nil {
		phone = ""
	}
	return s.drawPhone(w, r, c, phone, err)
}

func (s *server) pagePhoneConfirm(w http.ResponseWriter, r *http.Request, c caller) error {
	phone := r.PostFormValue("phone")
	if err := s.Accounts.ConfirmPhone(r.Context(), address(r), c.ID, phone, r.PostFormValue("code")); err != nil {
		return s.drawPhone(w, r, c, phone, err)
	}
	return s.toSettings(w, r, atPhone, "phone")
}

func (s *server) pagePhoneRemove(w http.ResponseWriter, r *http.Request, c caller) error {
	if err := s.Accounts.ForgetPhone(r.Context(), c.ID); err != nil {
		return err
	}
	return s.toSettings(w, r, atPhone, "no-phone")
}

func (s *server) pageLeave(w http.ResponseWriter, r *http.Request, c caller) error {
	return s.drawLeave(w, r, c, nil)
}

func (s *server) drawLeave(w http.ResponseWriter, r *http.Request, c caller, problem error) error {
	frame, status := s.frame(w, r, c, atLeave, problem)
	s.draw(w, r, status, page.Leave(page.LeavePage{SettingsFrame: frame, Sure: s.unsure(r, c)}))
	return nil
}

// pageLeaveDo deletes the account. A proof is asked for each time.
func (s *server) pageLeaveDo(w http.ResponseWriter, r *http.Request, c caller) error {
	var err error
	switch {
	case s.Admin == nil:
		return errNoPage
	case r.PostFormValue("meant") == "":
		err = chat.Refuse(chat.Invalid, "say that you mean it")
	default:
		err = s.proven(r, c)
	}
	if err == nil {
		err = s.Admin.Leave(context.WithoutCancel(r.Context()), who(r, c), r.PostFormValue("erase") != "")
	}
	if err != nil {
		return s.drawLeave(w, r, c, err)
	}
	if err := s.signOut(w, r); err != nil {
		return err
	}
	http.Redirect(w, r, "/login", http.StatusSeeOther)
	return nil
}
