// Package config reads the program's flags and environment. Nothing else does.
package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// The commands.
const (
	Serve    = "serve"
	Migrate  = "migrate"
	Backup   = "backup"
	Restore  = "restore"
	Import   = "admin people import"
	RunBench = "bench"
	Version  = "version"
)

// A Config is what the program was asked to do and with what. Load has checked it.
type Config struct {
	Command string // one of the commands above
	File    string // of Import: the CSV file; of Backup and Restore: the backup
	Storage
	Serving
	Moving Moving        // of Migrate
	Admin  Administering // of Administer
	Saving Saving        // of Backup and Restore
	Bench  Bench
}

// Storage is where things are kept: for serve, migrate and admin.
type Storage struct {
	Data string `default:"./data" placeholder:"DIR" help:"Folder for the database file and what people upload."`
	DB   string `name:"db" placeholder:"DB" help:"Database: sqlite:PATH or mysql://user:pass@host:port/db (default: kamachat.db in the data folder)."`
}

// Moving is how migrate takes everything from one database to another. Without
// From it does not.
type Moving struct {
	From     string `placeholder:"DB" help:"Move everything from this database, as --db names it, while its server goes on (default: none, bring --db up to date)."`
	To       string `placeholder:"DB" help:"Move to this database, which is empty or what an earlier run has begun (default: none)."`
	Switch   bool   `help:"End the move: the old database takes nothing more, and the new one has everything."`
	Verify   bool   `help:"Compare both and write nothing."`
	Unswitch bool   `help:"Take a switch back, so that the old database can be used again; without --to also where the new one is gone."`
	Quiet    bool   `help:"Say nothing but what went wrong and how to go on after a switch."`
}

// Serving is how serve runs.
type Serving struct {
	Addr   string   `default:"127.0.0.1:8000" placeholder:"HOST:PORT" help:"Address to listen on."`
	Mode   string   `default:"channel" enum:"channel,kafka" placeholder:"MODE" help:"How messages travel: channel (one process, in memory) or kafka (through a topic that several nodes share)."`
	Kafka  []string `placeholder:"HOST:PORT" help:"Kafka brokers, for --mode kafka; may be repeated (default: none)."`
	Topic  string   `name:"kafka-topic" default:"kamachat.posts" placeholder:"NAME" help:"Topic for messages, one for each installation; made where it is missing. What can't be read goes to NAME.dead."`
	Redis  string   `placeholder:"URL" help:"Redis that several nodes share: redis://[user:password@]host:port[/db], redis+sentinel://host:port,host:port/master[/db], or redis+cluster://host:port,host:port; rediss… for TLS (default: none, one node)."`
	Prefix string   `name:"redis-prefix" default:"kamachat:" placeholder:"TEXT" help:"What all keys and channels in Redis begin with; one for each installation."`
	Cache  bool     `help:"Keep the newest messages of conversations in Redis, too; see docs/decisions/013-redis.md."`
	Node   int      `default:"0" placeholder:"N" help:"Number of this node, 0 to 1022, different for each that uses the same database."`
	Log    string   `default:"text" enum:"text,json" placeholder:"FORM" help:"Form of the log's lines: text, or json for programs that collect them."`
	Debug  string   `name:"debug-addr" placeholder:"HOST:PORT" help:"Private address for operators: metrics, profiles and health; it asks nobody for a password (default: none)."`
	Trace  string   `placeholder:"URL" help:"OpenTelemetry collector to send traces to, OTLP over HTTP, e.g. http://127.0.0.1:4318 (default: none)."`
	Origin []string `placeholder:"ORIGIN" help:"Further origins that browsers may come from, e.g. https://chat.example.org or *.example.org; may be repeated (default: this site only)."`
	Behind []string `name:"trusted-proxies" placeholder:"NETWORK" help:"Networks of proxies whose X-Forwarded-For is believed, beside this machine's own, e.g. 10.0.0.0/8 or 2001:db8::1; may be repeated (default: this machine only)."`
	Push   string   `default:"on" enum:"on,off,local" placeholder:"WHEN" help:"Notifications to browsers that asked for them, by way of the push services of their makers: on, off, or local, which also takes services on this machine and in private networks, for tests."`
	Hooks  string   `default:"on" enum:"on,off,local" placeholder:"WHEN" help:"Webhooks of groups: on, off, or local, which also calls addresses on this machine and in private networks."`
	Codes  string   `default:"off" placeholder:"HOW" help:"Sign-in by codes that are sent to phones: off, log (they are written into the log, for development), or the URL of a program that sends them; see docs/decisions/027-keys.md."`
	Files  string   `placeholder:"DIR" help:"Folder for what people upload; nodes that share a database must share it, too (default: files in the data folder)."`
	Rate   Rate     `name:"rate-limit" default:"20/s:200" placeholder:"RATE" help:"Messages per connection, and per person over all connections and HTTP: off (which switches the other limits on rates off, too), N/s or N/s:BURST."`

	Partitions  int32 `name:"kafka-partitions" default:"24" placeholder:"N" help:"Partitions of a topic that has to be made: the most nodes that can share the work. More can't be had later without mixing up the order of what is on its way."`
	Replication int16 `name:"kafka-replication" default:"0" placeholder:"N" help:"Brokers that keep each message of a topic that has to be made; 0 means three, or as many as there are."`

	AddressRate    Rate  `name:"rate-limit-per-address" default:"100/s:5000" placeholder:"RATE" help:"Requests to the API and new sockets per network address: off, N/s or N/s:BURST. People behind one proxy share an address."`
	MaxSockets     int   `name:"max-connections" default:"100000" placeholder:"N" help:"Sockets at a time in all, at most as many as files may be open."`
	MaxSocketsEach int   `name:"max-connections-per-person" default:"100" placeholder:"N" help:"Sockets at a time of one person; 0 means no limit."`
	MaxSocketsFrom int   `name:"max-connections-per-address" default:"0" placeholder:"N" help:"Sockets at a time from one network address; 0 means no limit, since people behind one proxy share an address."`
	Queue          int   `name:"queue" default:"4096" placeholder:"N" help:"Packets that may wait for one socket before it is closed as too slow."`
	MaxFrame       int64 `name:"max-frame" default:"65536" placeholder:"BYTES" help:"Size of one message from a client."`
	MaxUpload      int64 `name:"max-upload" default:"52428800" placeholder:"BYTES" help:"Size of one file that people send; twenty times that is what one person may upload in a day."`
}

