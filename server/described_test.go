package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"

	"kamachat/server/apitest"
	"kamachat/server/config"
)

// described asks a server with everything that there may be for its description.
func described() (doc []byte, err error) {
	data, err := os.MkdirTemp("", "kamachat-described-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(data)) }()
	cfg, err := config.Load([]string{"serve", "--addr", "127.0.0.1:0", "--data", data, "--hooks", "on"}, noEnv)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	addr, done := make(chan string, 1), make(chan error, 1)
	go func() { done <- serve(ctx, cfg, slog.New(slog.DiscardHandler), func(url, _ string) { addr <- url }) }()
	select {
	case err := <-done:
		stop()
		return nil, err
	case at := <-addr:
		defer func() {
			stop()
			err = errors.Join(err, <-done)
		}()
		return apitest.Fetch(at)
	}
}

// Whatever a test of this package is answered is held against this: see TestMain.
func TestAnswersAreHeldAgainstAllThatThereMayBe(t *testing.T) {
	doc, err := described()
	if err != nil {
		t.Fatal(err)
	}
	d, err := apitest.Read(doc)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/api/v1/me", "/api/v1/files", "/api/v1/push/subscriptions", "/api/v1/hooks/{hook}/{secret}"} {
		if d.Open.Paths.Value(path) == nil {
			t.Errorf("%s is not described", path)
		}
	}
	h, ok := http.DefaultTransport.(*apitest.Transport)
	if !ok {
		t.Fatalf("clients are not held: %T", http.DefaultTransport)
	}
	// One that says something else than is described is told of.
	var wrong []string
	held := &apitest.Transport{
		Base: answers(`{"user":{"id":1}}`), Describe: func() (*apitest.Description, error) { return d, nil },
		Wrong: func(err error) { wrong = append(wrong, err.Error()) },
	}
	for _, by := range []http.RoundTripper{held, &apitest.Transport{Base: answers(`{}`), Describe: held.Describe, Wrong: held.Wrong}} {
		res, err := (&http.Client{Transport: by}).Get("http://localhost/api/v1/me")
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
	}
	if len(wrong) != 2 || h.Wrong == nil {
		t.Errorf("told are %q", wrong)
	}
}

// answers is a server that always says the same.
type answers string

func (a answers) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}, "Cache-Control": {"no-store"}},
		Body: io.NopCloser(strings.NewReader(string(a))),
	}, nil
}
