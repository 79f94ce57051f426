package servicetest

import (
	"fmt"
	"os"
	"sync"
	"testing"
)

// shared is the MariaDB of a package's tests: started by the first that asks, ended by EndShared.
var shared struct {
	sync.Mutex
	maria *Service
	end   []func()
}

// SharedDatabase returns the address of an empty database on a MariaDB that the
// tests of a package share; its TestMain must call EndShared when all have ended.
func SharedDatabase(t testing.TB) string {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.maria == nil {
		shared.maria = MariaDB(lasting{t})
	}
	return shared.maria.Database()
}

// EndShared ends what SharedDatabase has started.
func EndShared() {
	for _, f := range shared.end {
		f()
	}
}

// lasting is a test whose folders and clean-ups last until all tests have ended.
type lasting struct{ testing.TB }

func (l lasting) Cleanup(f func()) { shared.end = append([]func(){f}, shared.end...) }

func (l lasting) TempDir() string {
	dir, err := os.MkdirTemp("", "shared")
	if err != nil {
		panic(err)
	}
	l.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func (l lasting) Fatal(args ...any)            { panic(fmt.Sprint(args...)) }
func (l lasting) Fatalf(f string, args ...any) { panic(fmt.Sprintf(f, args...)) }