// Bench is what the load generator does.
type Bench struct {
	URL       string        `name:"url" default:"http://127.0.0.1:8000" placeholder:"URL" help:"Server to load."`
	UsersFile string        `name:"users-file" placeholder:"FILE" help:"CSV that admin people import printed (default: register throw-away accounts)."`
	Workload  string        `default:"direct" enum:"direct,fanout,idle,history,storm" placeholder:"NAME" help:"What to do: direct, fanout, idle, history or storm."`
	Dialect   string        `default:"native" enum:"native,classic" placeholder:"NAME" help:"Protocol to speak: native, or classic, the seed's."`
	Pairs     int           `default:"100" placeholder:"N" help:"direct: pairs of people, of whom one writes and the other reads."`
	Members   int           `default:"100" placeholder:"N" help:"fanout: people in the group; idle, storm: connections."`
	Deaf      int           `default:"0" placeholder:"N" help:"fanout: so many more members who read nothing."`
	Senders   int           `default:"0" placeholder:"N" help:"fanout: members who write; 0 means all."`
	Inflight  int           `default:"8" placeholder:"N" help:"Messages one writer may have unacknowledged, or pages one reader may wait for."`
	PerSecond float64       `name:"rate" default:"0" placeholder:"N" help:"Messages a second of all writers, whatever the server does; 0 means as fast as they are acknowledged."`
	Pages     float64       `default:"0" placeholder:"N" help:"Pages of history a second, beside any load; 0 means none, or with history as fast as they come."`
	Readers   int           `default:"16" placeholder:"N" help:"Connections that read history."`
	Dialers   int           `default:"64" placeholder:"N" help:"Connections made at a time."`
	Duration  time.Duration `default:"10s" placeholder:"TIME" help:"How long to write, or to wait for a storm to pass."`
	Cut       string        `default:"connections" enum:"connections,term,kill" placeholder:"HOW" help:"storm: cut the connections, or end the first --server-pid by term or kill; you start it again."`
	Servers   []int         `name:"server-pid" placeholder:"PID" help:"The server's process on this machine, to tell what CPU time and memory it uses, and further ones of which the CPU time counts, such as its database."`
	Metrics   string        `placeholder:"URL" help:"The server's metrics, for its heap and goroutines (default: /metrics of --url)."`
	Sample    time.Duration `default:"1s" placeholder:"TIME" help:"Time between two looks at the server."`
	Floor     bool          `name:"floor-serve" help:"Load nothing, but serve a relay that stores nothing at --url, to be loaded for comparison, until stopped."`
	JSON      bool          `name:"json" help:"Print the result as JSON."`
}

