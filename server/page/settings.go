package page

import (
	"strings"

	"kamachat/shared/chat"
)

// settingsEntries is the navigation of a person's settings, and its index. It
// holds only what there is; "settings.about." and the name say more of each.
var settingsEntries = []entry{
	{"/settings/profile", "settings.profile"},
	{"/settings/privacy", "settings.privacy"},
	{"/settings/password", "settings.password"},
	{"/settings/codes", "settings.codes"},
	{"/settings/passkeys", "settings.passkeys"},
	{settingsPhone, "settings.phone"},
	{"/settings/devices", "settings.devices"},
	{"/settings/bots", "settings.bots"},
	{"/settings/export", "export.account"},
	{"/settings/leave", "settings.leave"},
}

// about is what the index says more of an entry.
func (c Common) about(key string) string {
	return c.say("settings.about." + key[strings.LastIndexByte(key, '.')+1:])
}

// DevicesPage lists where somebody is signed in.
type DevicesPage struct {
	SettingsFrame
	This    string // the ID of the sign-in that asks
	Devices []chat.SignIn
}

// deviceName is what a sign-in is called.
func (p DevicesPage) deviceName(d chat.SignIn) string {
	if d.Agent != "" {
		return d.Agent
	}
	return p.say("devices." + d.Kind)
}

// PasswordPage changes the password.
type PasswordPage struct{ SettingsFrame }

// TOTPPage is about one-time codes as a second factor.
type TOTPPage struct {
	SettingsFrame
	On              bool
	Left            int      // recovery codes that were not used
	Codes           []string // recovery codes, shown once
	Sure            Sure
	Secret, Address string // to be confirmed; empty: nothing is
}

// PasskeysPage lists passkeys.
type PasskeysPage struct {
	SettingsFrame
	Keys  []chat.Passkey
	Sure  Sure
	Never bool // this address can't have passkeys
}

// PhonePage is about the phone to sign in with.
type PhonePage struct {
	SettingsFrame
	Phone     string
	Confirmed bool
	Asked     string // a code was sent to this one
	Sure      Sure
}

// LeavePage deletes the account.
type LeavePage struct {
	SettingsFrame
	Sure Sure // never said before: it is asked each time
}

// FactorPage asks for a second factor at sign-in.
type FactorPage struct {
	Common
	Next, Ticket string
	Passkey      bool // a passkey will do, too
	Problem      *chat.Refusal
}

// PhoneSignInPage signs in by a code that is sent to a phone.
type PhoneSignInPage struct {
	Common
	Next, Phone string
	Asked       bool // a code was sent, if the phone is known
	Problem     *chat.Refusal
}

// settingsPhone is there only where codes are sent to phones.
const settingsPhone = "/settings/phone"

// sections are the entries of the index of settings, which says more of each.
func (p SettingsFrame) sections() []entry {
	es := make([]entry, 0, len(settingsEntries))
	for _, e := range settingsEntries {
		if e.Path != settingsPhone || p.Codes {
			es = append(es, e)
		}
	}
	return es
}

// groups writes a long secret in groups of four, so that it can be typed.
func groups(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i += 4 {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(s[i:min(i+4, len(s))])
	}
	return b.String()
}
