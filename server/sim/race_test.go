//go:build race

package sim

func init() { detector = 12 } // the race detector makes all about so much slower
