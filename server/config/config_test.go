package config

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// env returns a getenv over pairs of name and value.
func env(kv ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(kv); i += 2 {
			if kv[i] == name {
				return kv[i+1]
			}
		}
		return ""
	}
}

func TestDefaultsServe(t *testing.T) {
	got, err := Load(nil, env())
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Command: Serve,
		Storage: Storage{Data: "./data"},
		Serving: Serving{
			Addr: "127.0.0.1:8000", Mode: "channel", Topic: "kamachat.posts", Partitions: 24, Prefix: "kamachat:", Push: "on", Log: "text", Hooks: "on", Codes: "off", Rate: Rate{20, 200}, AddressRate: Rate{100, 5000},
			MaxSockets: 100_000, MaxSocketsEach: 100, Queue: 4096, MaxFrame: 65536, MaxUpload: 50 << 20,
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got, want := got.Uploads(), "data/files"; got != want {
		t.Errorf("the folder for files is %q, want %q", got, want)
	}
	if got, want := got.Database(), "sqlite:data/kamachat.db"; got != want {
		t.Errorf("database is %q, want %q", got, want)
	}
}

func TestFlagsAndEnvironmentAreRead(t *testing.T) {
	for name, c := range map[string]struct {
		args string
		env  []string
		want func(Config) any
		is   any
	}{
		"flag without a command": {"--addr :9000", nil, func(c Config) any { return c.Addr }, ":9000"},
		"a backup's file":        {"backup --files /f out", nil, func(c Config) any { return c.Command + " " + c.File + " " + c.Uploads() }, "backup out /f"},
		"a restore's flags": {"restore in --force --end-tokens --data /d", nil, func(c Config) any {
			return c.Command == Restore && c.File == "in" && c.Saving == Saving{Force: true, EndTokens: true} && c.Uploads() == "/d/files"
		}, true},
		"flag after serve":         {"serve --addr :9000", nil, func(c Config) any { return c.Addr }, ":9000"},
		"environment":              {"", []string{"KAMACHAT_ADDR", ":7"}, func(c Config) any { return c.Addr }, ":7"},
		"the flag wins":            {"--addr :9", []string{"KAMACHAT_ADDR", ":7"}, func(c Config) any { return c.Addr }, ":9"},
		"environment of two words": {"", []string{"KAMACHAT_RATE_LIMIT", "off"}, func(c Config) any { return c.Rate.Off() }, true},
		"debug addr":               {"--debug-addr [::1]:6060", nil, func(c Config) any { return c.Debug }, "[::1]:6060"},
		"trace from environment":   {"", []string{"KAMACHAT_TRACE", "https://c:4318"}, func(c Config) any { return c.Trace }, "https://c:4318"},
		"rate":                     {"--rate-limit 5/s", nil, func(c Config) any { return c.Rate }, Rate{5, 50}},
		"highest rate":             {"--rate-limit 1000000/s", nil, func(c Config) any { return c.Rate }, Rate{1e6, 1e6}},
		"rate with burst":          {"--rate-limit 0.5/s:3", nil, func(c Config) any { return c.Rate }, Rate{0.5, 3}},
		"log":                      {"--log json", nil, func(c Config) any { return c.Log }, "json"},
		"hooks":                    {"--hooks local", nil, func(c Config) any { return c.Hooks }, "local"},
		"codes":                    {"--codes https://u:p@sms.example/send", nil, func(c Config) any { return c.Codes }, "https://u:p@sms.example/send"},
		"push":                     {"--push local", nil, func(c Config) any { return c.Push }, "local"},
		"files":                    {"--files /shared --data /d", nil, func(c Config) any { return c.Uploads() }, "/shared"},
		"files in the data folder": {"--data /d", nil, func(c Config) any { return c.Uploads() }, "/d/files"},
		"files from environment":   {"", []string{"KAMACHAT_FILES", "/s"}, func(c Config) any { return c.Uploads() }, "/s"},
		"max upload":               {"--max-upload 1000", nil, func(c Config) any { return c.MaxUpload }, int64(1000)},
		"max upload from the env":  {"", []string{"KAMACHAT_MAX_UPLOAD", "7"}, func(c Config) any { return c.MaxUpload }, int64(7)},
		"redis":                    {"--redis rediss://u:p@h:1/2 --node 3 --cache", nil, func(c Config) any { return c.Node == 3 && c.Cache && c.Redis == "rediss://u:p@h:1/2" }, true},
		"redis behind sentinels":   {"--redis redis+sentinel://u:p@h:1,g:2/kama/1", nil, func(c Config) any { return c.Redis }, "redis+sentinel://u:p@h:1,g:2/kama/1"},
		"redis cluster":            {"--redis rediss+cluster://h:1,g:2?read_timeout=1s", nil, func(c Config) any { return c.Redis }, "rediss+cluster://h:1,g:2?read_timeout=1s"},
		"origins repeated":         {"--origin https://a.org --origin *.b.org", nil, func(c Config) any { return strings.Join(c.Origin, " ") }, "https://a.org *.b.org"},
		"proxies":                  {"--trusted-proxies 10.1.2.3/8 --trusted-proxies ::1", nil, func(c Config) any { ps, err := c.Proxies(); return fmt.Sprint(ps, err) }, "[10.0.0.0/8 ::1/128] <nil>"},
		"origins from environment": {"", []string{"KAMACHAT_ORIGIN", "https://a.org,b.org"}, func(c Config) any { return strings.Join(c.Origin, " ") }, "https://a.org b.org"},
		"import":                   {"admin people import x.csv --data /d", nil, func(c Config) any { return c.Command + " " + c.File + " " + c.Database() }, Import + " x.csv sqlite:/d/kamachat.db"},
		"import from environment":  {"admin people import x.csv", []string{"KAMACHAT_DB", "sqlite:/y.db"}, func(c Config) any { return c.Database() }, "sqlite:/y.db"},
		"people":                   {"admin people --search an --sort seen --json --data /d", nil, func(c Config) any { return []any{c.Command, c.Admin, c.Data} }, []any{Administer, Administering{What: "people", Search: "an", Sort: "seen", Limit: 1000, JSON: true}, "/d"}},
		"groups":                   {"admin groups --only ended", nil, func(c Config) any { return c.Admin }, Administering{What: "groups", Sort: "name", Only: "ended", Limit: 1000}},
		"audit of days": {"admin audit --what disable --target bob --since 2026-03-01 --until 2026-03-31", nil, func(c Config) any { return c.Admin }, Administering{
			What: "audit", Act: "disable", Target: "bob", Limit: 100,
			Since: time.Date(2026, 3, 1, 0, 0, 0, 0, time.Local).UnixMilli(), Until: time.Date(2026, 4, 1, 0, 0, 0, 0, time.Local).UnixMilli(),
		}},
		"audit":            {"admin audit --by root --limit 5", nil, func(c Config) any { return c.Admin }, Administering{What: "audit", By: "root", Limit: 5}},
		"disable":          {"admin disable ann --db sqlite:/y.db", nil, func(c Config) any { return []any{c.Admin, c.DB} }, []any{Administering{What: "disable", Name: "ann"}, "sqlite:/y.db"}},
		"reset a password": {"admin reset-password ann --json", nil, func(c Config) any { return c.Admin }, Administering{What: "reset-password", Name: "ann", JSON: true}},
		"delete":           {"admin delete ann --erase --yes", nil, func(c Config) any { return c.Admin }, Administering{What: "delete", Name: "ann", Erase: true, Yes: true}},
		"settings":         {"admin settings --json --data /d", nil, func(c Config) any { return []any{c.Command, c.Admin, c.Data} }, []any{Administer, Administering{What: "settings", JSON: true}, "/d"}},
		"set":              {"admin set max_group 50", nil, func(c Config) any { return c.Admin }, Administering{What: "set", Name: "max_group", Value: "50"}},
		"invite":           {"admin invite --note choir", nil, func(c Config) any { return c.Admin }, Administering{What: "invite", Note: "choir", Most: 1, Days: 14}},
		"uninvite":         {"admin uninvite ABC --db sqlite:/y.db", nil, func(c Config) any { return []any{c.Admin, c.DB} }, []any{Administering{What: "uninvite", Name: "ABC"}, "sqlite:/y.db"}},
		"reports":          {"admin reports --closed --limit 5", nil, func(c Config) any { return c.Admin }, Administering{What: "reports", Closed: true, Limit: 5}},
		"settle":           {"admin settle 7 remove --yes", nil, func(c Config) any { return c.Admin }, Administering{What: "settle", ID: 7, Value: "remove", Yes: true}},
		"cancel":           {"admin cancel 7 --json", nil, func(c Config) any { return c.Admin }, Administering{What: "cancel", ID: 7, JSON: true}},
		"dismiss":          {"admin dismiss Walk", nil, func(c Config) any { return c.Admin }, Administering{What: "dismiss", Name: "Walk"}},
		"migrate mysql":    {"migrate --db mysql://u:p@h:3306/k", nil, func(c Config) any { return c.Command + " " + c.SafeDatabase() }, "migrate mysql://u:xxxxx@h:3306/k"},
		"move":             {"migrate --from sqlite:a.db --to mysql://u:p@h/k --switch --quiet", nil, func(c Config) any { return c.Moving }, Moving{From: "sqlite:a.db", To: "mysql://u:p@h/k", Switch: true, Quiet: true}},
		"bench": {"bench --pairs 3 --duration 500ms --json", nil, func(c Config) any {
			return c.Bench.Pairs == 3 && c.Bench.Duration == 500*time.Millisecond && c.Bench.JSON
		}, true},
		"version":                   {"version", nil, func(c Config) any { return c.Command }, Version},
		"other commands let bad be": {"version", []string{"KAMACHAT_MODE", "x"}, func(c Config) any { return c.Command }, Version},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Load(strings.Fields(c.args), env(c.env...))
			if err != nil {
				t.Fatal(err)
			}
			if got := c.want(got); !reflect.DeepEqual(got, c.is) {
				t.Errorf("got %v, want %v", got, c.is)
			}
		})
	}
}

