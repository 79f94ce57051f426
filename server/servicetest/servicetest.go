// Package servicetest starts the services that tests need, MariaDB, Redis and Kafka,
// each as a process of its own with a folder of its own: a test may stop or
// kill it and start it again without disturbing another. For tests alone.
package servicetest

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql" // to make databases
)

// A Service is one process. Its methods fail the test where they can't do what they say.
type Service struct {
	Addr string // host:port, the same after a restart

	t       testing.TB
	name    string
	command []string
	ping    func(addr string) error
	cmd     *exec.Cmd
	ended   chan struct{} // closed when cmd has ended
	log     string        // file of its output
}

// startWait bounds how long a service may take to answer: generous, since a
// service that is not there fails the test anyway.
const startWait = 60 * time.Second

// MariaDB starts a database server with what could trip a careless program: a
// default character set that is not Unicode and a time zone far from UTC.
func MariaDB(t testing.TB, options ...string) *Service {
	t.Helper()
	s := service(t, "mariadbd")
	data := filepath.Join(t.TempDir(), "data")
	tmp := "--tmpdir=" + t.TempDir() // a server that starts removes the temporary tables of others in the same folder
	install := exec.Command(program(t, "mariadb-install-db"), "--no-defaults", "--datadir="+data, "--auth-root-authentication-method=normal",
		"--skip-test-db", "--user="+user(), tmp)
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("mariadb-install-db: %v\n%s", err, out)
	}
	users := filepath.Join(data, "users.sql")
	if err := os.WriteFile(users, []byte("CREATE USER IF NOT EXISTS 'kama'@'%' IDENTIFIED BY 'kama';\nGRANT ALL ON *.* TO 'kama'@'%' WITH GRANT OPTION;\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(s.Addr)
	s.command = append([]string{
		program(t, "mariadbd"), "--no-defaults", "--user=" + user(), "--datadir=" + data, tmp, "--socket=" + filepath.Join(data, "s"),
		"--pid-file=" + filepath.Join(data, "pid"), "--bind-address=" + host, "--port=" + port, "--init-file=" + users,
		"--skip-name-resolve", "--character-set-server=latin1", "--collation-server=latin1_swedish_ci", "--default-time-zone=+05:30",
		"--innodb-flush-log-at-trx-commit=1", "--max-connections=200", "--performance-schema=OFF",
	}, options...)
	s.ping = func(addr string) error {
		db, err := sql.Open("mysql", "kama:kama@tcp("+addr+")/")
		if err != nil {
			return err
		}
		defer db.Close()
		return db.Ping()
	}
	s.Start()
	return s
}

var databases atomic.Int64

// Database makes an empty database on a MariaDB and returns its mysql:// address.
func (s *Service) Database() string {
	s.t.Helper()
	db, err := sql.Open("mysql", "kama:kama@tcp("+s.Addr+")/")
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	name := fmt.Sprint("kama", databases.Add(1))
	if _, err := db.Exec("CREATE DATABASE " + name); err != nil {
		s.t.Fatal(err)
	}
	return "mysql://kama:kama@" + s.Addr + "/" + name
}

// Redis starts a Redis that keeps nothing on disk.
func Redis(t testing.TB, options ...string) *Service {
	t.Helper()
	s := service(t, "redis-server")
	host, port, _ := net.SplitHostPort(s.Addr)
	s.command = append([]string{program(t, "redis-server"), "--bind", host, "--port", port, "--save", "", "--appendonly", "no", "--dir", t.TempDir()}, options...)
	s.ping = func(addr string) error {
		c, err := net.DialTimeout("tcp", addr, time.Second)
		if err != nil {
			return err
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(time.Second))
		if _, err := c.Write([]byte("PING\r\n")); err != nil {
			return err
		}
		p := make([]byte, 7)
		n, err := c.Read(p)
		if err == nil && string(p[:n]) != "+PONG\r\n" {
			err = fmt.Errorf("answered %q", p[:n])
		}
		return err
	}
	s.Start()
	return s
}

// URL is the address of a Redis.
func (s *Service) URL() string { return "redis://" + s.Addr + "/0" }

// Start starts the process and waits until it answers.
func (s *Service) Start() {
	s.t.Helper()
	s.launch()
	s.wait()
}

func (s *Service) launch() {
	s.t.Helper()
	out, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	defer out.Close()
	s.cmd = exec.Command(s.command[0], s.command[1:]...)
	s.cmd.Stdout, s.cmd.Stderr = out, out
	s.cmd.SysProcAttr = dieWithThread()
	cmd, started, ended := s.cmd, make(chan error), make(chan struct{})
	s.ended = ended
	go func() {
		// The process ends with the thread that started it, however that ends.
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
		close(ended)
	}()
	if err := <-started; err != nil {
		s.t.Fatalf("%s: %v", s.name, err)
	}
}

func (s *Service) wait() {
	s.t.Helper()
	ended := s.ended
	ctx, cancel := context.WithTimeout(context.Background(), startWait)
	defer cancel()
	for {
		err := s.ping(s.Addr)
		if err == nil {
			return
		}
		select {
		case <-ended:
			s.t.Fatalf("%s ended at once:\n%s", s.name, s.output())
		case <-ctx.Done():
			s.t.Fatalf("%s does not answer: %v\n%s", s.name, err, s.output())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Stop asks the process to end and waits until it has.
func (s *Service) Stop() { s.end(syscall.SIGTERM) }

// Kill ends the process at once.
func (s *Service) Kill() { s.end(syscall.SIGKILL) }

// Pause stops the process in its tracks: connections stay open and nothing answers. Resume lets it go on.
func (s *Service) Pause() { _ = s.cmd.Process.Signal(syscall.SIGSTOP) }

// Resume lets a paused process go on.
func (s *Service) Resume() { _ = s.cmd.Process.Signal(syscall.SIGCONT) }

func (s *Service) end(sig syscall.Signal) {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(sig)
	<-s.ended
	s.cmd = nil
}

func (s *Service) output() string {
	p, _ := os.ReadFile(s.log)
	return string(p[max(0, len(p)-4000):])
}

func service(t testing.TB, name string) *Service {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	s := &Service{t: t, name: name, Addr: ln.Addr().String(), log: filepath.Join(t.TempDir(), name+".log")}
	t.Cleanup(s.Kill)
	return s
}

// program finds a program. Where everything is required, one that is missing is
// a failure.
func program(t testing.TB, name string) string {
	t.Helper()
	for _, dir := range []string{"", "/usr/sbin/", "/usr/local/sbin/"} {
		if path, err := exec.LookPath(dir + name); err == nil {
			return path
		}
	}
	if os.Getenv("KAMACHAT_REQUIRE") == "all" {
		t.Fatalf("%s is missing: tools/services.sh installs it", name)
	}
	t.Skipf("%s is missing: tools/services.sh installs it", name)
	return ""
}

func user() string {
	if os.Getuid() == 0 {
		return "root"
	}
	return os.Getenv("USER")
}
