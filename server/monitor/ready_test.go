package monitor

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func asked(r *Ready) (int, string) {
	rec := httptest.NewRecorder()
	r.ServeHTTP(rec, httptest.NewRequest("GET", "/readyz", nil))
	return rec.Code, rec.Body.String()
}

func TestReadinessTellsEachCheckAndNoSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		var database, redis error
		r := NewReady(slog.New(slog.NewTextHandler(&log, nil)),
			Check{Name: "database", Ask: func(context.Context) error { return database }},
			Check{Name: "redis", Optional: true, Ask: func(context.Context) error { return redis }})
		for _, step := range []struct {
			what            string
			database, redis error
			code            int
			body            string
		}{
			{"all well", nil, nil, 200, `{"ready":true,"checks":{"database":{"ok":true},"redis":{"ok":true,"optional":true}}}`},
			{"redis away", nil, errAway, 200, `{"ready":true,"checks":{"database":{"ok":true},"redis":{"ok":false,"optional":true}}}`},
			{"database away", errAway, nil, 503, `{"ready":false,"checks":{"database":{"ok":false},"redis":{"ok":true,"optional":true}}}`},
			{"still away", errAway, nil, 503, `{"ready":false,"checks":{"database":{"ok":false},"redis":{"ok":true,"optional":true}}}`},
			{"back", nil, nil, 200, `{"ready":true,"checks":{"database":{"ok":true},"redis":{"ok":true,"optional":true}}}`},
		} {
			database, redis = step.database, step.redis
			if code, body := asked(r); code != step.code || strings.TrimSpace(body) != step.body {
				t.Errorf("%s: %d %s, want %d %s", step.what, code, body, step.code, step.body)
			}
			time.Sleep(freshFor)
		}
		if got := strings.Count(log.String(), "check=database"); got != 2 {
			t.Errorf("the log tells %d times of the database, want when it left and when it came back:\n%s", got, log.String())
		}
		r.Drain()
		code, body := asked(r)
		var s readyState
		if err := json.Unmarshal([]byte(body), &s); err != nil || code != 503 || s.Ready || !s.Draining {
			t.Errorf("draining: %d %s (%v)", code, body, err)
		}
	})
}

func TestManyAskersAskTheDatabaseOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asks atomic.Int64
		r := NewReady(slog.New(slog.DiscardHandler), Check{Name: "database", Ask: func(context.Context) error {
			asks.Add(1)
			time.Sleep(300 * time.Millisecond)
			return nil
		}})
		began := time.Now()
		for time.Since(began) < 10*time.Second {
			var wg sync.WaitGroup
			for range 50 {
				wg.Go(func() {
					if code, body := asked(r); code != 200 {
						t.Errorf("%d %s", code, body)
					}
				})
			}
			wg.Wait()
			time.Sleep(10 * time.Millisecond)
		}
		if n := asks.Load(); n < 7 || n > 10 {
			t.Errorf("the database was asked %d times in ten seconds", n)
		}
	})
}

func TestADatabaseThatHangsIsNotReadyInTwoSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		let := make(chan struct{})
		r := NewReady(slog.New(slog.DiscardHandler), Check{Name: "database", Ask: func(context.Context) error {
			<-let // and does not listen to its context
			return nil
		}})
		began := time.Now()
		code, _ := asked(r)
		if took := time.Since(began); code != 503 || took != askFor {
			t.Errorf("answered %d after %v", code, took)
		}
		close(let)
	})
}
