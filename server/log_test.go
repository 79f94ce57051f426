package main

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestLogIsJSONWhereThatIsWanted(t *testing.T) {
	out, log, done := &pad{}, &pad{}, make(chan error, 1)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() {
		done <- run(ctx, []string{"serve", "--addr", "127.0.0.1:0", "--data", t.TempDir(), "--log", "json", "--codes", "log"}, noEnv, out, log)
	}()
	url := ""
	eventually(t, func() string { return "no address in " + out.String() + log.String() }, func() bool {
		_, after, ok := strings.Cut(out.String(), "KamaChat is at ")
		url, _, _ = strings.Cut(after, "\n")
		return ok
	})
	res, err := http.Get(url + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	var levels []string
	for l := range strings.Lines(log.String()) {
		var line struct{ Time, Level, Msg string }
		if err := json.Unmarshal([]byte(l), &line); err != nil || line.Time == "" || line.Msg == "" {
			t.Errorf("%s: %v", l, err)
		}
		levels = append(levels, line.Level)
	}
	if !slices.Contains(levels, "WARN") {
		t.Errorf("the log has lines of %v only", levels)
	}
}
