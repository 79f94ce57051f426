package web

import (
	"flag"
	"fmt"
	"os"
	"testing"
)

// Where all tests ran and passed, each operation that is described was granted to
// somebody at least once: a new one without a test that uses it fails the package.
func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 && everyTestRan() && described != nil {
		for _, op := range described.Ungranted() {
			fmt.Fprintln(os.Stderr, "described, and no test was ever granted it:", op)
			code = 1
		}
	}
	os.Exit(code)
}

// everyTestRan reports whether no flag left tests out.
func everyTestRan() bool {
	for _, name := range []string{"test.run", "test.skip", "test.list", "test.fuzz", "test.fuzzworker", "test.short"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != f.DefValue {
			return false
		}
	}
	return true
}
