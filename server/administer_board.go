package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"kamachat/server/room"
	"kamachat/server/settings"
	"kamachat/server/store"
	"kamachat/shared/chat"
	"kamachat/shared/told"
	"kamachat/shared/words"
)

// besides is the log of conversations for who has the database of a server but
// not its heart.
type besides struct{ *store.DB }

// Before is asked of reports that people make, which none do from a shell.
func (besides) Before(context.Context, chat.UserID, chat.ConvID, int64, int) (chat.Page, error) {
	return chat.Page{}, chat.Refuse(chat.Forbidden, "nobody reads for others from a shell")
}

// Remove commits by itself. A server that runs meanwhile finds that the log went on,
// by its key, and clients that there is an entry which they lack, with the next.
func (b besides) Remove(ctx context.Context, conv chat.ConvID, seq int64, author chat.UserID) error {
	got, err := b.Append(ctx, []chat.Draft{room.Removal(conv, seq, author)})
	if err == nil {
		err = got[0].Err
	}
	return room.Removed(err)
}

// deed is something that the shell does, as the audit log names its user.
func (s shell) deed() chat.Deed {
	return chat.Deed{By: s.who.ID, ByName: s.who.Name, Addr: s.who.Addr}
}

// A setting is one as the shell prints it.
type setting struct {
	Name    string   `json:"name"`
	Value   string   `json:"value"`
	Options []string `json:"options,omitempty"` // else a whole number from Low to High
	Low     int      `json:"low,omitempty"`
	High    int      `json:"high,omitempty"`
}

// settings prints them, after a change where one is asked for.
func (s shell) settings(ctx context.Context) error {
	if err := s.set.Load(ctx); err != nil {
		return err
	}
	names := settings.Names
	if s.What == "set" {
		if err := s.set.Change(ctx, s.deed(), map[string]string{s.Name: s.Value}); err != nil {
			return err
		}
		names = []string{s.Name}
	}
	now := s.set.Get()
	var all []setting
	for _, name := range names {
		one := setting{Name: name, Value: now.Of(name)}
		one.Options, one.Low, one.High = settings.Bounds(name)
		all = append(all, one)
	}
	return s.print(all, "NAME\tVALUE\tMAY BE", func(line func(...string)) {
		for _, one := range all {
			may := strings.Join(one.Options, ", ")
			if may == "" {
				may = fmt.Sprintf("%d to %d", one.Low, one.High)
			}
			line(one.Name, one.Value, may)
		}
	})
}

// invitations lists them, or makes or withdraws one.
func (s shell) invitations(ctx context.Context) error {
	switch s.What {
	case "invite":
		i, err := s.board.Invite(ctx, s.deed(), s.Note, s.Most, s.Days)
		if err != nil {
			return err
		}
		return s.tell(done{Did: s.What, ID: i.Code, Name: i.Note, Note: "Whoever is to register opens /register?invite=" + i.Code + " at this server's address."})
	case "uninvite":
		if err := s.board.Uninvite(ctx, s.deed(), s.Name); err != nil {
			return err
		}
		return s.tell(done{Did: s.What, ID: s.Name})
	}
	all, err := s.board.Invitations(ctx)
	if err != nil {
		return err
	}
	return s.print(all, "CODE\tNOTE\tUSED\tOF\tUNTIL\tMADE", func(line func(...string)) {
		for _, i := range all {
			line(i.Code, strconv.Quote(i.Note), strconv.Itoa(i.Uses), number(i.Most), stamp(i.ExpiresAt), stamp(i.CreatedAt))
		}
	})
}

// number is n, "" for 0.
func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func (s shell) reports(ctx context.Context) error {
	all, who := []chat.Report{}, map[chat.UserID]string{}
	for behind := int64(0); len(all) < s.Limit; {
		rs, ps, next, err := s.board.Reports(ctx, s.Closed, behind)
		if err != nil {
			return err
		}
		for _, p := range ps {
			who[p.ID] = p.Username
		}
		if all = append(all, rs...); next == 0 {
			break
		}
		behind = next
	}
	all = all[:max(min(len(all), s.Limit), 0)]
	return s.print(all, "ID\tWHEN\tABOUT\tWHAT\tREASON\tBY\tOUTCOME", func(line func(...string)) {
		for _, r := range all {
			what := "message"
			if r.Conv == "" {
				what = "person"
			}
			line(strconv.FormatInt(r.ID, 10), stamp(r.At), who[r.User], what, strconv.Quote(r.Reason), who[r.By], r.Outcome)
		}
	})
}

