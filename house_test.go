package kamachat_test

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"kamachat"
)

// Bounds of the house. The reasons are in docs/decisions/001-house.md.
const (
	maxWasmBest = 1_520_000 // bytes of app.wasm.br as released (brotli 11)
	maxWasmFast = 1_800_000 // bytes of app.wasm.br as built for tests (brotli 5): the same program
	maxWasmGzip = 2_200_000 // bytes of app.wasm.gz, either way
	maxCSS      = 30_000    // bytes of the app's style sheet
	maxPagesCSS = 20_000    // bytes of that of the pages beside it: settings, administration
	maxLines    = 500       // of a source file that people write
)

// mayImport says, room by room, what else than the standard library a room may
// import. A name that ends in "/" allows everything below it. Rooms are found
// by their longest prefix here; a package in none of them fails the test.
var mayImport = map[string][]string{
	"kamachat":              {},
	"kamachat/shared/":      {"kamachat/shared/"},
	"kamachat/shared/words": {},
	"kamachat/shared/icons": {},

	"kamachat/ui":       {"kamachat/ui/", "kamachat/shared/", goApp},
	"kamachat/ui/state": {"kamachat/shared/"},
	"kamachat/ui/link":  {"kamachat/ui/state", "kamachat/shared/chat", "kamachat/shared/wire", "github.com/coder/websocket/"},
	"kamachat/ui/local": {"kamachat/ui/state", "kamachat/shared/"},
	"kamachat/ui/view":  {"kamachat/ui/state", "kamachat/shared/chat", "kamachat/shared/find", "kamachat/shared/call", "kamachat/shared/told", "kamachat/shared/words", "kamachat/shared/icons", goApp},
	"kamachat/server":   {"kamachat", "kamachat/server/", "kamachat/shared/", "golang.org/x/time/", "github.com/coder/websocket/"},
	"kamachat/tools/":   {"github.com/andybalholm/brotli/"},
	// An example, which people copy: it needs nothing.
	"kamachat/docs/": {},
	// It makes large databases to measure on, by the server's own store.
	"kamachat/tools/fill": {"kamachat", "kamachat/server/account", "kamachat/server/store", "kamachat/shared/"},
	"kamachat/e2e":        {"kamachat/shared/", "github.com/chromedp/"},

	"kamachat/server/config": {"github.com/alecthomas/kong/"},
	"kamachat/server/room":   {"kamachat/shared/"},
	// The contract suites of the seams, for tests alone.
	"kamachat/server/room/roomtest": {"kamachat/server/room", "kamachat/shared/"},
	// Databases with the schema, for tests alone.
	"kamachat/server/store/storetest": {"kamachat", "kamachat/server/store", "kamachat/server/servicetest", "kamachat/shared/chat"},
	// Answers of the API held against its description, for tests alone.
	"kamachat/server/apitest": {"github.com/getkin/kin-openapi/"},
	// MariaDB, Redis and Kafka, for tests alone.
	"kamachat/server/servicetest": {"github.com/go-sql-driver/mysql/"},
	// The whole in one process under faults, for tests alone.
	"kamachat/server/sim":      {"kamachat/server/", "kamachat/shared/", "kamachat/ui/state", "kamachat/ui/link", "github.com/coder/websocket/"},
	"kamachat/server/monitor":  {"kamachat/shared/", "github.com/prometheus/", "go.opentelemetry.io/"},
	"kamachat/server/session":  {"kamachat/server/room", "kamachat/shared/", "github.com/coder/websocket/", "golang.org/x/time/"},
	"kamachat/server/store":    {"kamachat", "kamachat/shared/chat", "github.com/uptrace/bun/", "modernc.org/sqlite/", "github.com/go-sql-driver/mysql/"},
	"kamachat/server/inproc":   {"kamachat/shared/chat", "kamachat/shared/wire"},
	"kamachat/server/redis":    {"kamachat/shared/chat", "kamachat/shared/wire", "github.com/redis/go-redis/"},
	"kamachat/server/kafka":    {"kamachat/shared/chat", "github.com/twmb/franz-go/"},
	"kamachat/server/account":  {"kamachat/shared/", "golang.org/x/crypto/", "golang.org/x/time/", "github.com/alexedwards/argon2id/", "github.com/go-webauthn/webauthn/", "github.com/pquerna/otp/"},
	"kamachat/server/admin":    {"kamachat/shared/"},
	"kamachat/server/settings": {"kamachat/shared/chat"},
	"kamachat/server/board":    {"kamachat/shared/chat"},
	"kamachat/server/classic":  {"kamachat/shared/"},
	"kamachat/server/outward":  {},
	"kamachat/server/push":     {"kamachat/server/outward", "kamachat/shared/"},
	"kamachat/server/hooks":    {"kamachat/server/outward", "kamachat/shared/"},
	"kamachat/server/files":    {"kamachat/shared/chat"},
	// A browser and a push service, for tests alone.
	"kamachat/server/push/pushtest": {},
	"kamachat/server/page":          {"kamachat/shared/", "github.com/a-h/templ/", "rsc.io/qr"},
	"kamachat/server/web": {"kamachat", "kamachat/server/page", "kamachat/server/session", "kamachat/server/room", "kamachat/server/account", "kamachat/server/admin", "kamachat/server/board", "kamachat/server/settings", "kamachat/server/export",
		"kamachat/server/classic", "kamachat/server/push", "kamachat/shared/", "github.com/coder/websocket/", "github.com/alexedwards/scs/", "github.com/a-h/templ/", "github.com/danielgtaylor/huma/"},
	"kamachat/server/move":      {"kamachat/server/store", "github.com/schollz/progressbar/"},
	"kamachat/server/jobs":      {"kamachat/shared/chat"},
	"kamachat/server/retention": {"kamachat/shared/chat", "kamachat/server/jobs"},
	"kamachat/server/export":    {"kamachat/shared/", "kamachat/server/jobs"},
	"kamachat/server/backup":    {"kamachat/server/store", "kamachat/server/files", "kamachat/shared/chat", "github.com/klauspost/compress/"},
	"kamachat/server/bench":     {"kamachat/shared/", "github.com/coder/websocket/", "github.com/HdrHistogram/hdrhistogram-go/"},
}

