package store_test

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"kamachat/server/servicetest"
)

func TestMain(m *testing.M) {
	code := m.Run()
	servicetest.EndShared()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// each runs a test on an empty database of either kind.
func each(t *testing.T, f func(t *testing.T, dsn string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, "sqlite:"+t.TempDir()+"/kamachat.db") })
	t.Run("mariadb", func(t *testing.T) { f(t, servicetest.SharedDatabase(t)) })
}
