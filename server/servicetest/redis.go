package servicetest

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// MasterName is what the Sentinel of RedisSentinel calls its master.
const MasterName = "kama"

// RedisSentinel starts a master, a replica of it, and a Sentinel that makes the
// replica the master soon after that has died. url is the Sentinel's.
func RedisSentinel(t testing.TB) (url string, master *Service) {
	t.Helper()
	master = Redis(t)
	host, port, _ := net.SplitHostPort(master.Addr)
	Redis(t, "--replicaof", host, port, "--repl-diskless-sync-delay", "0")
	s := service(t, "redis-sentinel")
	_, own, _ := net.SplitHostPort(s.Addr)
	conf := filepath.Join(t.TempDir(), "sentinel.conf")
	lines := []string{
		"bind " + host, "port " + own, "sentinel monitor " + MasterName + " " + host + " " + port + " 1",
		"sentinel down-after-milliseconds " + MasterName + " 500", "sentinel failover-timeout " + MasterName + " 5000",
	}
	if err := os.WriteFile(conf, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.command = []string{program(t, "redis-server"), conf, "--sentinel"}
	s.ping = master.ping
	s.Start()
	// A replica that it does not know of yet it can't promote.
	waitFor(t, "the Sentinel knows the replica", func() bool {
		out, _ := exec.Command(program(t, "redis-cli"), "-h", host, "-p", own, "SENTINEL", "replicas", MasterName).Output()
		return strings.Contains(string(out), "master-link-status\nok")
	})
	return "redis+sentinel://" + s.Addr + "/" + MasterName, master
}

// RedisCluster starts a Redis Cluster of three masters.
func RedisCluster(t testing.TB) (url string, masters []*Service) {
	t.Helper()
	var addrs []string
	for range 3 {
		bus, err := net.Listen("tcp", "127.0.0.1:0") // the port of its own is too high to add 10,000
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ := net.SplitHostPort(bus.Addr().String())
		bus.Close()
		s := Redis(t, "--cluster-enabled", "yes", "--cluster-port", port, "--cluster-node-timeout", "2000")
		masters, addrs = append(masters, s), append(addrs, s.Addr)
	}
	cli := program(t, "redis-cli")
	args := append(append([]string{"--cluster", "create"}, addrs...), "--cluster-yes")
	if out, err := exec.Command(cli, args...).CombinedOutput(); err != nil {
		t.Fatalf("create a cluster: %v\n%s", err, out)
	}
	for _, a := range addrs {
		host, port, _ := net.SplitHostPort(a)
		waitFor(t, "the cluster is complete", func() bool {
			out, _ := exec.Command(cli, "-h", host, "-p", port, "CLUSTER", "INFO").Output()
			return strings.Contains(string(out), "cluster_state:ok")
		})
	}
	return "redis+cluster://" + strings.Join(addrs, ","), masters
}

func waitFor(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(startWait); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited in vain: " + what)
		}
	}
}