const goApp = "github.com/maxence-charriere/go-app/"

// neverImport names packages of the standard library that would break a room's purpose.
var neverImport = map[string][]string{
	"kamachat/shared/":  {"net/http", "os", "syscall/js"},
	"kamachat/ui/state": {"syscall/js", "net/http", "os"},
	// An http.Client makes the browser's program twice as large, 8.7 to 14.0 MB: use fetch.
	"kamachat/ui":            {"net/http"},
	"kamachat/ui/view":       {"net/http"},
	"kamachat/ui/local":      {"net/http"},
	"kamachat/server/room":   {"net/http", "database/sql"},
	"kamachat/server/inproc": {"net/http", "database/sql"},
}

// neverLink names what a program must not contain, however it got there.
var neverLink = map[target]map[string][]string{
	browser: {"./ui": {"kamachat", "kamachat/server/", "github.com/uptrace/", "github.com/redis/", "modernc.org/", "github.com/go-sql-driver/",
		"github.com/twmb/", "github.com/a-h/templ/", "github.com/alecthomas/", "github.com/alexedwards/", "github.com/chromedp/"}},
	server: {"./server": {goApp, "kamachat/ui/", "github.com/chromedp/", "pgregory.net/", "github.com/getkin/"}},
}

// A target is what a program is built for.
type target string

const (
	server  target = ""
	browser target = "GOOS=js GOARCH=wasm"
)

// A pkg is what "go list" tells of a package.
type pkg struct {
	ImportPath, Name, Doc, Dir string
	Standard                   bool
	GoFiles, Imports           []string
}

// list asks "go list" about patterns.
func list(t *testing.T, on target, args ...string) []pkg {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-e", "-json=ImportPath,Name,Doc,Dir,Standard,GoFiles,Imports"}, args...)...)
	cmd.Env = append(os.Environ(), strings.Fields(string(on))...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var ps []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		switch err := d.Decode(&p); err {
		case nil:
			ps = append(ps, p)
		case io.EOF:
			return ps
		default:
			t.Fatal(err)
		}
	}
}

// covers reports whether pattern, as in mayImport, allows path.
func covers(pattern, path string) bool {
	if below, ok := strings.CutSuffix(pattern, "/"); ok {
		return path == below || strings.HasPrefix(path, pattern)
	}
	return path == pattern
}

// ruleOf returns the key of rules that is the longest to cover path.
func ruleOf[V any](rules map[string]V, path string) (string, bool) {
	best, found := "", false
	for k := range rules {
		if covers(k, path) && len(k) >= len(best) {
			best, found = k, true
		}
	}
	return best, found
}

