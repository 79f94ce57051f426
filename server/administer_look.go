package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"kamachat/server/admin"
	"kamachat/server/board"
	"kamachat/shared/chat"
)

// overview prints how each node was when it last said so, at most a minute or so ago.
func (s shell) overview(ctx context.Context) error {
	nodes, err := s.board.Nodes(ctx)
	if err != nil {
		return err
	}
	reports, err := s.board.OpenReports(ctx)
	if err != nil {
		return err
	}
	type row struct {
		Node string `json:"node"`
		At   int64  `json:"at"`
		board.Sample
	}
	of := struct {
		Nodes   []row `json:"nodes"`
		Reports int   `json:"reports"` // that wait
	}{[]row{}, reports}
	for _, n := range nodes {
		of.Nodes = append(of.Nodes, row{n.Node, n.At, n})
	}
	ms := func(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }
	return s.print(of, "NODE\tAS OF\tPEOPLE\tCONNECTIONS\tMESSAGES/S\tQUEUE\tP50 MS\tP95 MS\tP99 MS\tMEMORY MB\tDATABASE MB\tFILES MB\tFREE MB", func(line func(...string)) {
		for _, n := range nodes {
			mb := func(b int64) string { return strconv.FormatInt(b>>20, 10) }
			line(n.Node, stamp(n.At), strconv.Itoa(n.People), strconv.Itoa(n.Connections), ms(n.Stored), strconv.Itoa(n.Queue), ms(n.P50), ms(n.P95), ms(n.P99),
				mb(n.Memory), mb(n.Database), mb(n.Files), mb(n.Free))
		}
	})
}

// look prints somebody, or a group, in full.
func (s shell) look(ctx context.Context) error {
	if s.What == "group" {
		g, err := s.group(ctx)
		if err != nil {
			return err
		}
		f, err := s.desk.Group(ctx, g.ID, "")
		if err != nil {
			return err
		}
		return s.print(f, fmt.Sprintf("%s %q, owned by %s, %d members\nID\tUSERNAME\tNICKNAME\tSTATE", f.ID, f.Name, f.OwnerName, f.Members), func(line func(...string)) {
			for _, p := range f.People {
				line(string(p.ID), p.Username, strconv.Quote(p.Nickname), stateOf(p))
			}
		})
	}
	a, err := s.person(ctx)
	if err != nil {
		return err
	}
	d, err := s.desk.Person(ctx, a.ID, "")
	if err != nil {
		return err
	}
	return s.print(d, fmt.Sprintf("%s %s %q %s\nSIGNED IN\tLAST USED\tFROM\tWITH", d.ID, d.Username, d.Nickname, stateOf(d.Account)), func(line func(...string)) {
		for _, i := range d.SignIns {
			line(stamp(i.CreatedAt), stamp(i.SeenAt), i.Addr, strings.TrimSpace(i.Kind+" "+i.Agent))
		}
		for _, g := range d.Groups {
			line("in", string(g.ID), strconv.Quote(g.Name), strconv.Itoa(g.Members))
		}
	})
}

// several does one act to all that the command names: it says to whom it would where
// --yes is not there, as the page does first.
func (s shell) several(ctx context.Context) error {
	one, names := s, append([]string{s.Name}, s.More...)
	one.More = nil
	if s.Yes {
		var failed []error
		for _, one.Name = range names {
			if err := one.run(ctx); err != nil {
				failed = append(failed, fmt.Errorf("%s: %w", one.Name, inWords(err)))
			}
		}
		return errors.Join(failed...)
	}
	for _, one.Name = range names {
		said, why, err := one.would(ctx)
		if err != nil {
			said, why = one.Name, inWords(err)
		}
		if why != nil {
			said += ", not done: " + why.Error()
		}
		fmt.Fprintf(s.out, "%s: %s\n", s.What, said)
	}
	return errors.New("nothing was done: add --yes to do this to all of them")
}

// would says to whom or what the command would do something, and why not, if so.
func (s shell) would(ctx context.Context) (what string, why, err error) {
	act := s.What
	if act == "dismiss" {
		act = chat.ActDismissGroup
	}
	if slices.Contains(admin.GroupActs(), act) {
		g, err := s.group(ctx)
		if err != nil {
			return "", nil, err
		}
		cs, err := s.desk.PreviewGroups(ctx, act, []chat.ConvID{g.ID})
		if err == nil && len(cs) == 1 && cs[0].Why != nil {
			why = inWords(cs[0].Why)
		}
		return fmt.Sprintf("%s (%q, %d members)", g.ID, g.Name, g.Members), why, err
	}
	a, err := s.person(ctx)
	if err != nil {
		return "", nil, err
	}
	cs, err := s.desk.Preview(ctx, s.who, s.What, []chat.UserID{a.ID})
	if err == nil && len(cs) == 1 && cs[0].Why != nil {
		why = inWords(cs[0].Why)
	}
	return fmt.Sprintf("%s (%s, %q)", a.ID, a.Username, a.Nickname), why, err
}

// inWords is err in the words for people.
func inWords(err error) error {
	if ref := (*chat.Refusal)(nil); errors.As(err, &ref) {
		return errors.New(ref.Words)
	}
	return err
}
