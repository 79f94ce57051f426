package redis_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"kamachat/server/redis"
	"kamachat/server/room"
	"kamachat/server/servicetest"
	"kamachat/server/store"
	"kamachat/server/store/storetest"
	"kamachat/shared/chat"
)

// BenchmarkHistory reads the newest 50 entries of conversations that are all
// cached, from the store alone and through the cache, three times each in turn,
// and then commits with both. cpu-µs is the time on processors of this process,
// the database and Redis together. The figures are in docs/decisions/013-redis.md:
//
//	go test ./server/redis -run - -bench History -benchtime 4000x
func BenchmarkHistory(b *testing.B) {
	for name, open := range map[string]func(testing.TB) string{
		"sqlite":  func(t testing.TB) string { return "sqlite:" + t.TempDir() + "/kamachat.db" },
		"mariadb": func(t testing.TB) string { return servicetest.MariaDB(t).Database() },
	} {
		b.Run(name, func(b *testing.B) {
			db, convs := filled(b, open(b))
			c, err := redis.Open(b.Context(), redis.Config{URL: servicetest.Redis(b).URL()})
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			cache := redis.NewCache(c, db, "1")
			defer cache.Close()
			for _, conv := range convs {
				if _, err := cache.Before(b.Context(), conv, 0, 100); err != nil {
					b.Fatal(err)
				}
			}
			modes := []string{"store", "cache"}
			logs := map[string]redis.Log{"store": db, "cache": cache}
			for _, readers := range []int{1, 8} {
				for round := range 3 {
					for _, mode := range modes {
						b.Run(fmt.Sprintf("readers=%d/%s/%d", readers, mode, round), func(b *testing.B) { readNewest(b, logs[mode], convs, readers) })
					}
				}
			}
			for round := range 3 {
				for _, mode := range modes {
					b.Run(fmt.Sprintf("commit/%s/%d", mode, round), func(b *testing.B) {
						told := cache.Committed
						if mode == "store" {
							told = func([]chat.Receipt) {}
						}
						before := cpu(b)
						b.ResetTimer()
						commit(b, db, convs, b.N, told)
						for cache.Len() > 0 {
							time.Sleep(time.Millisecond)
						}
						b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs")
					})
				}
			}
		})
	}
}

func readNewest(b *testing.B, log redis.Log, convs []chat.ConvID, readers int) {
	took := make([]time.Duration, b.N)
	before := cpu(b)
	b.ResetTimer()
	var wg sync.WaitGroup
	for r := range readers {
		wg.Go(func() {
			for i := r; i < b.N; i += readers {
				began := time.Now()
				p, err := log.Before(context.Background(), convs[rand.IntN(len(convs))], 0, 50)
				took[i] = time.Since(began)
				if err != nil || len(p.Entries) != 50 {
					b.Errorf("%d entries, %v", len(p.Entries), err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs")
}

// commit commits n texts in batches of 32.
func commit(b *testing.B, s room.Store, convs []chat.ConvID, n int, told func([]chat.Receipt)) {
	ref := fmt.Sprint("r", time.Now().UnixNano())
	for refs := 0; refs < n; {
		var ds []chat.Draft
		for range 32 {
			refs++
			conv := convs[refs%len(convs)]
			x, _, _ := conv.Pair()
			ds = append(ds, chat.Draft{Conv: conv, Author: x, Ref: fmt.Sprintf("%s-%09d", ref, refs), Content: chat.TextContent(strings.Repeat("x", 128))})
		}
		rs, err := s.Append(b.Context(), ds)
		if err != nil {
			b.Fatal(err)
		}
		told(rs)
	}
}

// filled opens a database with 100 direct conversations of 300 texts.
func filled(b *testing.B, dsn string) (*store.DB, []chat.ConvID) {
	b.Helper()
	ids := storetest.IDs()
	db := storetest.Open(b, dsn, store.Options{ID: ids.Next})
	var people []chat.Person
	var hashes []string
	for i := range 200 {
		people = append(people, chat.Person{ID: ids.NewUser(), Username: fmt.Sprint("u", i), Nickname: "x"})
		hashes = append(hashes, fmt.Sprint("h", i))
	}
	if err := db.AddUsers(b.Context(), people, hashes, 1); err != nil {
		b.Fatal(err)
	}
	var convs []chat.ConvID
	for i := 0; i < len(people); i += 2 {
		convs = append(convs, chat.Direct(people[i].ID, people[i+1].ID))
	}
	commit(b, db, convs, 300*len(convs), func([]chat.Receipt) {})
	return db, convs
}

// cpu is how long this process and the services that it started have been on processors.
func cpu(t testing.TB) time.Duration {
	t.Helper()
	const tick = 10 * time.Millisecond // USER_HZ is 100 on every Linux
	var sum time.Duration
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	me := strconv.Itoa(os.Getpid())
	for _, name := range stats {
		p, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		pid := filepath.Base(filepath.Dir(name))
		f := strings.Fields(string(p[strings.LastIndexByte(string(p), ')')+1:]))
		if pid != me && f[1] != me {
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
