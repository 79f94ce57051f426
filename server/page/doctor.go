package page

import "kamachat/shared/words"

// DoctorPage tells what works, in the browser that it is shown in and, to an
// administrator, on the server. The checks are static/doctor.js.
type DoctorPage struct {
	Common
	SignedIn, Admin bool
}

// checks are the names of the checks in the order that they are made in: later
// ones build on what earlier ones have found.
var (
	browserChecks = []string{
		"connection", "site", "clock", "socket", "program", "storage", "persist", "kept", "worker", "build", "push", "language", "zone",
	}
	serverChecks = []string{"database", "store", "carrier", "redis", "disk", "run"}
)

// doctor is say for the sentences that the server alone says.
func (c Common) doctor(key string) string { return c.say("doctor." + key) }

// words are what doctor.js says.
func (p DoctorPage) words() map[string]string { return words.Below(words.Lang(p.Lang), "doctor.") }

// alone is p.Common without the program, so that nothing large is loaded ahead:
// it would disturb what is measured.
func (p DoctorPage) alone() Common {
	c := p.Common
	c.Asset = func(name string) string {
		if name == "app.wasm" {
			return ""
		}
		return p.Asset(name)
	}
	return c
}
