package deploy_test

import (
	"regexp"
	"strings"
	"testing"

	"kamachat/server/config"
)

// The commands that docs/operations.md shows for backups are such as the program takes.
func TestCommandsForBackupsAreRight(t *testing.T) {
	seen := map[string]int{}
	for _, m := range regexp.MustCompile(`(?m)kamachat (backup|restore) ([^'\n]+)`).FindAllStringSubmatch(read(t, "../docs/operations.md"), -1) {
		args := append([]string{m[1]}, strings.Fields(regexp.MustCompile(`\$+\(date [^)]*\)|["\x60]`).ReplaceAllString(m[2], "x"))...)
		cfg, err := config.Load(args, func(string) string { return "" })
		if err != nil {
			t.Errorf("%q: %v", m[0], err)
			continue
		}
		if cfg.Command != m[1] || !strings.Contains(cfg.File, ".tar.zst") {
			t.Errorf("%q is taken as %s of the file %q", m[0], cfg.Command, cfg.File)
		}
		seen[cfg.Command]++
	}
	if seen[config.Backup] < 3 || seen[config.Restore] < 2 {
		t.Errorf("there are %v commands only", seen)
	}
}
