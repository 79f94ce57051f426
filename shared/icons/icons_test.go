package icons

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// named finds an icon's name: icon("x"), drawnIcon("x"), button("x", and what tickLook returns.
var named = regexp.MustCompile(`(?:\b(?:icon|drawnIcon|button|Icon)\(\s*"([a-z-]+)"|return "([a-z]+)", "[a-z]+"\n)`)

func TestEveryIconThatIsShownExists(t *testing.T) {
	n := 0
	for _, pattern := range []string{"../../ui/view/*.go", "../../server/page/*.go", "../../server/page/*.templ"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range named.FindAllStringSubmatch(string(b), -1) {
				n++
				if name := m[1] + m[2]; Paths(name) == "" {
					t.Errorf("%s shows %q, which is not drawn", f, name)
				}
			}
		}
	}
	if n < 15 {
		t.Errorf("only %d icons found: are they named in another way now?", n)
	}
}

func TestIconsAreWellFormed(t *testing.T) {
	path := regexp.MustCompile(`^M[-MmLlHhVvCcSsAaZz0-9., ]+$`)
	for _, set := range []map[string]string{icons, ticks} {
		for name, d := range set {
			if !path.MatchString(d) || len(d) > 400 {
				t.Errorf("%s is %q", name, d)
			}
		}
	}
	if Box("checks") != "0 0 18 12" || Box("send") != "0 0 24 24" || Paths("no such icon") != "" {
		t.Error("boxes")
	}
}
