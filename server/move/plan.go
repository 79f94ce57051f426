package move

import (
	"fmt"
	"slices"
	"strings"

	"kamachat/server/store"
)

// log is the table that is copied as the log it is: what is behind the end that
// the copy has of a conversation is new, and no more is looked at until the check.
const log = "messages"

// settings is the table that also tells each database about the move itself.
const settings = "settings"

// plan is every table of the schema, in the order in which they are copied. All
// but the log change in place: they are read on both sides and made the same, row
// by row, on every pass. The log comes last, since where its parts end is asked
// by conversation. A new migration's table gets its place here (TestPlanHasEveryTable).
var plan = []string{
	settings, "users", "profiles", "contacts", "contact_requests", "tokens", "logins", "devices", "totp", "passkeys", "codes", "push_subscriptions",
	"mutes", "quiet", "files", "file_entries", "conversations", "members", "former_members", "group_invites", "join_requests", "invitations", "hooks_in", "hooks_out",
	"audit", "reports", "jobs", "samples", log,
}

// planned returns the tables of plan that there are, in its order, or what is
// wrong: a schema that this program does not know.
func planned(there []store.Table) ([]store.Table, error) {
	var ts []store.Table
	for _, t := range there {
		if !slices.Contains(plan, t.Name) {
			return nil, fmt.Errorf("there is a table %s, which this version of kamachat does not know", t.Name)
		}
		ts = append(ts, t)
	}
	slices.SortFunc(ts, func(x, y store.Table) int { return slices.Index(plan, x.Name) - slices.Index(plan, y.Name) })
	return ts, nil
}

// alike says how two schemas differ, or nil.
func alike(from, to []store.Table) error {
	words := func(ts []store.Table) map[string]string {
		m := map[string]string{}
		for _, t := range ts {
			m[t.Name] = strings.Join(t.Columns, ", ")
		}
		return m
	}
	a, b := words(from), words(to)
	for _, name := range plan {
		if a[name] != b[name] {
			return fmt.Errorf("the old database is not up to date (see the table %s): start this version of kamachat on it, or run kamachat migrate --db on it, first", name)
		}
	}
	return nil
}