// Uploads is the folder for what people upload: Files, or the one that stands
// for it when that is empty.
func (c Config) Uploads() string {
	if c.Files == "" {
		return filepath.Join(c.Data, "files")
	}
	return c.Files
}

// Database returns DB, or what stands for it when it is empty.
func (s Storage) Database() string {
	if s.DB == "" {
		return "sqlite:" + filepath.Join(s.Data, "kamachat.db")
	}
	return s.DB
}

// SafeDatabase is Database without the password, for logs.
func (s Storage) SafeDatabase() string { return Safe(s.Database()) }

// Safe is the address of a database without the password.
func Safe(db string) string {
	if u, err := url.Parse(db); err == nil && u.Scheme == "mysql" {
		return u.Redacted()
	}
	return db
}

// Validate says in one line what is wrong with s, or nil.
func (s Storage) Validate() error { return validDB("--db", s.DB) }

// Validate says in one line what is wrong with m, or nil.
func (m Moving) Validate() error {
	hows := 0
	for _, how := range []bool{m.Switch, m.Verify, m.Unswitch} {
		if how {
			hows++
		}
	}
	switch {
	case m.From == "" && (m.To != "" || hows > 0):
		return fmt.Errorf("--from: a move needs the database that it is from")
	case m.From != "" && m.To == "" && !m.Unswitch:
		return fmt.Errorf("--to: a move needs the database that it goes to")
	case m.From != "" && m.From == m.To:
		return fmt.Errorf("--to: that is the database of --from")
	case hows > 1:
		return fmt.Errorf("--switch, --verify, --unswitch: want one of them at most")
	}
	if err := validDB("--from", m.From); err != nil {
		return err
	}
	return validDB("--to", m.To)
}

// validDB says in one line what is wrong with the address of a database, or nil.
func validDB(flag, db string) error {
	if db == "" {
		return nil
	}
	if path, ok := strings.CutPrefix(db, "sqlite:"); ok {
		if path == "" {
			return fmt.Errorf("%s: sqlite: needs a path after it", flag)
		}
		return nil
	}
	// The value may hold a password: the error does not repeat it.
	u, err := url.Parse(db)
	if err != nil || u.Scheme != "mysql" || u.Hostname() == "" || strings.Trim(u.Path, "/") == "" {
		return fmt.Errorf("%s: want sqlite:PATH or mysql://user:pass@host:port/db", flag)
	}
	return nil
}