// missing is err, in words where there is no such thing.
func missing(err error, what string) error {
	if errors.Is(err, chat.ErrNotFound) {
		return errors.New("there is no such " + what)
	}
	return err
}

// report prints one with the message in its context; that somebody looked is noted.
func (s shell) report(ctx context.Context) error {
	c, err := s.board.Look(ctx, s.deed(), s.ID)
	if err != nil {
		return missing(err, "report")
	}
	if s.JSON {
		return s.json(c)
	}
	who := map[chat.UserID]string{}
	for _, p := range c.People {
		who[p.ID] = p.Username
	}
	fmt.Fprintf(s.out, "report %d of %s, by %s\nabout %s (%s): %q\n", c.ID, stamp(c.At), who[c.By], who[c.User], c.User, c.Reason)
	if c.Said != "" {
		fmt.Fprintf(s.out, "said then: %q\n", c.Said)
	}
	if c.ClosedAt > 0 {
		fmt.Fprintf(s.out, "closed %s: %s\n", stamp(c.ClosedAt), c.Outcome)
	}
	if c.Conv == "" {
		return nil
	}
	fmt.Fprintf(s.out, "in %s %q\n", c.Conv, c.Title)
	return s.print(nil, " \tSEQ\tWHEN\tWHO\tTEXT", func(line func(...string)) {
		for _, m := range c.Entries {
			mark, text := " ", strconv.Quote(m.Content.Preview(1000))
			if m.Seq == c.Seq {
				mark = ">"
			}
			if m.Content.Kind == chat.Gone {
				text = "(" + told.Gone(words.EN, m.Content) + ")"
			}
			line(mark, strconv.FormatInt(m.Seq, 10), stamp(m.At), who[m.Author], text)
		}
	})
}

// settle does with a report what its page offers.
func (s shell) settle(ctx context.Context) error {
	r, err := s.board.Store.Report(ctx, s.ID)
	if err != nil {
		return missing(err, "report")
	}
	d := done{Did: s.Value, ID: strconv.FormatInt(s.ID, 10), Name: string(r.User)}
	switch s.Value {
	case "disable":
		a, err := s.desk.Store.Account(ctx, r.User)
		if err != nil {
			return err
		}
		s.What = chat.ActDisable
		return s.toPerson(ctx, a)
	case "remove":
		if !s.Yes {
			return fmt.Errorf("this unsends message %d of %s in %s for good: add --yes if you mean that", r.Seq, r.User, r.Conv)
		}
		d.Note = "Browsers that are open see it with the conversation's next entry."
		err = s.board.Remove(ctx, s.deed(), s.ID)
	default:
		err = s.board.Close(ctx, s.deed(), s.ID, s.Value)
	}
	if err != nil {
		return err
	}
	return s.tell(d)
}

func (s shell) jobs(ctx context.Context) error {
	all, ps, err := s.board.Jobs(ctx, s.Limit)
	if err != nil {
		return err
	}
	who := map[chat.UserID]string{}
	for _, p := range ps {
		who[p.ID] = p.Username
	}
	return s.print(all, "ID\tKIND\tSTATE\tDONE\tOF\tPERCENT\tBY\tBEGUN\tPROBLEM", func(line func(...string)) {
		for _, j := range all {
			line(strconv.FormatInt(j.ID, 10), j.Kind, string(j.State), strconv.FormatInt(j.Done, 10), number(int(j.Total)), strconv.Itoa(j.Percent()), who[j.By], stamp(j.At), j.Detail[chat.JobProblem])
		}
	})
}

// cancel has a job end; the node that runs it hears of that within 20 seconds.
func (s shell) cancel(ctx context.Context) error {
	j, err := s.board.CancelJob(ctx, s.deed(), s.ID)
	if err != nil {
		return missing(err, "job")
	}
	if j.State != chat.JobRunning {
		return fmt.Errorf("the job has ended already: %s", j.State)
	}
	return s.tell(done{Did: s.What, ID: strconv.FormatInt(j.ID, 10), Name: j.Kind, Note: "The server that runs it ends it within 20 seconds."})
}
