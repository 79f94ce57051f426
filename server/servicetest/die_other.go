//go:build !linux

package servicetest

import "syscall"

// dieWithThread has no equal here: a test that is killed leaves its services behind.
func dieWithThread() *syscall.SysProcAttr { return nil }
