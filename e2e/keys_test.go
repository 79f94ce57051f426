package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/pquerna/otp/totp"
)

// authenticator gives a browser one of its own, which verifies its person.
func (p *page) authenticator() webauthn.AuthenticatorID {
	p.Helper()
	if _, err := chromedp.Call(p.ctx, webauthn.Enable, webauthn.EnableParams{}); err != nil {
		p.Fatal(err)
	}
	got, err := chromedp.Call(p.ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{
		Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol: "ctap2", Transport: "internal", HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
		},
	})
	if err != nil {
		p.Fatal(err)
	}
	return got.AuthenticatorID
}

// localhost is the server by a name: passkeys are not for numbers.
func (p *page) localhost() { p.base = strings.Replace(p.base, "127.0.0.1", "localhost", 1) }

// signOut leaves by the page of settings, once the service worker is at rest:
// Chromium can wait for ever for one that it is to remove while it is installed.
func (p *page) signOut() {
	p.Helper()
	p.goTo("/settings")
	p.until(`(navigator.serviceWorker.getRegistrations().then(rs => window.atRest = rs.every(r => r.active && !r.installing)), window.atRest)`)
	p.click(`form[action="/logout"] button`)
	p.until(`location.pathname == "/login"`)
}

// sure says the password again on a page that asks for it.
func (p *page) sure(path, password string) {
	p.Helper()
	p.goTo(path)
	p.fill("main input[name=password]", password)
	p.enter()
}

func TestAPersonSignsInByPasskey(t *testing.T) {
	s := newServer(t)
	p := browse(t, s, 1440, 900)
	p.localhost()
	p.register("ann")
	key := p.authenticator()
	p.sure("/settings/passkeys", "correct horse ann")
	p.until(`document.querySelector("#passkey-add button:not([disabled])")`)
	p.shot("keys-passkey-add")
	p.fill("#passkey-add input", "My laptop")
	p.click("#passkey-add button")
	p.until(`document.body?.innerText.includes("You can sign in with it now") && document.querySelector("td b")?.textContent == "My laptop"`)
	p.shot("keys-passkeys")

	p.signOut()
	p.shot("keys-signin")
	p.click("#passkey-in:not([hidden]) button")
	p.live()
	if name := eval[string](p, `document.querySelector(".me b").textContent`); name != "Ann" {
		t.Errorf("signed in is %q", name)
	}

	// One who is not verified by the device is not signed in.
	p.signOut()
	if _, err := chromedp.Call(p.ctx, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: key}); err != nil {
		t.Fatal(err)
	}
	p.click("#passkey-in:not([hidden]) button")
	p.until(`document.querySelector("#passkey-in .problem:not([hidden])")`)
	if _, err := chromedp.Call(p.ctx, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: key, IsUserVerified: true}); err != nil {
		t.Fatal(err)
	}
	p.click("#passkey-in button")
	p.live()

	// One that has counted fewer uses than before may be a copy.
	uses := p.counted(key, 0)
	if uses == 0 {
		t.Error("the authenticator counts nothing")
	}
	p.signOut()
	p.expected = true // the browser notes an answer of 403
	p.click("#passkey-in:not([hidden]) button")
	p.until(`document.querySelector("#passkey-in .problem:not([hidden])")?.textContent.includes("may have been copied")`)
	p.counted(key, uses+100)
	p.click("#passkey-in button")
	p.live()

	// With one-time codes on, the passkey takes the place of a code, too.
	secret := p.withTOTP("correct horse ann")
	p.signOut()
	p.fill("input[name=username]", "ann")
	p.fill("input[name=password]", "correct horse ann")
	p.enter()
	p.until(`document.querySelector("input[name=code]")`)
	p.shot("keys-factor")
	p.click("#passkey-in:not([hidden]) button")
	p.live()

	// One that was removed opens nothing.
	p.sure("/settings/passkeys", "correct horse ann")
	p.click(`form[action="/settings/passkeys/remove"] button`)
	p.until(`document.body?.innerText.includes("You have no passkey yet")`)
	p.signOut()
	p.click("#passkey-in:not([hidden]) button")
	p.until(`document.querySelector("#passkey-in .problem:not([hidden])")?.textContent == "This passkey is not known here."`)
	if secret == "" {
		t.Error("there was no secret")
	}
}

