package main

import (
	"bytes"
	"encoding/json"
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
	data := t.TempDir()
	file, users := filepath.Join(data, "people.csv"), filepath.Join(data, "users.csv")
	if err := os.WriteFile(file, []byte("username,nickname\nann,Ann\nbob,Bob\ncat,Cat\ndan,Dan\neve,Eve\nfay,Fay\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	url := inProcess(t, "--data", data)
	var tokens bytes.Buffer
	if err := run(t.Context(), []string{"admin", "people", "import", "--data", data, file}, noEnv, &tokens, t.Output()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(users, tokens.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
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
			args := append([]string{"bench", "--url", url, "--users-file", users, "--json", "--duration", "200ms", "--workload"}, strings.Fields(tt.flags)...)
			var out bytes.Buffer
			var rep bench.Report
			if err := run(t.Context(), args, noEnv, &out, t.Output()); err != nil {
				t.Fatalf("%v: %s", err, out.String())
			}
			if err := json.Unmarshal(out.Bytes(), &rep); err != nil || !tt.did(rep) {
				t.Errorf("%v: %s", err, out.String())
			}
		})
	}
}
