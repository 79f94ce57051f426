package bench

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
)

func TestServerIsWatched(t *testing.T) {
	metrics := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "# HELP go_goroutines How many.\ngo_goroutines 12\ngo_memstats_heap_inuse_bytes 2.097152e+06\n")
	}))
	defer metrics.Close()
	me := os.Getpid() // the floor is in this process
	rep, err := against(t, Config{Workload: Direct, Pairs: 2, InFlight: 4, Servers: []int{me}, Metrics: metrics.URL}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := rep.Server
	if s == nil || s.First.RSS == 0 || s.Max.RSS < s.First.RSS || s.Last.Files <= s.Before.Files || s.Last.Goroutines != 12 || s.Max.Heap != 2048 {
		t.Fatalf("got %+v", s)
	}
	one := rep.CPUPer1000
	rep, err = against(t, Config{Workload: Direct, Pairs: 2, InFlight: 4, Servers: []int{me, me, me, me}}, nil)
	if err != nil || rep.Server.CPU <= 0 || one <= 0 {
		t.Errorf("got %v, %+v", err, rep.Server)
	}
	if _, err := against(t, Config{Workload: Idle, Members: 1, Servers: []int{1 << 30}}, nil); err == nil {
		t.Error("a process that is not there was watched")
	}
}