// counted has the one passkey of an authenticator have been used n times, and
// returns how often it was.
func (p *page) counted(key webauthn.AuthenticatorID, n float64) float64 {
	p.Helper()
	got, err := chromedp.Call(p.ctx, webauthn.GetCredentials, webauthn.GetCredentialsParams{AuthenticatorID: key})
	if err != nil || len(got.Credentials) != 1 {
		p.Fatal(got.Credentials, err)
	}
	c := got.Credentials[0]
	was := c.SignCount
	if _, err := chromedp.Call(p.ctx, webauthn.RemoveCredential, webauthn.RemoveCredentialParams{AuthenticatorID: key, CredentialID: c.CredentialID}); err != nil {
		p.Fatal(err)
	}
	// webauthn.Credential says more than this authenticator knows of.
	add := cdp.Command[map[string]any, cdp.Empty]{Method: webauthn.CommandAddCredential}
	if _, err := chromedp.Call(p.ctx, add, map[string]any{"authenticatorId": key, "credential": map[string]any{
		"credentialId": c.CredentialID, "isResidentCredential": true, "rpId": c.RpID, "privateKey": c.PrivateKey, "userHandle": c.UserHandle, "signCount": n,
	}}); err != nil {
		p.Fatal(err)
	}
	return was
}

// withTOTP switches one-time codes on and returns the secret.
func (p *page) withTOTP(password string) string {
	p.Helper()
	p.sure("/settings/codes", password)
	return p.confirmTOTP()
}

// confirmTOTP is withTOTP where the secret is shown.
func (p *page) confirmTOTP() string {
	p.Helper()
	p.until(`document.querySelector("svg.qr") && document.querySelector(".secret")`)
	p.shot("keys-totp")
	secret := strings.ReplaceAll(eval[string](p, `document.querySelector(".secret").textContent`), " ", "")
	code, err := totp.GenerateCode(secret, time.Now())
	if err != nil {
		p.Fatal(err)
	}
	p.fill("input[name=code]", code)
	p.enter()
	p.until(`document.querySelectorAll("ul.secret li").length == 10`)
	p.shot("keys-recovery")
	return secret
}

func TestOneTimeCodesWorkWithoutScript(t *testing.T) {
	s := newServer(t)
	p := browse(t, s, 390, 844)
	if _, err := chromedp.Call(p.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	p.goTo("/register")
	p.fill("input[name=username]", "ann")
	p.fill("input[name=password]", "correct horse ann")
	p.enter()
	p.until(`document.querySelector(".list")`)
	secret := p.withTOTP("correct horse ann")
	recovery := eval[string](p, `document.querySelector("ul.secret li").textContent`)
	for _, code := range []func() string{
		func() string { return recovery },
		func() string { // the next one, as that of now was used to switch it on
			c, err := totp.GenerateCode(secret, time.Now().Add(30*time.Second))
			if err != nil {
				t.Fatal(err)
			}
			return c
		},
	} {
		p.signOut()
		p.fill("input[name=username]", "ann")
		p.fill("input[name=password]", "correct horse ann")
		p.enter()
		p.until(`document.querySelector("input[name=code]")`)
		p.fill("input[name=code]", code())
		p.enter()
		p.until(`document.querySelector(".list")`)
	}
	p.goTo("/settings/devices")
	p.until(`document.querySelectorAll("tbody tr").length == 1 && document.querySelector(".badge.good").textContent == "this one"`)
	p.shot("keys-devices-phone")
	for _, path := range []string{"/settings", "/settings/password", "/settings/codes", "/settings/passkeys", "/settings/devices", "/settings/leave"} {
		p.goTo(path)
		if w := eval[int](p, "document.documentElement.scrollWidth - innerWidth"); w > 0 {
			t.Errorf("%s scrolls sideways by %d px", path, w)
		}
	}
	p.quiet()
}

func TestADeviceThatIsSignedOutElsewhereNoticesAtOnce(t *testing.T) {
	s := newServer(t)
	here, there := browse(t, s, 1440, 900), browse(t, s, 390, 844)
	here.register("ann")
	there.goTo("/login")
	there.fill("input[name=username]", "ann")
	there.fill("input[name=password]", "correct horse ann")
	there.enter()
	there.live()
	there.expected = true
	here.goTo("/settings/devices")
	here.until(`document.querySelectorAll("tbody tr").length == 2`)
	here.shot("keys-devices")
	here.click(`form[action="/settings/devices/end"] button`)
	here.until(`document.body?.innerText.includes("Signed out there")`)
	there.until(`location.pathname == "/login"`)
	here.goTo("/")
	here.live()
	here.quiet()
}
