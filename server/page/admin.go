package page

import "kamachat/shared/chat"

// Admin is what every page of the administration gets.
type Admin struct {
	Common
	Me      chat.Person
	At      string         // the entry of the navigation that the page is below, as adminEntries has it
	Waiting map[string]int // beside entries, by address: how much waits there
	Said    string         // what was just done, as a key of the catalogue; empty: nothing
	Problem *chat.Refusal  // of the try before, or nil
	Sure    Sure
}

// A Sure is whether somebody is to prove once more who they are, and by what they can.
type Sure struct {
	Said bool // they did a moment ago, and need not
	Key  bool // a passkey of theirs does, too, in place of the password
}

// A SettingsFrame is what every page of a person's own settings gets.
type SettingsFrame struct {
	Common
	Me      chat.Person
	At      string // the entry of the navigation that is open, as settingsEntries has it
	Said    string // what was just done, as a key of the catalogue; empty: nothing
	Problem *chat.Refusal
	Codes   bool // codes are sent to phones
}

// An entry of a navigation: where it leads, and what the catalogue calls it.
type entry struct{ Path, Key string }

// adminEntries is the navigation of the administration. It holds only what there is.
var adminEntries = []entry{
	{"/admin/overview", "admin.overview"},
	{"/admin/people", "admin.people"},
	{"/admin/groups", "admin.groups"},
	{"/admin/reports", "admin.reports"},
	{"/admin/invitations", "admin.invitations"},
	{"/admin/audit", "admin.audit"},
	{"/admin/settings", "admin.settings"},
	{"/admin/jobs", "admin.jobs"},
}

// AdminHome is where /admin leads.
func AdminHome() string {
	if len(adminEntries) == 0 {
		return "/"
	}
	return adminEntries[0].Path
}
