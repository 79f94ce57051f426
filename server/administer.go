package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/user"
	"strconv"
	"text/tabwriter"
	"time"

	"kamachat/server/account"
	"kamachat/server/admin"
	"kamachat/server/board"
	"kamachat/server/config"
	"kamachat/server/jobs"
	"kamachat/server/settings"
	"kamachat/shared/chat"
)

// administer does from a shell what the pages of administrators do, on the
// database of a server, which may run meanwhile.
func administer(ctx context.Context, cfg config.Config, log *slog.Logger, stdout io.Writer) error {
	ids := chat.NewIDs(importNode, func() int64 { return time.Now().UnixMilli() })
	db, err := openDatabase(ctx, cfg, ids, log)
	if err != nil {
		return err
	}
	defer db.Close()
	s := shell{
		Administering: cfg.Admin, out: stdout, who: shellUser(),
		desk:  admin.New(admin.Config{Store: db, Passwords: account.New(account.Config{Store: db, IDs: ids})}),
		board: board.New(board.Config{Store: db, Log: besides{db}, Work: jobs.New(jobs.Config{Store: db, ID: ids.Next, Log: log})}),
		set:   settings.New(db, log),
	}
	if len(s.More) > 0 {
		return s.several(ctx)
	}
	return inWords(s.run(ctx))
}

// shellUser is who uses the shell, as the audit log names them.
func shellUser() admin.Who {
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return admin.Who{Name: name, Addr: "shell (" + name + ")"}
}

// A shell is one command.
type shell struct {
	config.Administering
	desk  *admin.Service
	board *board.Service
	set   *settings.Service
	who   admin.Who
	out   io.Writer
}

func (s shell) run(ctx context.Context) error {
	switch s.What {
	case "overview":
		return s.overview(ctx)
	case "person", "group":
		return s.look(ctx)
	case "people":
		return s.people(ctx)
	case "groups":
		return s.groups(ctx)
	case "audit":
		return s.audit(ctx)
	case "settings", "set":
		return s.settings(ctx)
	case "invitations", "invite", "uninvite":
		return s.invitations(ctx)
	case "reports":
		return s.reports(ctx)
	case "report":
		return s.report(ctx)
	case "settle":
		return s.settle(ctx)
	case "jobs":
		return s.jobs(ctx)
	case "cancel":
		return s.cancel(ctx)
	case "disable-group", "enable-group", "dismiss":
		return s.onGroup(ctx)
	}
	return s.onPerson(ctx)
}

func (s shell) people(ctx context.Context) error {
	all, err := pages(s.Limit, func(after string, limit int) ([]chat.Account, string, error) {
		return s.desk.People(ctx, chat.Ask{Query: s.Search, Sort: s.Sort, Only: s.Only, After: after, Limit: limit})
	})
	if err != nil {
		return err
	}
	return s.print(all, "ID\tUSERNAME\tNICKNAME\tREGISTERED\tLAST SEEN\tSTATE", func(line func(...string)) {
		for _, a := range all {
			line(string(a.ID), a.Username, strconv.Quote(a.Nickname), stamp(a.CreatedAt), stamp(a.SeenAt), stateOf(a))
		}
	})
}

func (s shell) groups(ctx context.Context) error {
	all, err := pages(s.Limit, func(after string, limit int) ([]chat.GroupLine, string, error) {
		return s.desk.Groups(ctx, chat.Ask{Query: s.Search, Sort: s.Sort, Only: s.Only, After: after, Limit: limit})
	})
	if err != nil {
		return err
	}
	return s.print(all, "ID\tNAME\tMEMBERS\tCREATED\tLAST MESSAGE\tSTATE", func(line func(...string)) {
		for _, g := range all {
			line(string(g.ID), strconv.Quote(g.Name), strconv.Itoa(g.Members), stamp(g.CreatedAt), stamp(g.LastAt), [...]string{"", "disabled", "dismissed"}[g.State])
		}
	})
}

func (s shell) audit(ctx context.Context) error {
	target, err := s.desk.Target(ctx, s.Target)
	if err != nil {
		return err
	}
	all, err := pages(s.Limit, func(after string, limit int) ([]chat.Deed, string, error) {
		return s.desk.Deeds(ctx, chat.DeedAsk{By: s.By, What: s.Act, Target: target, Since: s.Since, Until: s.Until, After: after, Limit: limit})
	})
	if err != nil {
		return err
	}
	return s.print(all, "WHEN\tWHO\tWHAT\tTARGET\tABOUT\tFROM", func(line func(...string)) {
		for _, d := range all {
			line(stamp(d.At), d.ByName, d.What, d.Target, strconv.Quote(d.Detail), d.Addr)
		}
	})
}

// done is what a command that did something prints.
type done struct {
	Did      string `json:"did"`
	ID       string `json:"id"`
	Name     string `json:"name"`
	Password string `json:"password,omitempty"` // to be changed at the next sign-in
	Erased   int    `json:"erased,omitempty"`   // messages
	Note     string `json:"note,omitempty"`
}

// leaving says when those in the groups of a deleted person hear that they left.
const leaving = " They leave their groups within seconds, or once a server runs."

// late says when what a running server was not told of takes effect there.
const late = "Nothing they send is taken any more; sockets that are open at a running server end within 35 seconds."

func (s shell) onPerson(ctx context.Context) error {
	a, err := s.person(ctx)
	if err != nil {
		return err
	}
	return s.toPerson(ctx, a)
}

