// Command slim writes bin/slim.json, with which "go build -overlay" puts
// tools/slim/http in the place of net/http.
package main

import (
	"encoding/json"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("slim: ")
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		log.Fatal(err)
	}
	dir := filepath.Join(strings.TrimSpace(string(out)), "src", "net", "http")
	theirs, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(theirs) == 0 {
		log.Fatalf("no package in %s", dir)
	}
	ours, err := filepath.Abs("tools/slim/http/http.go")
	if err != nil {
		log.Fatal(err)
	}
	replace := map[string]string{filepath.Join(dir, "slim.go"): ours}
	for _, f := range theirs {
		replace[f] = "" // as if it were not there
	}
	p, err := json.MarshalIndent(map[string]any{"Replace": replace}, "", "\t")
	if err == nil {
		err = os.WriteFile("bin/slim.json", append(p, '\n'), 0o644)
	}
	if err != nil {
		log.Fatal(err)
	}
}
