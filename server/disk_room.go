//go:build linux || darwin

package main

import "syscall"

// diskRoom returns the bytes that this program may still write to the disk with
// folder, and those of all of the disk.
func diskRoom(folder string) (free, all int64, ok bool) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(folder, &s); err != nil {
		return 0, 0, false
	}
	return int64(s.Bavail) * int64(s.Bsize), int64(s.Blocks) * int64(s.Bsize), true
}