// isStd reports whether path is of the standard library: its first element has no dot and is not ours.
func isStd(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return first != "kamachat" && !strings.Contains(first, ".")
}

func TestRoomsImportOnlyWhatTheyMay(t *testing.T) {
	for name, on := range map[string]target{"native": server, "wasm": browser} {
		patterns := []string{"./..."}
		if on == browser {
			patterns = []string{"./ui/...", "./shared/..."}
		}
		for _, p := range list(t, on, patterns...) {
			if len(p.GoFiles) == 0 {
				continue // only tests, or nothing for this target
			}
			room, ok := ruleOf(mayImport, p.ImportPath)
			if !ok {
				t.Errorf("%s: %s is in no room of the house: add it to mayImport and to the map in templ.go", name, p.ImportPath)
				continue
			}
			never, _ := ruleOf(neverImport, p.ImportPath)
			for _, imp := range p.Imports {
				if isStd(imp) {
					if slices.Contains(neverImport[never], imp) {
						t.Errorf("%s: %s must not import %s", name, p.ImportPath, imp)
					}
					continue
				}
				if !slices.ContainsFunc(mayImport[room], func(m string) bool { return covers(m, imp) }) {
					t.Errorf("%s: %s must not import %s", name, p.ImportPath, imp)
				}
			}
		}
	}
}

func TestProgramsLinkNothingForeign(t *testing.T) {
	for on, programs := range neverLink {
		for program, never := range programs {
			for _, p := range list(t, on, "-deps", program) {
				for _, n := range never {
					if covers(n, p.ImportPath) {
						t.Errorf("%s contains %s", program, p.ImportPath)
					}
				}
			}
		}
	}
}

func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	seen := map[string]bool{}
	for _, on := range []target{server, browser} {
		for _, p := range list(t, on, "./...") {
			if len(p.GoFiles) == 0 || seen[p.ImportPath] {
				continue
			}
			seen[p.ImportPath] = true
			starts := []string{"Package " + p.Name + " "}
			if p.Name == "main" {
				starts = []string{"Command ", "Kamachat "}
			}
			if !slices.ContainsFunc(starts, func(s string) bool { return strings.HasPrefix(p.Doc, s) }) {
				t.Errorf("%s: the package comment is %q, want it to start with %q", p.ImportPath, p.Doc, starts)
			}
		}
	}
}

func TestMigrationsAreASequence(t *testing.T) {
	files, err := os.ReadDir("migrations")
	if err != nil {
		t.Fatal(err)
	}
	form := regexp.MustCompile(`^(\d{5})_([a-z][a-z0-9_]*)\.(up|down)\.sql$`)
	steps := map[string]map[string]string{} // number → direction → name
	for _, f := range files {
		m := form.FindStringSubmatch(f.Name())
		if m == nil {
			t.Errorf("migrations/%s: want NNNNN_name.up.sql or .down.sql", f.Name())
			continue
		}
		if steps[m[1]] == nil {
			steps[m[1]] = map[string]string{}
		}
		if other, ok := steps[m[1]][m[3]]; ok {
			t.Errorf("migrations: %s and %s have the number %s", other, m[2], m[1])
		}
		steps[m[1]][m[3]] = m[2]
	}
	for i, n := range slices.Sorted(maps.Keys(steps)) {
		if want := fmt.Sprintf("%05d", i+1); n != want {
			t.Errorf("migrations: %s comes where %s should", n, want)
		}
		if s := steps[n]; s["up"] == "" || s["down"] != s["up"] {
			t.Errorf("migrations: %s has up %q and down %q, want both with one name", n, s["up"], s["down"])
		}
	}
	embedded, err := fs.Glob(kamachat.Migrations, "migrations/*.sql")
	if err != nil || len(embedded) != len(files) {
		t.Errorf("%d migrations are embedded of %d files (%v)", len(embedded), len(files), err)
	}
}

func TestTemplatesAreGenerated(t *testing.T) {
	if testing.Short() {
		t.Skip("builds templ")
	}
	if len(sources(t, ".templ")) == 0 {
		t.Fatal("there are no templates to check")
	}
	if out, err := exec.Command("go", "tool", "templ", "generate", "-check").CombinedOutput(); err != nil {
		t.Errorf("run make generate: %v\n%s", err, out)
	}
}

