package account

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"kamachat/shared/chat"
)

// ImportError lists the rows that can't be imported, one line each.
type ImportError struct{ Rows []string }

func (e *ImportError) Error() string {
	const most = 20
	if n := len(e.Rows) - most; n > 0 {
		return strings.Join(e.Rows[:most], "\n") + fmt.Sprintf("\nand %d more", n)
	}
	return strings.Join(e.Rows, "\n")
}

// Import creates an account for each row of the CSV r, with the header
// username,nickname, all or none, and writes the CSV username,id,token to w.
// The accounts have no password: the tokens are the only way in. by, who does that, is noted.
func (s *Service) Import(ctx context.Context, by chat.Deed, r io.Reader, w io.Writer) error {
	rows, bad, err := s.readPeople(r)
	if err != nil {
		return err
	}
	taken, err := s.store.UsernamesTaken(ctx, rows.names())
	if err != nil {
		return err
	}
	for _, name := range taken {
		bad = append(bad, fmt.Sprintf("line %d: the username %q is in use", rows.line[name], name))
	}
	if len(bad) > 0 {
		return &ImportError{bad}
	}
	tokens, hashes := make([]string, len(rows.people)), make([]string, len(rows.people))
	for i := range tokens {
		tokens[i] = newSecret()
		hashes[i] = digest(tokens[i])
	}
	by.What, by.Detail = chat.ActImport, strconv.Itoa(len(rows.people))
	if err := s.store.AddUsers(ctx, rows.people, hashes, s.now().UnixMilli(), by); err != nil {
		return fmt.Errorf("import: %w", err)
	}
	out := csv.NewWriter(w)
	out.Write([]string{"username", "id", "token"}) // the writer keeps its first error
	for i, p := range rows.people {
		out.Write([]string{p.Username, string(p.ID), tokens[i]})
	}
	out.Flush()
	return out.Error()
}

// peopleRows are the people of a CSV file and the line each username is on.
type peopleRows struct {
	people []chat.Person
	line   map[string]int
}

func (p peopleRows) names() []string {
	ns := make([]string, len(p.people))
	for i, q := range p.people {
		ns[i] = q.Username
	}
	return ns
}

// readPeople reads all rows and says of the bad ones what is wrong.
func (s *Service) readPeople(r io.Reader) (rows peopleRows, bad []string, err error) {
	rows.line = map[string]int{}
	in := csv.NewReader(r)
	in.FieldsPerRecord = -1
	in.TrimLeadingSpace = true
	head, err := in.Read()
	if err != nil && err != io.EOF {
		return rows, nil, fmt.Errorf("read the CSV file: %w", err)
	}
	if len(head) != 2 || strings.TrimPrefix(head[0], "\ufeff") != "username" || head[1] != "nickname" {
		return rows, nil, &ImportError{[]string{"line 1: the header must be username,nickname"}}
	}
	for {
		rec, err := in.Read()
		if err == io.EOF {
			return rows, bad, nil
		}
		if err != nil {
			return rows, nil, fmt.Errorf("read the CSV file: %w", err)
		}
		line, _ := in.FieldPos(0)
		if why := s.addRow(&rows, rec, line); why != "" {
			bad = append(bad, fmt.Sprintf("line %d: %s", line, why))
		}
	}
}

// addRow adds one row, or says what is wrong with it.
func (s *Service) addRow(rows *peopleRows, rec []string, line int) string {
	if len(rec) != 2 {
		return fmt.Sprintf("want 2 columns, got %d", len(rec))
	}
	p, err := s.named(rec[0], rec[1])
	if r := (*chat.Refusal)(nil); errors.As(err, &r) {
		return r.Words
	}
	if first := rows.line[p.Username]; first > 0 {
		return fmt.Sprintf("the username %q is on line %d already", p.Username, first)
	}
	rows.line[p.Username] = line
	rows.people = append(rows.people, p)
	return ""
}
