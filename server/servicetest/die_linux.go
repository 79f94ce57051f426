package servicetest

import "syscall"

// dieWithThread makes a service end when the thread that started it does, also
// where the test is killed.
func dieWithThread() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
