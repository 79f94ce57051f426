package config

// plainly is how something is asked for in the shell that needs no more words.
type plainly struct {
	Storage
	JSON bool `name:"json" help:"Print JSON."`
}

// named is how one person or group is asked for.
type named struct {
	plainly
	Name string `arg:"" help:"Username, or id; of a group its name or id."`
}

// latest is how a list is asked for whose newest rows come first.
type latest struct {
	plainly
	Limit int `default:"100" placeholder:"N" help:"Rows at most, newest first."`
}

// numbered is how something is asked for that has a number.
type numbered struct {
	plainly
	ID int64 `arg:"" help:"Its number, as the list prints it."`
}

// installation are the commands below "admin" that are about nobody in particular.
type installation struct {
	Overview plainly `cmd:"" help:"Print how the nodes are."`
	Person   named   `cmd:"" help:"Print a person: where they are signed in, and their groups."`
	Group    named   `cmd:"" help:"Print a group and its members."`
	Settings plainly `cmd:"" help:"Print the settings, and what each may be."`
	Set      struct {
		plainly
		Name  string `arg:"" help:"A setting, as admin settings prints it."`
		Value string `arg:"" help:"What it is to be."`
	} `cmd:"" help:"Change a setting."`
	Invitations plainly `cmd:"" help:"List the links to register."`
	Invite      struct {
		plainly
		Note string `placeholder:"TEXT" help:"What administrators call it, at most 100 characters."`
		Most int    `default:"1" placeholder:"N" help:"Accounts that it is for, at most 10,000; 0: any number."`
		Days int    `default:"14" placeholder:"N" help:"Days that it lasts, at most 366; 0: for ever."`
	} `cmd:"" help:"Make a link to register, and print its code."`
	Uninvite struct {
		plainly
		Code string `arg:"" help:"The code of the link."`
	} `cmd:"" help:"Withdraw a link to register."`
	Reports struct {
		latest
		Closed bool `help:"Those that are closed."`
	} `cmd:"" help:"List what people reported and nobody has answered."`
	Report numbered `cmd:"" help:"Print a report, and the message among those around it; that is noted."`
	Settle struct {
		numbered
		Outcome string `arg:"" enum:"remove,disable,settled,dismissed" help:"remove: unsend the message; disable: the person, while the report stays open; settled: something was done elsewhere; dismissed: nothing is to be done."`
		Yes     bool   `help:"Of remove: do it, it can't be taken back."`
	} `cmd:"" help:"Answer a report."`
	Jobs   latest   `cmd:"" help:"List long work, and how far it is."`
	Cancel numbered `cmd:"" help:"Cancel a job."`
}

// load fills cfg with what was asked for by the command called what, and reports
// whether there is one.
func (i *installation) load(what string, cfg *Config) bool {
	ask := func(p plainly, a Administering) bool {
		a.What, a.JSON = what, p.JSON
		cfg.Storage, cfg.Admin = p.Storage, a
		return true
	}
	switch what {
	case "overview":
		return ask(i.Overview, Administering{})
	case "person":
		return ask(i.Person.plainly, Administering{Name: i.Person.Name})
	case "group":
		return ask(i.Group.plainly, Administering{Name: i.Group.Name})
	case "settings":
		return ask(i.Settings, Administering{})
	case "set":
		return ask(i.Set.plainly, Administering{Name: i.Set.Name, Value: i.Set.Value})
	case "invitations":
		return ask(i.Invitations, Administering{})
	case "invite":
		return ask(i.Invite.plainly, Administering{Note: i.Invite.Note, Most: i.Invite.Most, Days: i.Invite.Days})
	case "uninvite":
		return ask(i.Uninvite.plainly, Administering{Name: i.Uninvite.Code})
	case "reports":
		return ask(i.Reports.plainly, Administering{Closed: i.Reports.Closed, Limit: i.Reports.Limit})
	case "report":
		return ask(i.Report.plainly, Administering{ID: i.Report.ID})
	case "settle":
		return ask(i.Settle.plainly, Administering{ID: i.Settle.ID, Value: i.Settle.Outcome, Yes: i.Settle.Yes})
	case "jobs":
		return ask(i.Jobs.plainly, Administering{Limit: i.Jobs.Limit})
	case "cancel":
		return ask(i.Cancel.plainly, Administering{ID: i.Cancel.ID})
	}
	return false
}
