package bench

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"kamachat/shared/chat"
)

// ReadPeople reads the CSV that "kamachat admin people import" prints: the
// header username,id,token and a line for each account.
func ReadPeople(r io.Reader) ([]Person, error) {
	rows, err := csv.NewReader(r).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read the accounts: %w", err)
	}
	if len(rows) == 0 || strings.Join(rows[0], ",") != "username,id,token" {
		return nil, errors.New("read the accounts: the first line must be username,id,token")
	}
	var ps []Person
	for i, row := range rows[1:] {
		p := Person{Username: row[0], ID: chat.UserID(row[1]), Token: row[2]}
		if !p.ID.Valid() || p.Token == "" {
			return nil, fmt.Errorf("read the accounts: line %d has no id or no token", i+2)
		}
		ps = append(ps, p)
	}
	return ps, nil
}

// register makes n throw-away accounts.
func register(ctx context.Context, base string, n int) ([]Person, error) {
	stamp := strconv.FormatInt(time.Now().UnixMilli(), 36)
	ps := make([]Person, n)
	for i := range ps {
		name := fmt.Sprintf("bench%s%d", stamp, i)
		var answer struct {
			User  chat.Person `json:"user"`
			Token string      `json:"token"`
		}
		err := post(ctx, base+"/api/v1/register", "", map[string]string{
			"username": name, "password": stamp + "-bench-" + stamp, "nickname": name,
		}, &answer)
		if err != nil {
			return nil, fmt.Errorf("register account %d of %d: %w (sign-up is rate limited; for a local server import accounts with "+
				"kamachat admin people import and pass what it prints)", i+1, n, err)
		}
		ps[i] = Person{Username: name, ID: answer.User.ID, Token: answer.Token}
	}
	return ps, nil
}

// makeGroup makes a group of all of ps; the first one makes it.
func makeGroup(ctx context.Context, base string, ps []Person) (chat.ConvID, error) {
	ids := make([]chat.UserID, len(ps))
	for i, p := range ps {
		ids[i] = p.ID
	}
	var answer struct {
		Group struct {
			ID chat.ConvID `json:"id"`
		} `json:"group"`
	}
	err := post(ctx, base+"/api/v1/groups", ps[0].Token, map[string]any{"name": "bench", "members": ids}, &answer)
	if err == nil && !answer.Group.ID.Valid() {
		err = errors.New("the answer holds no id")
	}
	if err != nil {
		return "", fmt.Errorf("make a group of %d: %w", len(ps), err)
	}
	return answer.Group.ID, nil
}

// post sends ask as JSON and decodes the answer.
func post(ctx context.Context, url, token string, ask, answer any) error {
	body, err := json.Marshal(ask)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s: %.200s", resp.Status, text)
	}
	return json.Unmarshal(text, answer)
}
