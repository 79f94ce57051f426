package page

import (
	"net/url"
	"strings"

	"kamachat/shared/chat"
)

// PeoplePage lists all people.
type PeoplePage struct {
	Admin
	Ask    chat.Ask
	People []chat.Account
	Next   string // where the next page begins, "" at the end
	Acts   []string
}

// PersonPage is one person in full.
type PersonPage struct {
	Admin
	chat.Account
	SignIns []chat.SignIn
	Groups  []chat.GroupLine
	After   string // where this page of groups begins
	More    string // and the next
	Deeds   []chat.Deed
	Acts    []string // that make sense
}

// GroupsPage lists all groups.
type GroupsPage struct {
	Admin
	Ask    chat.Ask
	Groups []chat.GroupLine
	Next   string
	Acts   []string
}

// GroupPage is one group in full.
type GroupPage struct {
	Admin
	chat.GroupLine
	OwnerName string
	People    []chat.Account
	After     string // where this page of members begins
	More      string // and the next
	Deeds     []chat.Deed
	Acts      []string
}

// ActPage asks whether an act is meant, and then tells what came of it.
type ActPage struct {
	Admin
	Act    string
	Group  bool // it is about groups
	Cases  []ActCase
	Danger bool // the password is needed
	Erase  bool // what they wrote, too, as was ticked before
	Over   bool // it was done: the cases say what came of it
}

// An ActCase is a person or a group that an act is about.
type ActCase struct {
	ID, Name, Sub, Avatar string
	Why                   *chat.Refusal // why nothing is done, or was; nil: it is done
	Password              string        // the new one, shown once
}

// AuditPage is what administrators did.
type AuditPage struct {
	Admin
	By, What, Target, Since, Until string // the filter, as it was typed
	Whats                          []string
	Deeds                          []chat.Deed
	After, Next                    string
}

// RenewPage asks for a password in place of one from an administrator.
type RenewPage struct {
	Common
	Next     string
	Username string
	Problem  *chat.Refusal
}

// listURL is the address of a list.
func listURL(path string, ask chat.Ask) string {
	q := url.Values{}
	for k, v := range map[string]string{"q": ask.Query, "sort": ask.Sort, "only": ask.Only, "after": ask.After} {
		if v != "" {
			q.Set(k, v)
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// sorted is ask in another order, from its beginning. A search is by name.
func sorted(ask chat.Ask, sort string) chat.Ask {
	ask.Sort, ask.After, ask.Query = sort, "", ""
	return ask
}

// only is ask of another part, from its beginning.
func only(ask chat.Ask, part string) chat.Ask {
	ask.Only, ask.After = part, ""
	return ask
}

// from is ask from another place.
func from(ask chat.Ask, after string) chat.Ask {
	ask.After = after
	return ask
}

// first and next are addresses of a list's pages, "" where they lead nowhere.
func first(path string, ask chat.Ask) string {
	if ask.After == "" {
		return ""
	}
	return listURL(path, from(ask, ""))
}

func next(path string, ask chat.Ask, after string) string {
	if after == "" {
		return ""
	}
	return listURL(path, from(ask, after))
}

// orName is the order that a list is in.
func orName(sort string) string {
	if sort == "" {
		return chat.ByName
	}
	return sort
}

func (p ActPage) path() string {
	if p.Group {
		return "/admin/groups"
	}
	return "/admin/people"
}

// doable is how many of the cases are done.
func (p ActPage) doable() (n int) {
	for _, c := range p.Cases {
		if c.Why == nil {
			n++
		}
	}
	return n
}

// will is what an act does, sentence by sentence.
func (p ActPage) will() []string { return strings.Split(p.say("admin.will."+p.Act), "\n") }

// actURL asks whether an act on one is meant.
func actURL(path, act, id string) string {
	return path + "/act?" + url.Values{"act": {act}, "id": {id}}.Encode()
}

// wild reports whether an act's button warns.
func wild(act string) bool { return act == chat.ActDelete || act == chat.ActDismissGroup }

// whatSays is what an act is called in the audit log.
func (c Common) whatSays(what string) string {
	if s := c.say("admin.what." + what); s != "admin.what."+what {
		return s
	}
	return what
}

// whom is where the target of a deed leads, "" where it leads nowhere.
func whom(d chat.Deed) string {
	switch {
	case chat.UserID(d.Target).Valid():
		return "/admin/people/" + d.Target
	case chat.ConvID(d.Target).IsGroup():
		return "/admin/groups/" + d.Target
	}
	return ""
}

// byWhom is who did something.
func (c Common) byWhom(d chat.Deed) string {
	if d.ByName == "" {
		return c.say("admin.audit.server")
	}
	return d.ByName
}

func (p AuditPage) url(after string) string {
	q := url.Values{}
	for k, v := range map[string]string{"by": p.By, "what": p.What, "target": p.Target, "since": p.Since, "until": p.Until, "after": after} {
		if v != "" {
			q.Set(k, v)
		}
	}
	if len(q) == 0 {
		return "/admin/audit"
	}
	return "/admin/audit?" + q.Encode()
}

// first and next are the addresses of the pages, "" where they lead nowhere.
func (p AuditPage) first() string {
	if p.After == "" {
		return ""
	}
	return p.url("")
}

func (p AuditPage) next() string {
	if p.Next == "" {
		return ""
	}
	return p.url(p.Next)
}

// name is what to call a person on these pages.
func (c Common) personName(p chat.Person) string {
	if p.Gone() {
		return c.say("person.gone")
	}
	return p.Name()
}

// handle is a person's username, as it is shown.
func handle(p chat.Person) string {
	if p.Gone() {
		return string(p.ID)
	}
	return "@" + p.Username
}

// title is the question, and afterwards what it was about.
func (p ActPage) title() string {
	if p.Over {
		return p.say("admin.act." + p.Act)
	}
	return p.say("admin.ask."+p.Act, p.doable())
}

// orTarget is what to call the target of a deed.
func orTarget(d chat.Deed) string {
	if d.Detail != "" {
		return d.Detail
	}
	return d.Target
}

func (p GroupPage) ownerName() string {
	if p.OwnerName == "" {
		return string(p.Owner)
	}
	return p.OwnerName
}

// timeOf is the clock's time where a list's time does not say it.
func timeOf(c Common, ms int64) string {
	if c.listTime(ms) == c.clock(ms) {
		return ""
	}
	return c.clock(ms)
}

// PersonCase is a person whom an act is about.
func PersonCase(c Common, p chat.Person, why *chat.Refusal, password string) ActCase {
	return ActCase{ID: string(p.ID), Name: c.personName(p), Sub: handle(p), Avatar: p.Avatar, Why: why, Password: password}
}

// GroupCase is a group that an act is about.
func GroupCase(c Common, g chat.GroupLine, why *chat.Refusal) ActCase {
	return ActCase{ID: string(g.ID), Name: g.Name, Sub: c.say("head.members", g.Members), Avatar: g.Avatar, Why: why}
}
