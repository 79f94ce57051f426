package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kamachat/server/bench"
)

// TestEveryWorkloadRunsAgainstTheServer loads the real server for a moment with
// everything that "kamachat bench" can do; a run ends with an error when
// something was lost, doubled, reordered or missing.
func TestEveryWorkloadRunsAgainstTheServer(t *testing.T) {
	for name, flags := range databases(t) {
		t.Run(name, func(t *testing.T) {
			where := append(flags(t), "--data", t.TempDir())
			url := inProcess(t, where...)
			everyWorkload(t, url, imported(t, 6, where...))
		})
	}
}

// imported puts n people into the database that the flags name and returns the
// file with their tokens.
func imported(t *testing.T, n int, flags ...string) (users string) {
	t.Helper()
	dir := t.TempDir()
	file, users := filepath.Join(dir, "people.csv"), filepath.Join(dir, "users.csv")
	list := []byte("username,nickname\n")
	for i := range n {
		list = fmt.Appendf(list, "person%d,Person %d\n", i, i)
	}
	if err := os.WriteFile(file, list, 0o600); err != nil {
		t.Fatal(err)
	}
	var tokens bytes.Buffer
	args := append([]string{"admin", "people", "import", file}, flags...)
	if err := run(t.Context(), args, noEnv, &tokens, t.Output()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(users, tokens.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return users
}

// load runs "kamachat bench" and returns its report.
func load(t *testing.T, url, users string, flags ...string) (bench.Report, error) {
	t.Helper()
	var out bytes.Buffer
	var rep bench.Report
	args := append([]string{"bench", "--url", url, "--users-file", users, "--json"}, flags...)
	if err := run(t.Context(), args, noEnv, &out, t.Output()); err != nil {
		return rep, fmt.Errorf("%w: %s", err, out.String())
	}
	return rep, json.Unmarshal(out.Bytes(), &rep)
}

func everyWorkload(t *testing.T, url, users string) {
	for _, tt := range []struct {
		flags string // in this order: history is of what was written before
		did   func(bench.Report) bool
	}{
		{"direct --pairs 3", func(r bench.Report) bool { return r.Acknowledged > 0 && r.Delivered == 2*r.Acknowledged }},
		{"direct --pairs 3 --rate 200 --pages 100 --readers 2", func(r bench.Report) bool { return r.Acknowledged > 0 && r.Pages > 0 }},
		{"direct --pairs 3 --dialect classic", func(r bench.Report) bool { return r.Delivered == 2*r.Acknowledged }},
		{"fanout --members 6 --senders 2", func(r bench.Report) bool { return r.Delivered == 6*r.Acknowledged }},
		{"fanout --members 6 --dialect classic", func(r bench.Report) bool { return r.Delivered == 6*r.Acknowledged }},
		{"history --readers 6", func(r bench.Report) bool { return r.Pages > 0 }},
		{"idle --members 9", func(r bench.Report) bool { return r.Connections == 9 && r.Welcome.Max > 0 }},
		{"storm --members 6 --duration 60s", func(r bench.Report) bool { return r.Storm.CaughtUp > 0 && r.Storm.Attempts >= 6 && r.Storm.Unwell == 0 }},
	} {
		t.Run(tt.flags, func(t *testing.T) {
			rep, err := load(t, url, users, append([]string{"--duration", "200ms", "--workload"}, strings.Fields(tt.flags)...)...)
			if err != nil || !tt.did(rep) {
				t.Errorf("%v: %+v", err, rep)
			}
		})
	}
}
