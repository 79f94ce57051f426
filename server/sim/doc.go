// Package sim is the whole in one process under faults, for tests alone: many
// real clients (ui/state and ui/link, and some that speak the seed's dialect),
// real sessions over connections in memory, the real hub, and a store, in a
// bubble of testing/synctest where time passes when everybody waits.
//
// A seed decides everything that is decided: who writes what and when, and
// which faults happen when: connections cut at any byte or silent, sessions
// ended, the server killed and restarted on the same database, before and after
// a commit, errors of the store whose outcome is known or not, small queues,
// clocks that jump, events lost, doubled and reordered, pages reloaded. How often
// each happens over all seeds has a lower bound: see atLeast. When the
// faults are over and things have settled, every promise must hold: see
// check_test.go.
//
// "make sim SEED=n" replays one seed and prints what happened, "make sim
// SEEDS=n" tries that many.
package sim
