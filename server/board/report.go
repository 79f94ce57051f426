package board

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"kamachat/shared/chat"
)

const (
	// maxOpen is how many reports of one person may be open.
	maxOpen = 20
	// maxSaid is how many runes of a message a report keeps.
	maxSaid = 2000
	// around is how many messages before and after one a report shows.
	around = 5
	// lookAround is how many entries before and after it are looked through for them.
	lookAround = 25
)

// Report tells administrators about the message of r, or about the person where
// r.Conv is empty. Of a message nothing counts but Conv and Seq: it is one that
// r.By may read.
func (s *Service) Report(ctx context.Context, r chat.Report) error {
	r.Reason = strings.TrimSpace(strings.ToValidUTF8(r.Reason, ""))
	switch n := utf8.RuneCountInString(r.Reason); {
	case n == 0 || strings.ContainsRune(r.Reason, 0):
		return chat.Refuse(chat.Invalid, "a report needs a reason")
	case n > chat.MaxReason:
		return chat.Refuse(chat.TooLong, "a reason has at most 500 characters")
	}
	if r.Conv != "" {
		m, err := s.Readable(ctx, r.By, r.Conv, r.Seq)
		if err != nil {
			return err
		}
		r.User, r.Said = m.Author, m.Content.Preview(maxSaid)
	} else {
		ps, err := s.Store.People(ctx, r.User)
		if err != nil {
			return err
		}
		hidden, err := s.Store.Hidden(ctx, r.By, r.User)
		if err != nil {
			return err
		}
		if len(ps) == 0 || len(hidden) > 0 {
			return chat.Refuse(chat.NotFound, "no such person")
		}
		r.Seq, r.Said = 0, ""
	}
	if r.User == r.By {
		return chat.Refuse(chat.Invalid, "nobody reports themselves")
	}
	return s.Store.AddReport(ctx, r, maxOpen)
}

// Readable returns a message that u may read, or why there is none.
func (s *Service) Readable(ctx context.Context, u chat.UserID, conv chat.ConvID, seq int64) (chat.Message, error) {
	none := chat.Refuse(chat.NotFound, "there is no such message")
	if !conv.Valid() || seq < 1 || seq > 1<<52 {
		return chat.Message{}, none
	}
	p, err := s.Log.Before(ctx, u, conv, seq+1, 1)
	if err != nil {
		return chat.Message{}, err
	}
	if len(p.Entries) != 1 || p.Entries[0].Seq != seq || !message(p.Entries[0]) || p.Entries[0].Content.Kind == chat.Gone {
		return chat.Message{}, none
	}
	return p.Entries[0], nil
}

// message reports whether m is something that somebody said, or unsent.
func message(m chat.Message) bool {
	return m.Content.Kind == chat.Text || m.Content.Kind == chat.FileK || m.Content.Kind == chat.Gone
}

// A Case is a report with what an administrator needs to judge it.
type Case struct {
	chat.Report
	Title   string         `json:"title"`   // of the conversation; empty: of two people
	Entries []chat.Message `json:"entries"` // at most 5 before the message, it, and 5 after; of a report of a person none
	People  []chat.Person  `json:"people"`  // all who are named
}

// Reports returns one page of open, or closed, reports with the people that they
// name, and where the next begins, 0 at the end.
func (s *Service) Reports(ctx context.Context, closed bool, behind int64) ([]chat.Report, []chat.Person, int64, error) {
	rs, err := s.Store.Reports(ctx, closed, behind, PageSize+1)
	if err != nil {
		return nil, nil, 0, err
	}
	next := int64(0)
	if len(rs) > PageSize {
		rs = rs[:PageSize]
		next = rs[PageSize-1].ID
	}
	var ids []chat.UserID
	for _, r := range rs {
		ids = append(ids, r.By, r.User, r.ClosedBy)
	}
	ps, err := s.people(ctx, ids)
	return rs, ps, next, err
}