func TestWasmSize(t *testing.T) {
	br, err := os.ReadFile("static/app.wasm.br")
	if os.IsNotExist(err) {
		if os.Getenv("KAMACHAT_REQUIRE") == "all" {
			t.Fatal("static/app.wasm.br is not built: run make wasm")
		}
		t.Skip("static/app.wasm.br is not built: run make wasm")
	}
	if err != nil {
		t.Fatal(err)
	}
	// The low four bits of a brotli stream are all set where its window is 2^24
	// bytes (RFC 7932, section 9.1), which tools/pack chooses for "best" only.
	bound := maxWasmFast
	if br[0]&15 == 15 {
		bound = maxWasmBest
	}
	if len(br) > bound {
		t.Errorf("app.wasm.br has %d bytes, at most %d are allowed", len(br), bound)
	}
	gz, err := os.Stat("static/app.wasm.gz")
	if err != nil {
		t.Fatal(err)
	}
	if gz.Size() > maxWasmGzip {
		t.Errorf("app.wasm.gz has %d bytes, at most %d are allowed", gz.Size(), maxWasmGzip)
	}
	if _, err := fs.Stat(kamachat.Static, "static/app.wasm"); err == nil {
		t.Error("static/app.wasm is embedded: only its compressed twins should be")
	}
}

func TestStyleSheetsAreSmall(t *testing.T) {
	sheets := sources(t, ".css")
	for name, bound := range map[string]int{"static/app.css": maxCSS, "static/pages.css": maxPagesCSS} {
		if n := len(sheets[name]); n == 0 || n > bound {
			t.Errorf("%s has %d bytes, at most %d are allowed", name, n, bound)
		}
		delete(sheets, name)
	}
	for name := range sheets {
		t.Errorf("%s: nobody said how large it may be", name)
	}
}

// The content security policy forbids what this finds, so it would not work anyway.
func TestTemplatesHoldNoInlineCode(t *testing.T) {
	forbidden := map[string]*regexp.Regexp{
		"style attribute":       regexp.MustCompile(`(?i)\sstyle\s*=`),
		"style element":         regexp.MustCompile(`(?i)<style\b`),
		"inline event handler":  regexp.MustCompile(`(?i)\son[a-z]+\s*=\s*["{]`),
		"script without a src":  regexp.MustCompile(`(?i)<script\b(?:[^>]*\bsrc=)?`),
		"templ script or style": regexp.MustCompile(`(?m)^(script|css) \w+\(`),
	}
	for file, text := range sources(t, ".templ") {
		for what, re := range forbidden {
			for _, m := range re.FindAllStringIndex(text, -1) {
				if strings.HasSuffix(strings.ToLower(text[m[0]:m[1]]), "src=") {
					continue
				}
				t.Errorf("%s:%d: %s", file, 1+strings.Count(text[:m[0]], "\n"), what)
			}
		}
	}
}

func TestFilesFitInAHead(t *testing.T) {
	for file, text := range sources(t, ".go", ".templ", ".js", ".sh") {
		if n := strings.Count(text, "\n"); n >= maxLines && !strings.HasSuffix(file, "_templ.go") {
			t.Errorf("%s has %d lines: split it by what it is about", file, n)
		}
	}
}

func TestEveryDependencyIsExplained(t *testing.T) {
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	why, err := os.ReadFile("docs/decisions/002-dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	direct := regexp.MustCompile(`(?m)^(?:require )?\s*([a-z]\S*\.\S+/\S+) v\S+$`)
	for _, m := range direct.FindAllStringSubmatch(string(mod), -1) {
		name := m[1]
		for _, whole := range []string{"github.com/uptrace/bun/", "github.com/chromedp/", "github.com/twmb/franz-go/"} {
			if strings.HasPrefix(name, whole) {
				name = name[strings.LastIndex(name, "/")+1:] // told in the line of its parent
			}
		}
		if !strings.Contains(string(why), name) {
			t.Errorf("docs/decisions/002-dependencies.md does not say why there is %s", m[1])
		}
	}
}

// sources returns the files that people write, path → text, whose names end in one of exts.
func sources(t *testing.T, exts ...string) map[string]string {
	t.Helper()
	texts := map[string]string{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		switch {
		case d.IsDir() && (path == ".git" || path == "bin" || path == "data"):
			return filepath.SkipDir
		case d.IsDir() || path == filepath.Join("static", "wasm_exec.js") || !slices.Contains(exts, filepath.Ext(path)):
			return nil
		}
		b, err := os.ReadFile(path)
		texts[path] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}
