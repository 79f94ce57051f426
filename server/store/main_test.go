package store_test

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"kamachat/server/servicetest"
	"kamachat/server/store/storetest"
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

var each = storetest.Each
