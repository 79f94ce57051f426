package deploy_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"kamachat/server/config"
)

// drain is how long a node that is told to end may take (server/stop.go).
const drain = 10 * time.Second

// read returns a file of this folder, or of the repository's where it begins with "../".
func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// documents decodes all documents of a YAML file into values of one type.
func documents[V any](t *testing.T, path string) (all []V) {
	t.Helper()
	for d := yaml.NewDecoder(strings.NewReader(read(t, path))); ; {
		var v V
		switch err := d.Decode(&v); {
		case errors.Is(err, io.EOF):
			return all
		case err != nil:
			t.Fatalf("%s: %v", path, err)
		}
		all = append(all, v)
	}
}

// known are the names of the environment that the server reads, as its help tells them.
func known(t *testing.T) map[string]bool {
	t.Helper()
	_, err := config.Load([]string{"serve", "--help"}, func(string) string { return "" })
	var help *config.Exit
	if !errors.As(err, &help) || help.Code != 0 {
		t.Fatalf("the help is %v", err)
	}
	names := map[string]bool{}
	for _, m := range regexp.MustCompile(`\[(KAMACHAT_[A-Z_]+)\]`).FindAllStringSubmatch(strings.Join(strings.Fields(help.Words), ""), -1) {
		names[m[1]] = true
	}
	if len(names) < 20 {
		t.Fatalf("the help names %d settings only", len(names))
	}
	return names
}

// loaded is what the server makes of an environment: all of its names exist, and all values are fine.
func loaded(t *testing.T, where string, env map[string]string) config.Config {
	t.Helper()
	names := known(t)
	for name := range env {
		if strings.HasPrefix(name, "KAMACHAT_") && !names[name] {
			t.Errorf("%s: the server knows no %s", where, name)
		}
	}
	cfg, err := config.Load([]string{"serve"}, func(name string) string { return env[name] })
	if err != nil {
		t.Fatalf("%s: %v", where, err)
	}
	return cfg
}

// filled puts values in the place of ${NAME}, ${NAME:-default} and ${NAME:?words}.
func filled(s string) string {
	return regexp.MustCompile(`\$\{[A-Z_]+(:-([^}]*)|:\?[^}]*)?\}`).ReplaceAllStringFunc(s, func(v string) string {
		if _, d, ok := strings.Cut(strings.TrimSuffix(v, "}"), ":-"); ok {
			return d
		}
		return "secret"
	})
}

// A service of compose.yaml.
type service struct {
	Image       string
	Build       struct{ Dockerfile string }
	NetworkMode string            `yaml:"network_mode"`
	Environment map[string]string `yaml:"environment"`
	Ports       []string
	Volumes     []string
	User        string
	ReadOnly    bool                                  `yaml:"read_only"`
	Grace       string                                `yaml:"stop_grace_period"`
	DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
	Healthcheck struct{ Test []string }
	Networks    []string
}

func composed(t *testing.T) map[string]service {
	t.Helper()
	return documents[struct{ Services map[string]service }](t, "compose.yaml")[0].Services
}

