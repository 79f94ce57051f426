package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"kamachat/server/apitest"
)

// What the server answers to these tests themselves is held against its description.
func TestMain(m *testing.M) {
	end := apitest.Hold(described)
	os.Exit(end(m.Run()))
}

// described asks a server with everything that there may be for its description.
func described() (doc []byte, err error) {
	data, err := os.MkdirTemp("", "kamachat-described-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(data)) }()
	cmd := exec.Command(binary, "--addr", "127.0.0.1:0", "--data", data)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	at := strings.Index(line, "http")
	if err != nil || at < 0 {
		return nil, fmt.Errorf("the server said %q, %v", line, err)
	}
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	res, err := client.Get(strings.TrimSpace(line[at:]) + "/api/v1/openapi.json")
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("answered %s", res.Status)
	}
	return io.ReadAll(res.Body)
}
