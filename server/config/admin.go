package config

import (
	"slices"
	"time"
)

// Administer is the command of everything below "admin" but the import.
const Administer = "admin"

// Administering is what an administrator wants from the shell.
type Administering struct {
	What   string   // the word behind "admin", as of an act Acts has it
	Name   string   // of an act: the username, a group's name, or an id; of a setting its name; of an invitation its code
	More   []string // further names of an act
	Value  string   // of a setting; of "settle" the outcome
	ID     int64    // of a report or a job
	Search string   // of lists
	Only   string
	Sort   string
	By     string // of audit: who, which act, and to whom or what
	Act    string
	Target string
	Since  int64 // of audit: Unix milliseconds, 0 is no bound; Until is no longer in it
	Until  int64
	Note   string // of an invitation
	Most   int    // accounts that it is for; 0: any number
	Days   int    // that it lasts; 0: for ever
	Closed bool   // of reports: those that are closed
	Limit  int    // rows at most
	Erase  bool   // of delete: also what they wrote
	Yes    bool   // of what can't be taken back: it is meant
	JSON   bool
}

// Acts are the commands below "admin" that do something to a person or group.
var Acts = []string{"disable", "enable", "reset-password", "make-admin", "remove-admin", "delete", "disable-group", "enable-group", "dismiss"}

// rows is how a list is asked for in the shell.
type rows struct {
	Storage
	Search string `placeholder:"TEXT" help:"Only those whose name begins with this (of groups: has this in it), or with this id."`
	Sort   string `default:"name" placeholder:"ORDER" help:"Order: name, newest, seen (people), latest or members (groups)."`
	Only   string `placeholder:"PART" help:"Only admins, disabled or bots (people), disabled or ended (groups)."`
	Limit  int    `default:"1000" placeholder:"N" help:"Rows at most."`
	JSON   bool   `name:"json" help:"Print JSON."`
}

func (r rows) asks(what string) Administering {
	return Administering{What: what, Search: r.Search, Sort: r.Sort, Only: r.Only, Limit: r.Limit, JSON: r.JSON}
}

// deed is how an act is asked for in the shell.
type deed struct {
	Storage
	Names []string `arg:"" name:"name" help:"Username, or id; of a group its name or id. With several it says to whom, and wants --yes."`
	Yes   bool     `help:"Do it: what can't be taken back, or to several."`
	JSON  bool     `name:"json" help:"Print JSON."`
}

// administration are the commands below "admin".
type administration struct {
	People struct {
		List   rows `cmd:"" default:"withargs" help:"List people."`
		Import struct {
			Storage
			File string `arg:"" help:"CSV file with the header username,nickname; - reads standard input."`
		} `cmd:"" help:"Create accounts from a CSV file and print their tokens as CSV."`
	} `cmd:"" help:"People."`
	Groups rows `cmd:"" help:"List groups."`
	Audit  struct {
		Storage
		By     string    `placeholder:"NAME" help:"Only what this administrator did."`
		What   string    `placeholder:"ACT" help:"Only this act, as the list names it."`
		Target string    `placeholder:"NAME" help:"Only what was done to this person (username or id), group (id) or thing."`
		Since  time.Time `format:"2006-01-02" placeholder:"YYYY-MM-DD" help:"Only from this day on."`
		Until  time.Time `format:"2006-01-02" placeholder:"YYYY-MM-DD" help:"Only up to this day, and on it."`
		Limit  int       `default:"100" placeholder:"N" help:"Rows at most, newest first."`
		JSON   bool      `name:"json" help:"Print JSON."`
	} `cmd:"" help:"Print what administrators did."`
	Disable       deed `cmd:"" help:"Disable a person, who is signed out everywhere."`
	Enable        deed `cmd:"" help:"Enable a person again."`
	ResetPassword deed `cmd:"" help:"Give a person a password by chance, to be changed at the next sign-in, and print it."`
	MakeAdmin     deed `cmd:"" help:"Make a person an administrator."`
	RemoveAdmin   deed `cmd:"" help:"Make an administrator an ordinary person."`
	Delete        struct {
		deed
		Erase bool `help:"Also erase what they wrote."`
	} `cmd:"" help:"Delete a person's account for good."`
	DisableGroup deed `cmd:"" help:"Disable a group: nobody posts in it."`
	EnableGroup  deed `cmd:"" help:"Enable a group again."`
	Dismiss      deed `cmd:"" help:"Dismiss a group for good."`
	installation
}

// load fills cfg with what was asked for, by the words of the command.
func (a *administration) load(words []string, cfg *Config) bool {
	act := func(d deed) {
		cfg.Storage, cfg.Admin = d.Storage, Administering{What: words[1], Name: d.Names[0], Yes: d.Yes, JSON: d.JSON}
		if len(d.Names) > 1 {
			cfg.Admin.More = d.Names[1:]
		}
	}
	if len(words) < 2 || words[0] != "admin" {
		return false
	}
	switch words[1] {
	case "people":
		if slices.Contains(words, "import") {
			return false
		}
		cfg.Storage, cfg.Admin = a.People.List.Storage, a.People.List.asks("people")
	case "groups":
		cfg.Storage, cfg.Admin = a.Groups.Storage, a.Groups.asks("groups")
	case "audit":
		cfg.Storage, cfg.Admin = a.Audit.Storage, Administering{What: "audit", By: a.Audit.By, Act: a.Audit.What, Target: a.Audit.Target, Since: midnight(a.Audit.Since, 0), Until: midnight(a.Audit.Until, 1), Limit: a.Audit.Limit, JSON: a.Audit.JSON}
	case "delete":
		act(a.Delete.deed)
		cfg.Admin.Erase = a.Delete.Erase
	default:
		if a.installation.load(words[1], cfg) {
			break
		}
		if !slices.Contains(Acts, words[1]) {
			return false
		}
		act(map[string]deed{
			"disable": a.Disable, "enable": a.Enable, "reset-password": a.ResetPassword, "make-admin": a.MakeAdmin, "remove-admin": a.RemoveAdmin,
			"disable-group": a.DisableGroup, "enable-group": a.EnableGroup, "dismiss": a.Dismiss,
		}[words[1]])
	}
	cfg.Command = Administer
	return true
}

// midnight is when a day, or one so many days later, begins where the shell is: Unix
// milliseconds, 0 of no day.
func midnight(day time.Time, later int) int64 {
	if day.IsZero() {
		return 0
	}
	return time.Date(day.Year(), day.Month(), day.Day()+later, 0, 0, 0, 0, time.Local).UnixMilli()
}
