package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kamachat/server/servicetest"
	"kamachat/server/store"
	"kamachat/shared/chat"
)

// BenchmarkAppend commits batches of texts over 200 direct conversations, as
// the carrier hands them over: by one committer, and on MariaDB by eight, each
// with conversations of its own. ns/op is per message; cpu-µs/op is the time on
// processors, that of the database included; p99-ms is of a batch. KAMACHAT_BENCH_MYSQL is the address
// of an empty database to use instead of a MariaDB of the benchmark's own.
func BenchmarkAppend(b *testing.B) {
	for _, c := range []struct {
		name       string
		open       func(testing.TB) string
		committers int
	}{
		{"sqlite/1", func(t testing.TB) string { return "sqlite:" + t.TempDir() + "/kamachat.db" }, 1},
		{"mariadb/1", benchMySQL, 1},
		{"mariadb/8", benchMySQL, 8},
	} {
		for _, size := range []int{1, 8, 32, 128, 256} {
			b.Run(fmt.Sprintf("%s/batch=%d", c.name, size), func(b *testing.B) {
				db := openAt(b, c.open(b))
				people := crowd(b, db, 400)
				for p := range 200 { // make the conversations
					appendPairs(b, db, people, 1, func() int { return p })
				}
				var n atomic.Int64
				took := make([][]time.Duration, c.committers)
				before := cpu(b)
				b.ResetTimer()
				var wg sync.WaitGroup
				for lane := range c.committers {
					wg.Go(func() {
						next := lane
						for n.Add(int64(size)) <= int64(b.N+size-1) {
							began := time.Now()
							if !appendPairs(b, db, people, size, func() int { next += c.committers; return next % 200 }) {
								return
							}
							took[lane] = append(took[lane], time.Since(began))
						}
					})
				}
				wg.Wait()
				b.StopTimer()
				b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(max(b.N, size)), "cpu-µs/op")
				all := slices.Concat(took...)
				slices.Sort(all)
				b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
			})
		}
	}
}

func benchMySQL(t testing.TB) string {
	if dsn := os.Getenv("KAMACHAT_BENCH_MYSQL"); dsn != "" {
		return dsn
	}
	return servicetest.SharedDatabase(t)
}

// crowd makes n people.
func crowd(t testing.TB, db *store.DB, n int) []chat.Person {
	t.Helper()
	var people []chat.Person
	var hashes []string
	for i := range n {
		people = append(people, chat.Person{ID: chat.UserID(fmt.Sprintf("U1wnr%07d", i)), Username: fmt.Sprint("u", i), Nickname: "x"})
		hashes = append(hashes, fmt.Sprint("h", i))
	}
	if err := db.AddUsers(context.Background(), people, hashes, 1); err != nil {
		t.Fatal(err)
	}
	return people
}

var benchRefs atomic.Int64

func appendPairs(t testing.TB, db *store.DB, people []chat.Person, size int, pair func() int) bool {
	ds := make([]chat.Draft, size)
	for i := range ds {
		p := 2 * pair()
		ref := fmt.Sprintf("%012x%08d", time.Now().UnixMilli(), benchRefs.Add(1))
		ds[i] = text(people[p].ID, chat.Direct(people[p].ID, people[p+1].ID), ref, "a text of about one hundred and twenty-eight bytes, which is what people write to each other on an ordinary working day, more or less")
	}
	if _, err := db.Append(context.Background(), ds); err != nil {
		t.Error(err)
		return false
	}
	return true
}

// cpu is the processor time of this process and of those it has started.
func cpu(t testing.TB) time.Duration {
	t.Helper()
	const tick = 10 * time.Millisecond // USER_HZ is 100 on every Linux
	var sum time.Duration
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		p, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		pid := strings.TrimSuffix(strings.TrimPrefix(name, "/proc/"), "/stat")
		f := strings.Fields(string(p[strings.LastIndexByte(string(p), ')')+1:]))
		if me := strconv.Itoa(os.Getpid()); pid != me && f[1] != me {
			continue
		}
		for _, s := range f[11:13] { // utime and stime
			n, err := strconv.Atoi(s)
			if err != nil {
				t.Fatal(err)
			}
			sum += time.Duration(n) * tick
		}
	}
	return sum
}