func TestBadValuesEndWithOneClearLine(t *testing.T) {
	for name, c := range map[string]struct {
		args string
		env  []string
		says string
	}{
		"unknown flag":        {"--nope", nil, "--nope"},
		"unknown command":     {"fly", nil, "fly"},
		"mode":                {"--mode pigeon", nil, "--mode"},
		"mode by environment": {"", []string{"KAMACHAT_MODE", "pigeon"}, "--mode"},
		"kafka":               {"--mode kafka", nil, "needs --kafka"},
		"log":                 {"--log xml", nil, "--log"},
		"hooks":               {"--hooks maybe", nil, "--hooks"},
		"codes":               {"--codes ftp://u:hunter2@sms.example", nil, "--codes"},
		"push":                {"--push maybe", nil, "--push"},
		"redis":               {"--redis http://u:secret@x", nil, "--redis"},
		"redis without host":  {"--redis redis://:secret@/1", nil, "--redis"},
		"no master":           {"--redis redis+sentinel://h:1,g:2", nil, "--redis"},
		"kind of redis":       {"--redis redis+ring://h:1", nil, "--redis"},
		"cluster without one": {"--redis redis+cluster://,h:1", nil, "--redis"},
		"cache alone":         {"--cache", nil, "--cache: needs --redis"},
		"redis prefix":        {"--redis-prefix=", nil, "--redis-prefix"},
		"node":                {"--node 1023", nil, "0 to 1022"},
		"node below 0":        {"--node=-1", nil, "0 to 1022"},
		"addr":                {"--addr 8000", nil, "--addr"},
		"port":                {"--addr 127.0.0.1:99999", nil, "--addr"},
		"no port":             {"--addr 127.0.0.1:", nil, "--addr"},
		"debug addr":          {"--debug-addr 6060", nil, "--debug-addr"},
		"trace":               {"--trace localhost:4318", nil, "--trace"},
		"trace with password": {"--trace ftp://u:secret@h", nil, "--trace"},
		"kafka brokers":       {"--kafka localhost:9092", nil, "only --mode kafka uses brokers"},
		"kafka address":       {"--mode kafka --kafka localhost", nil, "want HOST:PORT"},
		"kafka topic":         {"--kafka-topic a/b", nil, "--kafka-topic: want"},
		"kafka partitions":    {"--kafka-partitions 0", nil, "want 1 to 10000"},
		"kafka replication":   {"--kafka-replication=-1", nil, "want 0 to 100"},
		"rate":                {"--rate-limit fast", nil, "N/s:BURST"},
		"rate of nothing":     {"--rate-limit 0/s", nil, "N/s:BURST"},
		"burst":               {"--rate-limit 5/s:0", nil, "N/s:BURST"},
		"burst of too many":   {"--rate-limit 5/s:1000001", nil, "1000000"},
		"rate by environment": {"", []string{"KAMACHAT_RATE_LIMIT", "fast"}, "N/s:BURST"},
		"db":                  {"--db postgres://u:secret@h/d", nil, "--db"},
		"db without name":     {"--db mysql://u:secret@h:1", nil, "--db"},
		"sqlite without path": {"--db sqlite:", nil, "--db"},
		"move from nothing":   {"migrate --to mysql://u:secret@h/d", nil, "--from"},
		"move to nothing":     {"migrate --from mysql://u:secret@h/d --switch", nil, "--to"},
		"move to itself":      {"migrate --from mysql://u:secret@h/d --to mysql://u:secret@h/d", nil, "--to"},
		"move from what":      {"migrate --from postgres://u:secret@h/d --to sqlite:a", nil, "--from: want"},
		"move how":            {"migrate --from sqlite:b --to sqlite:a --switch --unswitch", nil, "want one of them"},
		"every origin":        {"--origin *", nil, "--origin"},
		"no connections":      {"--max-connections 0", nil, "--max-connections"},
		"fewer than none":     {"--max-connections-per-person=-1", nil, "--max-connections-per-person"},
		"minus one address":   {"--max-connections-per-address=-1", nil, "--max-connections-per-address"},
		"no queue":            {"--queue 0", nil, "--queue"},
		"tiny frames":         {"--max-frame 10", nil, "--max-frame"},
		"no upload":           {"--max-upload 0", nil, "--max-upload"},
		"endless upload":      {"--max-upload 999999999999999", nil, "--max-upload"},
		"no network":          {"--trusted-proxies 10.0.0.0/99", nil, "--trusted-proxies"},
		"a name":              {"--trusted-proxies proxy.lan", nil, "--trusted-proxies"},
		"origin with a path":  {"--origin https://a.org/x", nil, "--origin"},
		"import of nothing":   {"admin people import", nil, "file"},
		"settle as":           {"admin settle 7 burn", nil, "must be one of"},
		"settle what":         {"admin settle x settled", nil, "id"},
		"bench":               {"bench --pairs many", nil, "--pairs"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(strings.Fields(c.args), env(c.env...))
			var x *Exit
			if !errors.As(err, &x) {
				t.Fatalf("got %v, want an *Exit", err)
			}
			if x.Code != 2 || strings.Contains(x.Words, "\n") || !strings.Contains(x.Words, c.says) {
				t.Errorf("got code %d and %q, want 2 and a line with %q", x.Code, x.Words, c.says)
			}
			if strings.Contains(x.Words, "secret") {
				t.Errorf("%q tells the password", x.Words)
			}
		})
	}
}

func TestHelpExplainsEachFlagWithItsDefault(t *testing.T) {
	_, err := Load([]string{"serve", "--help"}, env())
	var x *Exit
	if !errors.As(err, &x) || x.Code != 0 {
		t.Fatalf("got %v, want an *Exit with code 0", err)
	}
	help := strings.Join(strings.Fields(x.Words), " ")
	for _, want := range []string{
		"--addr", "(default: 127.0.0.1:8000)", "KAMACHAT_ADDR", "--data", "(default: ./data)", "--db", "--redis",
		"--mode", "(default: channel)", "--kafka", "--debug-addr", "--trace", "--origin", "--rate-limit", "(default: 20/s:200)",
	} {
		if !strings.Contains(help, want) {
			t.Errorf("the help lacks %q", want)
		}
	}
	if t.Failed() {
		t.Log(x.Words)
	}
}