// Validate says in one line what is wrong with s, or nil.
func (s Serving) Validate() error {
	switch {
	case s.Mode == "kafka" && len(s.Kafka) == 0:
		return fmt.Errorf("--mode kafka: needs --kafka with the brokers, e.g. 127.0.0.1:9092")
	case s.Mode != "kafka" && len(s.Kafka) > 0:
		return fmt.Errorf("--kafka: only --mode kafka uses brokers; leave it out, or add that")
	case !validTopic(s.Topic):
		return fmt.Errorf("--kafka-topic: want 1 to 200 letters, digits, dots, _ or -")
	case s.Partitions < 1 || s.Partitions > 10_000:
		return fmt.Errorf("--kafka-partitions: want 1 to 10000")
	case s.Replication < 0 || s.Replication > 100:
		return fmt.Errorf("--kafka-replication: want 0 to 100")
	case s.Redis != "" && !validRedis(s.Redis):
		// The value may hold a password: the error does not repeat it.
		return fmt.Errorf("--redis: want redis://[user:password@]host:port[/db], redis+sentinel://host:port,…/master or redis+cluster://host:port,…, or rediss for redis")
	case s.Cache && s.Redis == "":
		return fmt.Errorf("--cache: needs --redis")
	case s.Prefix == "":
		return fmt.Errorf("--redis-prefix: want a text such as \"kamachat:\"")
	case s.Node < 0 || s.Node > maxNode:
		return fmt.Errorf("--node: want 0 to %d", maxNode)
	}
	for _, b := range s.Kafka {
		if !validAddr(b) {
			return fmt.Errorf("--kafka: want HOST:PORT, e.g. 127.0.0.1:9092, but got %q", b)
		}
	}
	if !validAddr(s.Addr) {
		return fmt.Errorf("--addr: want HOST:PORT, e.g. 127.0.0.1:8000, but got %q", s.Addr)
	}
	if s.Debug != "" && !validAddr(s.Debug) {
		return fmt.Errorf("--debug-addr: want HOST:PORT, e.g. 127.0.0.1:6060, but got %q", s.Debug)
	}
	// The values may hold a password: the errors do not repeat them.
	if u, err := url.Parse(s.Codes); s.Codes != "" && s.Codes != "off" && s.Codes != "log" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "") {
		return fmt.Errorf("--codes: want off, log, or the URL of a program that sends codes, e.g. https://sms.example.org/send")
	}
	if u, err := url.Parse(s.Trace); s.Trace != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "") {
		return fmt.Errorf("--trace: want the URL of an OpenTelemetry collector, e.g. http://127.0.0.1:4318")
	}
	for flag, bad := range map[string]bool{
		"max-connections: want at least 1": s.MaxSockets < 1, "max-connections-per-person: want 0 or more": s.MaxSocketsEach < 0,
		"max-connections-per-address: want 0 or more": s.MaxSocketsFrom < 0, "queue: want at least 16": s.Queue < 16,
		"max-frame: want at least 4096": s.MaxFrame < 4096, "max-upload: want at least 1 and at most 107374182400": s.MaxUpload < 1 || s.MaxUpload > 100<<30,
	} {
		if bad {
			return fmt.Errorf("--%s", flag)
		}
	}
	if _, err := s.Proxies(); err != nil {
		return err
	}
	for _, o := range s.Origin {
		if !validOrigin(o) {
			return fmt.Errorf("--origin: want an origin or a host pattern, e.g. https://chat.example.org or *.example.org, but got %q", o)
		}
	}
	return nil
}

// maxNode is the largest number of a server; the next, the largest in an id,
// belongs to commands that run beside one.
const maxNode = 1022

// validRedis reports whether u has the form of a Redis address.
func validRedis(u string) bool {
	scheme, rest, _ := strings.Cut(u, "://")
	base, kind, several := strings.Cut(scheme, "+")
	if several && (kind == "sentinel" || kind == "cluster") {
		// Of several hosts the first stands for all.
		first, more, _ := strings.Cut(rest, ",")
		if _, path, ok := strings.Cut(more, "/"); ok {
			first += "/" + path
		}
		u = base + "://" + first
	} else if several {
		return false
	}
	at, err := url.Parse(u)
	return err == nil && (at.Scheme == "redis" || at.Scheme == "rediss") && at.Hostname() != "" && (kind != "sentinel" || strings.Trim(at.Path, "/") != "")
}

// validAddr reports whether a is HOST:PORT to listen on.
func validAddr(a string) bool {
	_, port, err := net.SplitHostPort(a)
	_, perr := strconv.ParseUint(port, 10, 16)
	return err == nil && perr == nil
}

// validTopic reports whether t can name a topic of Kafka, and one more that is a little longer.
func validTopic(t string) bool {
	odd := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r))
	}
	return t != "" && len(t) <= 200 && !strings.ContainsFunc(t, odd) && t != "." && t != ".."
}

// validOrigin reports whether o is [scheme://]host[:port] and not a pattern
// that lets everybody in.
func validOrigin(o string) bool {
	scheme, host, ok := strings.Cut(o, "://")
	if !ok {
		scheme, host = "https", o
	}
	return (scheme == "http" || scheme == "https") && host != "" && host != "*" && !strings.ContainsAny(host, "/?#@ \\[")
}

// Proxies are the networks whose X-Forwarded-For is believed.
func (s Serving) Proxies() ([]netip.Prefix, error) {
	var ps []netip.Prefix
	for _, text := range s.Behind {
		p, err := netip.ParsePrefix(text)
		if ip, wrong := netip.ParseAddr(text); wrong == nil && ip.Zone() == "" {
			p, err = netip.PrefixFrom(ip, ip.BitLen()), nil
		}
		if err != nil || p.Addr().Is4In6() {
			return nil, fmt.Errorf("--trusted-proxies %s: want a network like 10.0.0.0/8, or an address", text)
		}
		ps = append(ps, p.Masked())
	}
	return ps, nil
}
