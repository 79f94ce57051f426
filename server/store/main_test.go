package store_test

import (
	"fmt"
	"os"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"kamachat/server/servicetest"
)

// maria is the MariaDB of this package's tests: started by the first that asks, ended after the last.
var maria struct {
	sync.Mutex
	*servicetest.Service
	end []func()
}

func TestMain(m *testing.M) {
	code := m.Run()
	for _, f := range maria.end {
		f()
	}
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// lasting is a test whose folders and clean-ups last until all tests have ended.
type lasting struct{ testing.TB }

func (l lasting) Cleanup(f func()) { maria.end = append([]func(){f}, maria.end...) }

func (l lasting) TempDir() string {
	dir, err := os.MkdirTemp("", "store")
	if err != nil {
		panic(err)
	}
	l.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func (l lasting) Fatal(args ...any)            { panic(fmt.Sprint(args...)) }
func (l lasting) Fatalf(f string, args ...any) { panic(fmt.Sprintf(f, args...)) }

// onMariaDB returns the address of an empty database on the shared MariaDB.
func onMariaDB(t testing.TB) string {
	t.Helper()
	maria.Lock()
	defer maria.Unlock()
	if maria.Service == nil {
		maria.Service = servicetest.MariaDB(lasting{t})
	}
	return maria.Database()
}

// each runs a test on an empty database of either kind.
func each(t *testing.T, f func(t *testing.T, dsn string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, "sqlite:"+t.TempDir()+"/kamachat.db") })
	t.Run("mariadb", func(t *testing.T) { f(t, onMariaDB(t)) })
}
