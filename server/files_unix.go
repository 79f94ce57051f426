//go:build unix

package main

import "syscall"

// maxFiles is how many files this process may have open. Go has raised the
// limit as far as it may be when the program starts.
func maxFiles() int {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil || l.Cur > 1<<30 {
		return 1 << 30
	}
	return int(l.Cur)
}
