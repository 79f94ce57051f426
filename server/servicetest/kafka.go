package servicetest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Kafka starts n brokers, 1 or 3, that are their own controllers (KRaft). A
// topic of three replicas stays writable while one of three brokers is away.
func Kafka(t testing.TB, n int) []*Service {
	t.Helper()
	libs := kafkaLibs(t)
	java := program(t, "java")
	dir := t.TempDir()
	brokers, voters := make([]*Service, n), make([]string, n)
	control := make([]string, n)
	for i := range brokers {
		brokers[i] = service(t, "kafka")
		control[i] = freeAddr(t)
		voters[i] = fmt.Sprintf("%d@%s", i+1, control[i])
	}
	for i, s := range brokers {
		home := filepath.Join(dir, fmt.Sprint("broker", i+1))
		if err := os.Mkdir(home, 0o700); err != nil {
			t.Fatal(err)
		}
		properties := filepath.Join(home, "server.properties")
		if err := os.WriteFile(properties, []byte(strings.Join([]string{
			"process.roles=broker,controller",
			fmt.Sprint("node.id=", i+1),
			"listeners=PLAINTEXT://" + s.Addr + ",CONTROLLER://" + control[i],
			"advertised.listeners=PLAINTEXT://" + s.Addr,
			"controller.listener.names=CONTROLLER",
			"controller.quorum.voters=" + strings.Join(voters, ","),
			"log.dirs=" + filepath.Join(home, "data"),
			fmt.Sprint("offsets.topic.replication.factor=", n),
			"offsets.topic.num.partitions=4",
			"transaction.state.log.replication.factor=1",
			"transaction.state.log.min.isr=1",
			"auto.create.topics.enable=false",
			"group.initial.rebalance.delay.ms=0",
			"broker.session.timeout.ms=6000",
			"",
		}, "\n")), 0o600); err != nil {
			t.Fatal(err)
		}
		format := exec.Command(java, "-cp", libs, "kafka.tools.StorageTool", "format", "-t", "a2FtYWNoYXQtZm9yLXRlcw", "-c", properties)
		if out, err := format.CombinedOutput(); err != nil {
			t.Fatalf("format the storage: %v\n%s", err, out)
		}
		s.command = []string{java, "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", libs, "kafka.Kafka", properties}
		s.ping = func(addr string) error {
			c, err := net.DialTimeout("tcp", addr, time.Second)
			if err == nil {
				_ = c.Close()
			}
			return err
		}
	}
	// Brokers answer once most of them are there: none is waited for alone.
	for _, s := range brokers {
		s.launch()
	}
	for _, s := range brokers {
		s.wait()
	}
	return brokers
}

// Addrs returns the addresses of services.
func Addrs(ss []*Service) []string {
	out := make([]string, len(ss))
	for i, s := range ss {
		out[i] = s.Addr
	}
	return out
}

// kafkaLibs is the class path of a broker, which tools/services.sh fetches.
func kafkaLibs(t testing.TB) string {
	t.Helper()
	at, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; at != filepath.Dir(at); at = filepath.Dir(at) {
		dir := filepath.Join(at, "tools", "kafka", "libs")
		if found, _ := filepath.Glob(filepath.Join(dir, "kafka_2.13-*.jar")); len(found) > 0 {
			return filepath.Join(dir, "*")
		}
	}
	if os.Getenv("KAMACHAT_REQUIRE") == "all" {
		t.Fatal("Kafka is missing: tools/services.sh fetches it")
	}
	t.Skip("Kafka is missing: tools/services.sh fetches it")
	return ""
}

func freeAddr(t testing.TB) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}
