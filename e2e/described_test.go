package e2e

import (
	"bufio"
	"errors"
	"fmt"
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
	return apitest.Fetch(strings.TrimSpace(line[at:]))
}
