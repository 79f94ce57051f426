package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"testing"

	"kamachat/server/config"
)

// A safe buffer takes the log of a server while a test reads it.
type safe struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safe) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safe) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func TestAnOverviewThatIsOpenDoesNotHoldTheEndUp(t *testing.T) {
	cfg, err := config.Load([]string{"serve", "--addr", "127.0.0.1:0", "--data", t.TempDir()}, noEnv)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	log, links, done := &safe{}, make(chan [2]string, 1), make(chan error, 1)
	go func() {
		done <- serve(ctx, cfg, slog.New(slog.NewTextHandler(log, nil)), func(at, setup string) { links <- [2]string{at, setup} })
	}()
	at := <-links
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	boss := &http.Client{Jar: jar, Transport: &http.Transport{}}
	defer boss.CloseIdleConnections()
	_, key, _ := strings.Cut(at[1], "key=")
	made, err := boss.PostForm(at[0]+"/setup", url.Values{"key": {key}, "username": {"boss"}, "password": {"password1"}})
	if err != nil || made.StatusCode != http.StatusOK {
		t.Fatalf("set up: %v %v", made, err)
	}
	_ = made.Body.Close()
	live, err := boss.Get(at[0] + "/admin/overview/live")
	if err != nil {
		t.Fatal(err)
	}
	defer live.Body.Close()
	first := make([]byte, 20)
	if _, err := io.ReadFull(live.Body, first); err != nil || !strings.HasPrefix(string(first), "event: tiles") {
		t.Fatalf("it begins with %q, %v", first, err)
	}
	stop()
	if _, err := io.Copy(io.Discard, live.Body); err != nil {
		t.Errorf("it does not end as answers do: %v", err)
	}
	if err := <-done; err != nil || strings.Contains(log.String(), "requests did not end in time") {
		t.Errorf("the server ended with %v: %s", err, log)
	}
}