// nodesOf returns the services that are nodes, by name.
func nodesOf(services map[string]service) []string {
	var names []string
	for name, s := range services {
		if s.Build.Dockerfile != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func TestComposeRunsThreeNodesThatShareAllTheyMust(t *testing.T) {
	services := composed(t)
	nodes := nodesOf(services)
	if len(nodes) != 3 {
		t.Fatalf("the nodes are %v, want three", nodes)
	}
	seen, addrs := map[int]bool{}, map[string]bool{}
	var first config.Config
	for i, name := range nodes {
		s := services[name]
		env := map[string]string{}
		for k, v := range s.Environment {
			env[k] = filled(v)
		}
		cfg := loaded(t, name, env)
		if i == 0 {
			first = cfg
		}
		if seen[cfg.Node] || addrs[cfg.Addr] || addrs[cfg.Debug] {
			t.Errorf("%s has the number or an address of another: %d, %s, %s", name, cfg.Node, cfg.Addr, cfg.Debug)
		}
		seen[cfg.Node], addrs[cfg.Addr], addrs[cfg.Debug] = true, true, true
		if cfg.Mode != "kafka" || cfg.DB != first.DB || cfg.Redis != first.Redis || cfg.Topic != first.Topic || cfg.Files != first.Files || !slices.Equal(cfg.Kafka, first.Kafka) {
			t.Errorf("%s shares not all with %s: %+v", name, nodes[0], cfg.Serving)
		}
		if !slices.ContainsFunc(s.Volumes, func(v string) bool { return strings.HasSuffix(v, ":"+cfg.Files) }) {
			t.Errorf("%s keeps what people upload in %s, which is no volume of %v", name, cfg.Files, s.Volumes)
		}
		// What comes from loopback is believed: the proxy must be there, and nobody else.
		if s.NetworkMode != "service:caddy" || !strings.HasPrefix(cfg.Addr, "127.0.0.1:") {
			t.Errorf("%s listens on %s in %q, want loopback in the network of Caddy", name, cfg.Addr, s.NetworkMode)
		}
		if !strings.Contains(read(t, "Caddyfile"), " "+cfg.Addr) || !strings.Contains(read(t, "nginx.conf"), "server "+cfg.Addr+" ") {
			t.Errorf("Caddyfile or nginx.conf does not know %s at %s", name, cfg.Addr)
		}
		if s.User == "" || strings.HasPrefix(s.User, "0") || strings.HasPrefix(s.User, "root") || !s.ReadOnly {
			t.Errorf("%s runs as %q, read-only is %v", name, s.User, s.ReadOnly)
		}
		if d, err := time.ParseDuration(s.Grace); err != nil || d <= drain {
			t.Errorf("%s may take %q to end (%v), want more than %v", name, s.Grace, err, drain)
		}
		for _, broker := range cfg.Kafka {
			host, port, _ := strings.Cut(broker, ":")
			k := services[host]
			if !strings.Contains(k.Environment["KAFKA_LISTENERS"], "PLAINTEXT://:"+port) || k.Environment["KAFKA_ADVERTISED_LISTENERS"] != "PLAINTEXT://"+broker {
				t.Errorf("%s: no broker listens at %s", name, broker)
			}
		}
		for dep := range s.DependsOn {
			if c := s.DependsOn[dep].Condition; dep != "caddy" && (c != "service_healthy" || len(services[dep].Healthcheck.Test) == 0) {
				t.Errorf("%s waits for %s to be %s", name, dep, c)
			}
		}
	}
	for name, s := range services {
		if len(s.Ports) > 0 && name != "caddy" {
			t.Errorf("%s is open to everybody at %v", name, s.Ports)
		}
	}
}

// An object of Kubernetes, as much of it as is looked at here.
type object struct {
	Kind     string
	Metadata struct{ Name string }
	Data     map[string]string
	Spec     struct {
		Replicas int
		Ports    []struct {
			Name       string
			Port       int
			TargetPort string `yaml:"targetPort"`
		}
		Selector yaml.Node
		Template struct{ Spec pod }
		Rules    []struct {
			HTTP struct {
				Paths []struct {
					Backend struct {
						Service struct {
							Name string
							Port struct{ Name string }
						}
					}
				}
			}
		}
	}
}

type pod struct {
	EnableServiceLinks            *bool `yaml:"enableServiceLinks"`
	TerminationGracePeriodSeconds int64 `yaml:"terminationGracePeriodSeconds"`
	SecurityContext               struct {
		RunAsNonRoot bool `yaml:"runAsNonRoot"`
	} `yaml:"securityContext"`
	InitContainers []container `yaml:"initContainers"`
	Containers     []container
}

type probe struct {
	HTTPGet struct{ Path, Port string } `yaml:"httpGet"`
}

type container struct {
	Name, Image   string
	RestartPolicy string `yaml:"restartPolicy"`
	EnvFrom       []struct {
		ConfigMapRef struct{ Name string } `yaml:"configMapRef"`
	} `yaml:"envFrom"`
	Env []struct {
		Name, Value string
		ValueFrom   struct {
			FieldRef struct {
				FieldPath string `yaml:"fieldPath"`
			} `yaml:"fieldRef"`
		} `yaml:"valueFrom"`
	}
	Ports []struct {
		Name          string
		ContainerPort int `yaml:"containerPort"`
	}
	Startup   probe `yaml:"startupProbe"`
	Liveness  probe `yaml:"livenessProbe"`
	Readiness probe `yaml:"readinessProbe"`
	Lifecycle struct {
		PreStop struct {
			Sleep struct{ Seconds int64 }
		} `yaml:"preStop"`
	}
	SecurityContext struct {
		ReadOnlyRootFilesystem bool `yaml:"readOnlyRootFilesystem"`
	} `yaml:"securityContext"`
}

func seconds(n int64) time.Duration { return time.Duration(n) * time.Second }

// port is that of a name.
func (c container) port(name string) int {
	for _, p := range c.Ports {
		if p.Name == name {
			return p.ContainerPort
		}
	}
	return 0
}

// cluster returns the objects of kubernetes/ by "Kind name".
func cluster(t *testing.T) map[string]object {
	t.Helper()
	all := map[string]object{}
	k := documents[struct{ Resources []string }](t, "kubernetes/kustomization.yaml")[0]
	for _, file := range k.Resources {
		for _, o := range documents[object](t, filepath.Join("kubernetes", file)) {
			all[o.Kind+" "+o.Metadata.Name] = o
		}
	}
	files, err := filepath.Glob("kubernetes/*.yaml")
	if err != nil || len(files) != len(k.Resources)+1 {
		t.Errorf("kustomization.yaml names %d files of %d (%v)", len(k.Resources), len(files)-1, err)
	}
	return all
}

func TestKubernetesRunsNodesThatEndInGoodOrder(t *testing.T) {
	all := cluster(t)
	set := all["StatefulSet kamachat"]
	p := set.Spec.Template.Spec
	if set.Spec.Replicas != 3 || len(p.Containers) != 1 || len(p.InitContainers) != 1 {
		t.Fatalf("there are %d nodes of %d and %d containers", set.Spec.Replicas, len(p.Containers), len(p.InitContainers))
	}
	node, proxy := p.Containers[0], p.InitContainers[0]
	env := maps.Clone(all["ConfigMap "+node.EnvFrom[0].ConfigMapRef.Name].Data)
	for _, e := range node.Env {
		env[e.Name] = strings.ReplaceAll(e.Value, "$(DATABASE_PASSWORD)", "secret")
		if e.Name == "KAMACHAT_NODE" {
			if want := "metadata.labels['apps.kubernetes.io/pod-index']"; e.ValueFrom.FieldRef.FieldPath != want {
				t.Errorf("the number of a node comes from %q, want %q", e.ValueFrom.FieldRef.FieldPath, want)
			}
			env[e.Name] = "2"
		}
	}
	for name := range env {
		if !known(t)[name] && name != "DATABASE_PASSWORD" {
			t.Errorf("the server knows no %s", name)
		}
	}
	cfg := loaded(t, "node.yaml", env)
	if cfg.Node != 2 || cfg.Mode != "kafka" {
		t.Errorf("node %d runs in mode %s", cfg.Node, cfg.Mode)
	}
	if int(cfg.Partitions) < 2*set.Spec.Replicas {
		t.Errorf("%d partitions for %d nodes", cfg.Partitions, set.Spec.Replicas)
	}
	for what, at := range map[string]struct{ addr, port string }{"public": {cfg.Addr, "http"}, "debug": {cfg.Debug, "debug"}} {
		if at.addr != fmt.Sprint(":", node.port(at.port)) {
			t.Errorf("the %s address is %s, the port %q is %d", what, at.addr, at.port, node.port(at.port))
		}
	}
	if node.Startup.HTTPGet.Path != "/healthz" || node.Liveness.HTTPGet.Path != "/healthz" || node.Readiness.HTTPGet.Path != "/readyz" {
		t.Errorf("the probes are %v, %v, %v", node.Startup, node.Liveness, node.Readiness)
	}
	// Before its end nobody new is sent there; the proxy outlives it.
	wait, grace := seconds(node.Lifecycle.PreStop.Sleep.Seconds), seconds(p.TerminationGracePeriodSeconds)
	if wait <= 0 || grace < wait+drain+10*time.Second {
		t.Errorf("%v before and %v in all is too short for a drain of %v", wait, grace, drain)
	}
	if proxy.RestartPolicy != "Always" {
		t.Error("the proxy ends before the node, which could tell nobody good-bye")
	}
	if p.EnableServiceLinks == nil || *p.EnableServiceLinks {
		t.Error("services may set KAMACHAT_…")
	}
	for _, c := range []container{node, proxy} {
		if !c.SecurityContext.ReadOnlyRootFilesystem || !p.SecurityContext.RunAsNonRoot {
			t.Errorf("%s may write to its file system, or is root", c.Name)
		}
	}
	conf := read(t, "kubernetes/nginx.conf")
	if !strings.Contains(conf, fmt.Sprintf("listen %d;", proxy.port("proxy"))) || !strings.Contains(conf, fmt.Sprintf("server 127.0.0.1:%d ", node.port("http"))) {
		t.Error("the proxy listens or calls elsewhere than the pod's ports")
	}
	svc := all["Service kamachat"]
	if svc.Spec.Ports[0].TargetPort != "proxy" {
		t.Errorf("the service leads to %q, past the proxy", svc.Spec.Ports[0].TargetPort)
	}
	back := all["Ingress kamachat"].Spec.Rules[0].HTTP.Paths[0].Backend.Service
	if all["Service "+back.Name].Kind == "" || svc.Spec.Ports[0].Name != back.Port.Name {
		t.Errorf("the ingress leads to %+v", back)
	}
	// Everything that nodes call is there.
	for _, addr := range append(slices.Clone(cfg.Kafka), strings.TrimPrefix(cfg.Redis, "redis://"), regexp.MustCompile(`@([^/]+)/`).FindStringSubmatch(cfg.DB)[1]) {
		host, port, _ := strings.Cut(addr, ":")
		s := all["Service "+host[strings.LastIndex(host, ".")+1:]]
		if len(s.Spec.Ports) == 0 || fmt.Sprint(s.Spec.Ports[0].Port) != port {
			t.Errorf("no service listens at %s", addr)
		}
	}
}

// Of our image nothing is but the program, which is nobody in particular.
func TestImageIsThePrograms(t *testing.T) {
	_, last, _ := strings.Cut(strings.ReplaceAll(read(t, "Dockerfile"), "\nFROM scratch\n", "\x00"), "\x00")
	if strings.Contains(last, "\nRUN ") || strings.Contains(last, "\nFROM ") || !strings.Contains(last, "\nENTRYPOINT [\"/kamachat\"]\n") {
		t.Errorf("the last image is made by\n%s", last)
	}
	user := regexp.MustCompile(`(?m)^USER (\d+):(\d+)$`).FindStringSubmatch(last)
	if user == nil || user[1] == "0" || user[2] == "0" {
		t.Errorf("it runs as %v, want a number that is not root's", user)
	}
}

func TestEveryImageIsOfOneVersion(t *testing.T) {
	versions := map[string]map[string]bool{} // image → its versions
	use := func(where, image string) {
		name, version, _ := strings.Cut(image, ":")
		if name == "kamachat" {
			return // ours, built here
		}
		if !regexp.MustCompile(`^\d+\.\d+\.\d+(-|$)`).MatchString(version) {
			t.Errorf("%s: %s is of no version", where, image)
		}
		if versions[name] == nil {
			versions[name] = map[string]bool{}
		}
		versions[name][version] = true
	}
	for name, s := range composed(t) {
		use("compose.yaml: "+name, s.Image)
	}
	for name, o := range cluster(t) {
		for _, c := range append(o.Spec.Template.Spec.Containers, o.Spec.Template.Spec.InitContainers...) {
			use(name, c.Image)
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^FROM (\S+)`).FindAllStringSubmatch(read(t, "Dockerfile"), -1) {
		if m[1] != "scratch" {
			use("Dockerfile", m[1])
		}
	}
	for name, vs := range versions {
		if len(vs) != 1 {
			t.Errorf("%s is used in several versions: %v", name, slices.Sorted(maps.Keys(vs)))
		}
	}
	// What is deployed is what is tested on.
	tested := regexp.MustCompile(`<version>(\d+\.\d+\.\d+)</version>`).FindStringSubmatch(read(t, "../tools/kafka/pom.xml"))
	if !versions["apache/kafka"][tested[1]] {
		t.Errorf("Kafka is %v, tests run on %s", versions["apache/kafka"], tested[1])
	}
}

// unit is the environment of kamachat.service, and its other settings.
func unit(t *testing.T) (env, settings map[string]string) {
	t.Helper()
	env, settings = map[string]string{}, map[string]string{}
	for line := range strings.Lines(read(t, "kamachat.service")) {
		if line[0] == '#' {
			if k, v, ok := strings.Cut(strings.TrimSpace(strings.TrimPrefix(line, "#")), "="); ok && strings.HasPrefix(k, "KAMACHAT_") {
				env[k] = v
			}
			continue
		}
		k, v, _ := strings.Cut(strings.TrimSpace(line), "=")
		if k == "Environment" {
			name, value, _ := strings.Cut(v, "=")
			env[name] = value
		} else {
			settings[k] = v
		}
	}
	return env, settings
}

func TestUnitIsOfTheServerAndLetsItEnd(t *testing.T) {
	env, settings := unit(t)
	cfg := loaded(t, "kamachat.service", env)
	if cfg.Mode != "kafka" || cfg.Data != "/var/lib/"+settings["StateDirectory"] {
		t.Errorf("the unit runs mode %s with data in %s", cfg.Mode, cfg.Data)
	}
	if d, err := time.ParseDuration(settings["TimeoutStopSec"] + "s"); err != nil || d <= drain {
		t.Errorf("it may take %s to end, want more than %v", settings["TimeoutStopSec"], drain)
	}
	if got := strings.Fields(settings["ExecStart"]); len(got) != 2 || got[1] != config.Serve {
		t.Errorf("it runs %v", got)
	}
}

func TestProxiesWaitLongerThanTheHeartbeat(t *testing.T) {
	for _, file := range []string{"nginx.conf", "kubernetes/nginx.conf", "kubernetes/ingress.yaml"} {
		found := regexp.MustCompile(`proxy-?_?read[-_]timeout:? "?(\d+)`).FindAllStringSubmatch(read(t, file), -1)
		if len(found) == 0 {
			t.Errorf("%s has no time-out of its own: that of nginx is 60 s", file)
		}
		for _, m := range found {
			if d, err := time.ParseDuration(m[1] + "s"); err != nil || d < time.Minute {
				t.Errorf("%s cuts what says nothing for %v, want a minute at least (docs/operations.md)", file, d)
			}
		}
	}
	if bytes.Contains([]byte(read(t, "Caddyfile")), []byte("read_timeout")) {
		t.Error("Caddyfile cuts sockets")
	}
}
