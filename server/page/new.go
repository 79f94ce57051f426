package page

import (
	"slices"

	"kamachat/shared/chat"
)

// NewPage finds people and makes groups without a script.
type NewPage struct {
	Common
	Me      chat.Person
	Query   string
	Found   []chat.Person // by Query, or contacts where there is none
	Chosen  []chat.Person // to be in the group
	Name    string        // of the group, as all below
	Notice  string
	Picture string // the path of one that was sent already, or empty
	Joining chat.Joining
	Problem *chat.Refusal
}

// others are those found who are not chosen yet.
func (p NewPage) others() []chat.Person {
	return slices.DeleteFunc(slices.Clone(p.Found), func(x chat.Person) bool {
		return slices.ContainsFunc(p.Chosen, func(y chat.Person) bool { return x.ID == y.ID })
	})
}
