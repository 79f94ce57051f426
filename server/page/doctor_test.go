package page

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"kamachat/shared/words"
)

// outcomes returns what the checks of doctor.js may say, as in the catalogue.
func outcomes(t *testing.T) map[string]bool {
	t.Helper()
	src, err := os.ReadFile("../../static/doctor.js")
	if err != nil {
		t.Fatal(err)
	}
	check := regexp.MustCompile(`^    async (\w+)\(`)
	says := regexp.MustCompile(`\b(?:works|attention|broken|none)\("(/?[a-z]+)"`)
	page := regexp.MustCompile(`\bsay\("([a-z.]*[a-z])"`)
	acts := regexp.MustCompile(`\{ (\w+)(?:: \(\) => tested\(reg\))? \}\];`)
	all := map[string]bool{}
	var whose []string
	for line := range strings.Lines(string(src)) {
		switch m := check.FindStringSubmatch(line); {
		case m != nil:
			whose = []string{m[1]}
		case strings.HasPrefix(line, "  const part = "):
			whose = []string{"store", "carrier"}
		case strings.HasPrefix(line, "  const tested = "):
			whose = []string{"push"}
		case strings.HasPrefix(line, "  // --- the page"):
			whose = nil
		}
		for _, m := range append(says.FindAllStringSubmatch(line, -1), acts.FindAllStringSubmatch(line, -1)...) {
			if key, ok := strings.CutPrefix(m[1], "/"); ok {
				all[key] = true
				continue
			}
			for _, w := range whose {
				all[w+"."+m[1]] = true
			}
		}
		for _, m := range page.FindAllStringSubmatch(line, -1) {
			all[m[1]] = true
		}
	}
	return all
}

func TestDoctorHasWordsForAllThatItFindsAndNoMore(t *testing.T) {
	said := outcomes(t)
	if len(said) < 60 {
		t.Fatalf("only %d outcomes found: is doctor.js written in another way now?", len(said))
	}
	for _, key := range []string{"state.waiting", "state.works", "state.attention", "state.broken", "state.none"} {
		said[key] = true
	}
	src, err := os.ReadFile("doctor.templ")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`\.doctor\("([a-z.]+)"`).FindAllStringSubmatch(string(src), -1) {
		said[m[1]] = true
	}
	said["link"] = true // in chat.templ
	for _, name := range slices.Concat(browserChecks, serverChecks) {
		said[name] = true
	}
	have := words.Below(words.EN, "doctor.")
	for _, key := range slices.Sorted(maps.Keys(said)) {
		if have[key] == "" {
			t.Errorf("there are no words for %q", key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(have)) {
		if !said[key] {
			t.Errorf("nothing says %q", key)
		}
	}
}

func TestDoctorChecksTheServerForAdministratorsOnly(t *testing.T) {
	for admin, want := range map[bool]int{false: len(browserChecks), true: len(browserChecks) + len(serverChecks)} {
		got := drawn(t, Doctor(DoctorPage{Common: common("en"), SignedIn: true, Admin: admin}))
		if n := strings.Count(got, "data-check="); n != want {
			t.Errorf("admin %v: %d checks, want %d", admin, n, want)
		}
		if strings.Contains(got, `rel="prefetch"`) || strings.Contains(got, `rel="preload"`) {
			t.Errorf("admin %v: something is loaded ahead, which disturbs what is measured", admin)
		}
	}
}
