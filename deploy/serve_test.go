//go:build unix

package deploy_test

import (
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// built is the server.
func built(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "kamachat")
	if out, err := exec.Command("go", "build", "-o", bin, "../server").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return bin
}

// ready waits until a server answers 200 there.
func ready(t *testing.T, url string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		res, err := http.Get(url)
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(end) {
			t.Fatalf("%s does not become ready: %v", url, err)
		}
	}
}

// What the unit runs, by the environment alone, answers the probes and ends as it is told to.
func TestServerRunsAsTheUnitSays(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the server")
	}
	env, settings := unit(t)
	maps.DeleteFunc(env, func(name, _ string) bool { // what the example of a cluster adds
		return !slices.Contains([]string{"KAMACHAT_ADDR", "KAMACHAT_DEBUG_ADDR", "KAMACHAT_DATA"}, name)
	})
	if len(env) != 3 {
		t.Fatalf("the unit sets %v", env)
	}
	dir := t.TempDir()
	env["KAMACHAT_ADDR"], env["KAMACHAT_DEBUG_ADDR"], env["KAMACHAT_DATA"] = freeAddr(t), freeAddr(t), dir
	cmd := exec.Command(built(t), strings.Fields(settings["ExecStart"])[1:]...)
	for k, v := range env {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	c := cluster(t)["StatefulSet kamachat"].Spec.Template.Spec.Containers[0]
	for _, path := range []string{c.Startup.HTTPGet.Path, c.Liveness.HTTPGet.Path, c.Readiness.HTTPGet.Path} {
		ready(t, "http://"+env["KAMACHAT_ADDR"]+path)
	}
	ready(t, "http://"+env["KAMACHAT_DEBUG_ADDR"]+"/metrics")
	if _, err := os.Stat(filepath.Join(dir, "kamachat.db")); err != nil {
		t.Error(err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}
