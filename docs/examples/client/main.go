// Command client is an example of a program that uses KamaChat's API: it signs
// in, lists conversations, posts once and reads. It needs nothing but the
// standard library; copy what you like.
//
//	KAMACHAT=https://chat.example.org KAMACHAT_TOKEN=… client bob "Hello"
//
// Without KAMACHAT_TOKEN it signs in as KAMACHAT_USER with KAMACHAT_PASSWORD.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Getenv, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, getenv func(string) string, out io.Writer) error {
	if len(args) != 2 {
		return errors.New("usage: client WHOM TEXT")
	}
	c := &client{base: getenv("KAMACHAT"), token: getenv("KAMACHAT_TOKEN"), http: &http.Client{Timeout: 30 * time.Second}}
	if c.token == "" {
		in := map[string]string{"username": getenv("KAMACHAT_USER"), "password": getenv("KAMACHAT_PASSWORD")}
		var answer struct{ Token string }
		if err := c.do(ctx, "POST", "/api/v1/login", "", in, &answer); err != nil {
			return fmt.Errorf("sign in: %w", err)
		}
		c.token = answer.Token
	}

	var list struct {
		Conversations []struct {
			Conv, Title string
			Unread      int
		}
	}
	if err := c.do(ctx, "GET", "/api/v1/conversations?limit=20", "", nil, &list); err != nil {
		return fmt.Errorf("list: %w", err)
	}
	for _, l := range list.Conversations {
		fmt.Fprintf(out, "conversation %s %q, %d unread\n", l.Conv, l.Title, l.Unread)
	}

	var found struct {
		People []struct{ ID, Username string }
	}
	if err := c.do(ctx, "GET", "/api/v1/people?q="+url.QueryEscape(args[0]), "", nil, &found); err != nil {
		return fmt.Errorf("find: %w", err)
	}
	if len(found.People) == 0 {
		return fmt.Errorf("there is nobody called %q", args[0])
	}

	// A person's id stands for the conversation with them. The key names this
	// message: however often it is sent, it is stored once.
	path := "/api/v1/conversations/" + url.PathEscape(found.People[0].ID) + "/messages"
	var posted struct{ Seq int64 }
	if err := c.do(ctx, "POST", path, rand.Text(), map[string]string{"text": args[1]}, &posted); err != nil {
		return fmt.Errorf("post: %w", err)
	}
	fmt.Fprintf(out, "posted as %d\n", posted.Seq)

	var page struct {
		Entries []struct {
			Seq  int64
			From string
			C    struct{ Text string }
		}
	}
	if err := c.do(ctx, "GET", path+"?limit=5", "", nil, &page); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	for _, e := range page.Entries {
		fmt.Fprintf(out, "%d %s: %s\n", e.Seq, e.From, e.C.Text)
	}
	return nil
}

// A client asks one server.
type client struct {
	base, token string
	http        *http.Client
}

// A problem is what the server answers when it refuses (RFC 9457).
type problem struct {
	Code, Detail string
	RetryAfter   int64 `json:"retry_after"` // milliseconds; 0: do not try again
}

func (p *problem) Error() string { return p.Code + ": " + p.Detail }

// tries is how often a request is made before it has failed.
const tries = 5

// do asks for path and reads the answer into out. A request with a key, and one
// that only reads, is made again when the answer was lost or says to try later.
func (c *client) do(ctx context.Context, method, path, key string, in, out any) error {
	for try := 1; ; try++ {
		err := c.once(ctx, method, path, key, in, out)
		if err == nil {
			return nil
		}
		wait := time.Duration(try) * time.Second
		var p *problem
		if errors.As(err, &p) {
			if p.RetryAfter == 0 {
				return err
			}
			wait = time.Duration(p.RetryAfter) * time.Millisecond
		}
		if try == tries || method != "GET" && key == "" {
			return err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (c *client) once(ctx context.Context, method, path, key string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		p := &problem{}
		if err := json.NewDecoder(res.Body).Decode(p); err != nil || p.Code == "" {
			return fmt.Errorf("the server answered %s", res.Status)
		}
		return p
	}
	return json.NewDecoder(res.Body).Decode(out)
}
