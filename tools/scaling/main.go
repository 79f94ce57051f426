// Command scaling calculates how far an installation goes:
//
//	go run ./tools/scaling [-seed 1]
//
// It simulates one server event by event, sets that beside what was measured
// (docs/performance.md), and extrapolates to several nodes with Kafka, a database
// and Redis: docs/scaling.md has the assumptions and what to make of it.
package main

import (
	"flag"
	"os"
)

func main() {
	seed := flag.Uint64("seed", 1, "what is drawn at random is drawn from this")
	flag.Parse()
	printSingle(os.Stdout, *seed)
	printNodes(os.Stdout, *seed)
	printCluster(os.Stdout, *seed)
}
