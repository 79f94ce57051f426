//go:build !unix

package main

// maxFiles is how many files this process may have open: nobody says.
func maxFiles() int { return 1 << 30 }
