package chat

import "strings"

// An Account is what administrators see of a person.
type Account struct {
	Person
	Bot       UserID `json:"bot_of,omitempty"` // whose bot it is; empty: a person's own
	Renewing  bool   `json:"renew,omitempty"`  // Person.Renew, for those who read it as JSON
	CreatedAt int64  `json:"created_at"`       // Unix milliseconds
	SeenAt    int64  `json:"seen_at"`          // Unix milliseconds; 0: it is not known
}

// goneMark begins the username of an account that was deleted. No username that
// people choose can have it.
const goneMark = "~"

// GoneUsername is what an account that was deleted is called, so that its username is free.
func GoneUsername(u UserID) string { return goneMark + string(u) }

// Gone reports whether the account was deleted. What the person wrote may still
// be there.
func (p Person) Gone() bool { return strings.HasPrefix(p.Username, goneMark) }

// The orders of a list of accounts or groups.
const (
	ByName   = "name"
	ByNewest = "newest"
	BySeen   = "seen"    // of accounts: last here first
	ByLatest = "latest"  // of groups: last message first
	ByMost   = "members" // of groups: most members first
)

// The parts of a list of accounts or groups; the empty one is all.
const (
	OnlyAdmins   = "admins"   // of accounts
	OnlyDisabled = "disabled" // accounts, groups
	OnlyBots     = "bots"     // of accounts
	OnlyEnded    = "ended"    // groups that are dismissed
)

// An Ask is for one page of a list that administrators see.
type Ask struct {
	Query string // what a name begins with, or an id; empty: all. A search is by name
	Sort  string // one of the orders; another: ByName
	Only  string // one of the parts
	After string // what the page before gave as the next; empty: the first page
	Limit int    // rows, at least 1
}

// A GroupLine is what administrators see of a group.
type GroupLine struct {
	ID        ConvID `json:"id"`
	Name      string `json:"name"`
	Avatar    string `json:"avatar"`
	Owner     UserID `json:"owner"`
	Members   int    `json:"members"`
	LastSeq   int64  `json:"entries"` // of its log
	LastAt    int64  `json:"last_at"` // Unix milliseconds
	CreatedAt int64  `json:"created_at"`
	State     int    `json:"state"` // 0 in use, 1 disabled, 2 dismissed
}

// A Departure is a group that somebody whose account is deleted is still in.
type Departure struct {
	Conv ConvID
	User UserID // who leaves
	Owns bool   // and owns it: it passes to Heir, or ends
	Heir UserID // a person who is enabled; empty: there is none
}

// A SignIn is a browser or program in which somebody is signed in.
type SignIn struct {
	ID        string `json:"id,omitempty"` // what its sockets go by
	Kind      string `json:"kind" enum:"browser,program"`
	Agent     string `json:"agent"`      // what it is, as far as it says
	Addr      string `json:"addr"`       // network address that it was last used from
	CreatedAt int64  `json:"created_at"` // Unix milliseconds
	SeenAt    int64  `json:"seen_at"`    // Unix milliseconds, at most ten minutes behind
	Hash      string `json:"-"`          // what is stored of its cookie or token
	User      UserID `json:"-"`
}

// The kinds of SignIn.
const (
	Browser = "browser" // by cookie
	Program = "program" // by bearer token
)

// A Deed is something an administrator did.
type Deed struct {
	ID     int64  `json:"id,string"`
	At     int64  `json:"at"`      // Unix milliseconds
	By     UserID `json:"by"`      // empty: nobody with an account, as a shell
	ByName string `json:"by_name"` // as they were called then
	What   string `json:"what"`    // one of the acts below, or another room's own
	Target string `json:"target"`  // id of the person or group; or what else it was about
	Detail string `json:"detail"`  // more, for people to read
	Addr   string `json:"addr"`    // where from: a network address, or "shell (user)"
}

// Acts of administrators on people and groups, as Deed.What and in forms.
const (
	ActDisable      = "disable"
	ActEnable       = "enable"
	ActReset        = "reset-password"
	ActMakeAdmin    = "make-admin"
	ActRemoveAdmin  = "remove-admin"
	ActDelete       = "delete"
	ActImport       = "import" // Detail is how many accounts a shell has made
	ActErased       = "erased" // what a deleted person had written is gone
	ActDisableGroup = "disable-group"
	ActEnableGroup  = "enable-group"
	ActDismissGroup = "dismiss-group"
)

// A DeedAsk is for one page of what administrators did, newest first.
type DeedAsk struct {
	By           string // an id or a name
	What, Target string
	Since, Until int64  // Unix milliseconds; 0: no bound
	After        string // what the page before gave as the next
	Limit        int
}