// people returns each of ids once.
func (s *Service) people(ctx context.Context, ids []chat.UserID) ([]chat.Person, error) {
	ids = slices.DeleteFunc(ids, func(u chat.UserID) bool { return u == "" })
	slices.Sort(ids)
	if ids = slices.Compact(ids); len(ids) == 0 {
		return nil, nil
	}
	return s.Store.People(ctx, ids...)
}

// OpenReports returns how many reports wait.
func (s *Service) OpenReports(ctx context.Context) (int, error) { return s.Store.OpenReports(ctx) }

// Look returns a report with its messages. That they were looked at is noted
// before they are read.
func (s *Service) Look(ctx context.Context, by chat.Deed, id int64) (c Case, err error) {
	if c.Report, err = s.Store.Report(ctx, id); err != nil {
		return c, err
	}
	ids := []chat.UserID{c.By, c.User, c.ClosedBy}
	if c.Conv != "" {
		by.What, by.Target, by.Detail = chat.ActLookAt, strconv.FormatInt(id, 10), fmt.Sprintf("%s %d", c.Conv, c.Seq)
		if err := s.Store.AddDeed(ctx, by); err != nil {
			return c, err
		}
		p, err := s.Store.Before(ctx, c.Conv, c.Seq+lookAround, 2*lookAround)
		if err != nil {
			return c, err
		}
		c.Entries = near(p.Entries, c.Seq)
		sum, err := s.Store.Summary(ctx, c.Conv)
		if err != nil {
			return c, err
		}
		c.Title = sum.Title
	}
	for _, m := range c.Entries {
		ids = append(ids, m.Author)
	}
	c.People, err = s.people(ctx, ids)
	return c, err
}

// near returns of es, in rising order, the message seq and at most 5 messages
// before and after it.
func near(es []chat.Message, seq int64) []chat.Message {
	es = slices.DeleteFunc(slices.Clone(es), func(m chat.Message) bool { return !message(m) })
	i := slices.IndexFunc(es, func(m chat.Message) bool { return m.Seq >= seq })
	if i < 0 {
		i = len(es)
	}
	return es[max(0, i-around):min(len(es), i+around+1)]
}

// Close closes a report with an outcome.
func (s *Service) Close(ctx context.Context, by chat.Deed, id int64, outcome string) error {
	if outcome != chat.OutcomeDismissed && outcome != chat.OutcomeSettled {
		return chat.Refuse(chat.Invalid, "there is no such outcome")
	}
	return s.close(ctx, by, id, outcome)
}

func (s *Service) close(ctx context.Context, by chat.Deed, id int64, outcome string) error {
	by.What, by.Target, by.Detail = chat.ActClose, strconv.FormatInt(id, 10), outcome
	return s.Store.CloseReport(ctx, by, id, outcome)
}

// Remove unsends the message of a report for its author, and closes the report.
// That it is to be removed is noted first; one that is gone already is fine.
func (s *Service) Remove(ctx context.Context, by chat.Deed, id int64) error {
	r, err := s.Store.Report(ctx, id)
	if err != nil {
		return err
	}
	switch {
	case r.Conv == "":
		return chat.Refuse(chat.Invalid, "the report is not about a message")
	case r.ClosedAt > 0:
		return chat.Refuse(chat.Invalid, "the report is closed already")
	}
	by.What, by.Target, by.Detail = chat.ActRemove, string(r.Conv), fmt.Sprintf("%d, %s", r.Seq, r.User)
	if err := s.Store.AddDeed(ctx, by); err != nil {
		return err
	}
	p, err := s.Store.Before(ctx, r.Conv, r.Seq+1, 1)
	if err != nil {
		return err
	}
	if len(p.Entries) == 1 && p.Entries[0].Seq == r.Seq && p.Entries[0].Content.Kind != chat.Gone {
		if err := s.Log.Remove(ctx, r.Conv, r.Seq, p.Entries[0].Author); err != nil {
			return fmt.Errorf("remove message: %w", err)
		}
	}
	return s.close(ctx, by, id, chat.OutcomeRemoved)
}
