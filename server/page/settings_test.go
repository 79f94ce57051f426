package page

import (
	"strings"
	"testing"

	"github.com/a-h/templ"

	"kamachat/shared/chat"
)

// settingsPages are the pages of a person's own settings, and those of signing in
// beyond the password.
func settingsPages(lang string) map[string]templ.Component {
	now, day := noon.UnixMilli(), int64(86_400_000)
	frame := func(at string) SettingsFrame {
		return SettingsFrame{Common: common(lang), Me: chat.Person{ID: ann, Username: "ann", Nickname: "Lin Mei"}, At: at, Codes: true}
	}
	wrong := frame("/settings/password")
	wrong.Problem = chat.Refuse(chat.Forbidden, "the password is wrong")
	done := frame("/settings/devices")
	done.Said, done.Codes = "devices.all.ended", false
	const secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
	keys := []chat.Passkey{{ID: "k1", Name: "My <phone>", CreatedAt: now - day, UsedAt: now}, {ID: "k2", Name: "钥匙", CreatedAt: now - 9*day}}
	return map[string]templ.Component{
		"settings":          Settings(frame("/settings")),
		"settings-password": Password(PasswordPage{wrong}),
		"settings-devices": Devices(DevicesPage{SettingsFrame: frame("/settings/devices"), This: "a", Devices: []chat.SignIn{
			{ID: "a", Kind: chat.Browser, Agent: "Firefox · Linux", Addr: "192.0.2.9", CreatedAt: now - day, SeenAt: now},
			{ID: "b", Kind: chat.Program, Agent: "<curl>", Addr: "2001:db8::/64", CreatedAt: now - 9*day, SeenAt: now - 3*day},
			{ID: "c", Kind: chat.Browser, CreatedAt: now, SeenAt: now},
		}}),
		"settings-devices-one":    Devices(DevicesPage{SettingsFrame: done, This: "a", Devices: []chat.SignIn{{ID: "a", Kind: chat.Browser}}}),
		"settings-codes":          TOTP(TOTPPage{SettingsFrame: frame("/settings/codes")}),
		"settings-codes-confirm":  TOTP(TOTPPage{SettingsFrame: frame("/settings/codes"), Sure: Sure{Said: true}, Secret: secret, Address: "otpauth://totp/KamaChat:ann?secret=" + secret}),
		"settings-codes-recovery": TOTP(TOTPPage{SettingsFrame: frame("/settings/codes"), On: true, Codes: []string{"abcd-efgh-ijkl-mnop", "qrst-uvwx-yz23-4567"}}),
		"settings-codes-on":       TOTP(TOTPPage{SettingsFrame: frame("/settings/codes"), On: true, Left: 1}),
		"settings-passkeys":       Passkeys(PasskeysPage{SettingsFrame: frame("/settings/passkeys"), Keys: keys}),
		"settings-passkeys-sure":  Passkeys(PasskeysPage{SettingsFrame: frame("/settings/passkeys"), Keys: keys, Sure: Sure{Said: true}}),
		"settings-passkeys-never": Passkeys(PasskeysPage{SettingsFrame: frame("/settings/passkeys"), Sure: Sure{Said: true}, Never: true}),
		"settings-phone":          Phone(PhonePage{SettingsFrame: frame("/settings/phone"), Phone: "+8613800000000", Confirmed: true}),
		"settings-phone-asked":    Phone(PhonePage{SettingsFrame: frame("/settings/phone"), Asked: "+8613800000000"}),
		"settings-leave":          Leave(LeavePage{SettingsFrame: frame("/settings/leave"), Sure: Sure{Key: true}}),
		"signin-all":              SignIn(SignInPage{Common: common(lang), Next: "/", Codes: true, Passkeys: true}),
		"factor":                  Factor(FactorPage{Common: common(lang), Next: "/c/x", Ticket: "t.t", Passkey: true, Problem: chat.Refuse(chat.Forbidden, "the code is wrong or was used")}),
		"phone-signin":            PhoneSignIn(PhoneSignInPage{Common: common(lang), Next: "/"}),
		"phone-signin-asked":      PhoneSignIn(PhoneSignInPage{Common: common(lang), Next: "/c/x", Phone: "138 <0>", Asked: true}),
	}
}

// The index leads to everything in the navigation and says a sentence of each.
func TestTheIndexOfSettingsSaysWhatThereIs(t *testing.T) {
	for _, lang := range []string{"en", "zh"} {
		f := SettingsFrame{Common: common(lang), Codes: true}
		for _, e := range f.sections() {
			if words := f.about(e.Key); strings.HasPrefix(words, "settings.") {
				t.Errorf("%s: nothing is said of %s", lang, e.Path)
			}
		}
		if with, without := len(f.sections()), len(SettingsFrame{}.sections()); with != without+1 {
			t.Errorf("with codes by phone there are %d, without %d", with, without)
		}
	}
}
