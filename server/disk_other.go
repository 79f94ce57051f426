//go:build !linux && !darwin

package main

// diskRoom is not known here.
func diskRoom(string) (free, all int64, ok bool) { return 0, 0, false }