func (s shell) toPerson(ctx context.Context, a chat.Account) error {
	if s.What == chat.ActDelete && !s.Yes {
		return fmt.Errorf("this deletes the account of %s (%s, %q) for good: add --yes if you mean that", a.ID, a.Username, a.Nickname)
	}
	password, err := s.desk.Do(ctx, s.who, s.What, a.ID, s.Erase)
	if err != nil {
		return err
	}
	d := done{Did: s.What, ID: string(a.ID), Name: a.Username, Password: password}
	if s.What == chat.ActDisable || s.What == chat.ActReset || s.What == chat.ActDelete {
		d.Note = late
	}
	if s.What == chat.ActDelete {
		d.Note += leaving
	}
	if s.What == chat.ActDelete && s.Erase {
		if d.Erased, err = s.desk.EraseAll(ctx); err != nil {
			return fmt.Errorf("the account is deleted; what they wrote is not all erased, the server goes on with that: %w", err)
		}
	}
	return s.tell(d)
}

// person is whom the command names, by username or id.
func (s shell) person(ctx context.Context) (chat.Account, error) {
	a, err := s.desk.ByName(ctx, s.Name)
	if errors.Is(err, chat.ErrNotFound) && chat.UserID(s.Name).Valid() {
		return s.desk.Store.Account(ctx, chat.UserID(s.Name))
	}
	return a, err
}

func (s shell) onGroup(ctx context.Context) error {
	g, err := s.group(ctx)
	if err != nil {
		return err
	}
	act := s.What
	if act == "dismiss" {
		if act = chat.ActDismissGroup; !s.Yes {
			return fmt.Errorf("this dismisses %s (%q, %d members) for good: add --yes if you mean that", g.ID, g.Name, g.Members)
		}
	}
	if err := s.desk.DoGroup(ctx, s.who, act, g.ID); err != nil {
		return err
	}
	return s.tell(done{Did: act, ID: string(g.ID), Name: g.Name})
}

// group is that which the command names, by id, or by a name that only one has.
func (s shell) group(ctx context.Context) (chat.GroupLine, error) {
	if chat.ConvID(s.Name).IsGroup() {
		g, err := s.desk.Store.GroupLine(ctx, chat.ConvID(s.Name))
		if !errors.Is(err, chat.ErrNotFound) {
			return g, err
		}
	}
	all, err := pages(10_000, func(after string, limit int) ([]chat.GroupLine, string, error) {
		return s.desk.Groups(ctx, chat.Ask{Query: s.Name, After: after, Limit: limit})
	})
	if err != nil {
		return chat.GroupLine{}, err
	}
	var named []chat.GroupLine
	for _, g := range all {
		if g.Name == s.Name {
			named = append(named, g)
		}
	}
	switch len(named) {
	case 0:
		return chat.GroupLine{}, errors.New("no such group")
	case 1:
		return named[0], nil
	}
	return chat.GroupLine{}, fmt.Errorf("%d groups have this name: say which by its id, as admin groups --search prints it", len(named))
}

// pages reads a list to its end, or at most so many rows.
func pages[T any](most int, page func(after string, limit int) ([]T, string, error)) ([]T, error) {
	all := []T{}
	for after := ""; len(all) < most; {
		rows, next, err := page(after, min(500, most-len(all)))
		if err != nil {
			return nil, err
		}
		if all = append(all, rows...); next == "" {
			break
		}
		after = next
	}
	return all, nil
}

// print prints v as JSON, or as a table that fill writes below its head.
func (s shell) print(v any, head string, fill func(line func(cells ...string))) error {
	if s.JSON {
		return s.json(v)
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, head)
	fill(func(cells ...string) {
		for _, c := range cells {
			if c == "" {
				c = "-"
			}
			fmt.Fprint(w, c, "\t")
		}
		fmt.Fprintln(w)
	})
	return w.Flush()
}

func (s shell) json(v any) error {
	e := json.NewEncoder(s.out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// tell prints what was done.
func (s shell) tell(d done) error {
	if s.JSON {
		return s.json(d)
	}
	_, err := fmt.Fprintf(s.out, "%s: %s (%q)\n", d.Did, d.ID, d.Name)
	if d.Password != "" && err == nil {
		_, err = fmt.Fprintln(s.out, "password, to be changed at the next sign-in:", d.Password)
	}
	if d.Note != "" && err == nil {
		_, err = fmt.Fprintln(s.out, d.Note)
	}
	if d.Erased > 0 && err == nil {
		_, err = fmt.Fprintln(s.out, "messages erased:", d.Erased)
	}
	return err
}

// stamp is a time of Unix milliseconds, "" for 0.
func stamp(ms int64) string {
	if ms == 0 {
		return ""
	}
	return time.UnixMilli(ms).Format("2006-01-02 15:04:05")
}

// stateOf is what is special about an account.
func stateOf(a chat.Account) string {
	var said []byte
	for _, w := range []struct {
		is   bool
		word string
	}{{a.Gone(), "deleted"}, {a.Disabled && !a.Gone(), "disabled"}, {a.Admin, "administrator"}, {a.Bot != "", "bot"}, {a.Renew, "must change the password"}} {
		if w.is {
			if len(said) > 0 {
				said = append(said, ", "...)
			}
			said = append(said, w.word...)
		}
	}
	return string(said)
}
