package e2e

import (
	"testing"
	"time"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/pquerna/otp/totp"
)

// An administrator who has a passkey never types the password again.
func TestAPasskeyStandsForThePasswordBeforeDangerousActs(t *testing.T) {
	s, p := administrator(t)
	bob := join(t, s, "bob", "Bob")
	p.localhost()
	p.goTo("/login") // another name is another sign-in
	p.fill("input[name=username]", "root")
	p.fill("input[name=password]", "correct horse root")
	p.enter()
	p.live()
	p.goTo("/admin/people/act?act=disable&id=" + string(bob.ID))
	p.until(`document.querySelector("main form") && !document.querySelector(".passkey-sure")`) // root has none yet
	key := p.authenticator()
	p.sure("/settings/passkeys", "correct horse root")
	p.until(`document.querySelector("#passkey-add button:not([disabled])")`)
	p.fill("#passkey-add input", "Key")
	p.click("#passkey-add button")
	p.until(`document.querySelector("td b")?.textContent == "Key"`)

	// Signed in again, root is asked again: by a device that makes sure who it is.
	p.signOut()
	p.click("#passkey-in:not([hidden]) button")
	p.live()
	verified := func(is bool) {
		if _, err := chromedp.Call(p.ctx, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: key, IsUserVerified: is}); err != nil {
			t.Fatal(err)
		}
	}
	const ask = ".passkey-sure:not([hidden]) button"
	p.goTo("/admin/people/act?act=disable&id=" + string(bob.ID))
	p.shot("keys-proof")
	verified(false)
	p.click(ask)
	p.until(`document.querySelector(".passkey-sure .problem:not([hidden])") && !document.querySelector(".passkey-sure button").disabled`)
	if !eval[bool](p, `document.querySelector("input[name=password]").required`) {
		t.Error("the form goes without either")
	}
	verified(true)
	p.click(ask)
	p.until(`document.querySelector(".badge.good")?.textContent == "done"`)
	// It counts for ten minutes, as the password does.
	p.goTo("/admin/people/act?act=enable&id=" + string(bob.ID))
	p.click("main form .deed button")
	p.until(`document.querySelector(".badge.good")?.textContent == "done"`)

	p.quiet()
}

func TestAPasskeyAloneIsNotEnoughWhereMoreIsAsked(t *testing.T) {
	s := newServer(t)
	p := browse(t, s, 1440, 900)
	p.localhost()
	p.register("ann")
	p.authenticator()
	p.sure("/settings/passkeys", "correct horse ann")
	p.until(`document.querySelector("#passkey-add button:not([disabled])")`)
	p.fill("#passkey-add input", "Key")
	p.click("#passkey-add button")
	p.until(`document.querySelector("td b")?.textContent == "Key"`)
	p.goTo("/settings/codes")
	p.click("main form button")
	secret := p.confirmTOTP()
	const ask = ".passkey-sure:not([hidden]) button"

	// One-time codes are switched off by it and a code.
	p.goTo("/settings/codes")
	p.until(`document.querySelector(".passkey-sure:not([hidden])")`)
	p.click(ask)
	p.until(`document.querySelector("input[name=code]:invalid")`)
	p.fill("input[name=code]", "000000")
	p.click(ask)
	p.until(`document.querySelector("main .problem:not([hidden])")`)
	code, err := totp.GenerateCode(secret, time.Now().Add(30*time.Second)) // that of now was used to switch it on
	if err != nil {
		t.Fatal(err)
	}
	p.fill("input[name=code]", code)
	p.click(ask)
	p.until(`location.search == "?done=codes-off"`)

	// Before an account is deleted it is asked each time, and whether it is meant.
	p.goTo("/settings/leave")
	p.until(`document.querySelector(".passkey-sure:not([hidden])")`)
	p.click(ask)
	p.until(`document.querySelector("input[name=meant]:invalid")`)
	p.click("input[name=meant]")
	p.shot("keys-proof-leave")
	p.click(ask)
	p.until(`location.pathname == "/login"`)
	p.fill("input[name=username]", "ann")
	p.fill("input[name=password]", "correct horse ann")
	p.expected = true // the browser notes an answer of 403
	p.enter()
	p.until(`document.querySelector(".problem:not([hidden])")`)
}
