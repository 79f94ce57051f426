// Command pack compresses the WebAssembly program for the server to embed:
//
//	go run ./tools/pack [-quality fast|best] [-wasm bin/app.wasm] [-out static]
//
// It writes app.wasm.br, app.wasm.gz and the toolchain's wasm_exec.js into the
// -out folder and prints their sizes. "fast" is for working on the program,
// "best" for releases: it takes a quarter of a minute and saves a quarter of
// the bytes.
package main

import (
	"bytes"
	"compress/gzip"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/andybalholm/brotli"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

// levels is how hard each quality tries: brotli and gzip levels.
var levels = map[string]struct{ br, lgwin, gz int }{
	"fast": {br: 5, lgwin: 22, gz: 4},
	"best": {br: brotli.BestCompression, lgwin: 24, gz: gzip.BestCompression},
}

func run(args []string, stdout io.Writer) error {
	fs := flag.NewFlagSet("pack", flag.ContinueOnError)
	quality := fs.String("quality", "fast", `how hard to compress: "fast" or "best"`)
	wasm := fs.String("wasm", "bin/app.wasm", "the program to compress")
	out := fs.String("out", "static", "the folder to write to")
	if err := fs.Parse(args); err != nil {
		return err
	}
	level, ok := levels[*quality]
	if !ok {
		return fmt.Errorf("no quality %q: fast or best", *quality)
	}
	raw, err := os.ReadFile(*wasm)
	if err != nil {
		return err
	}

	start := time.Now()
	var wg sync.WaitGroup
	var brSize, gzSize int
	var brErr, gzErr error
	wg.Go(func() {
		brSize, brErr = write(filepath.Join(*out, "app.wasm.br"), raw, func(w io.Writer) io.WriteCloser {
			return brotli.NewWriterOptions(w, brotli.WriterOptions{Quality: level.br, LGWin: level.lgwin})
		})
	})
	wg.Go(func() {
		gzSize, gzErr = write(filepath.Join(*out, "app.wasm.gz"), raw, func(w io.Writer) io.WriteCloser {
			z, _ := gzip.NewWriterLevel(w, level.gz) // the levels above are valid
			return z
		})
	})
	wg.Wait()
	if brErr != nil {
		return brErr
	}
	if gzErr != nil {
		return gzErr
	}
	execSize, err := copyExec(*out)
	if err != nil {
		return err
	}

	fmt.Fprintf(stdout, "%-14s %9d bytes\n", "app.wasm", len(raw))
	fmt.Fprintf(stdout, "%-14s %9d bytes (%s, %s)\n", "app.wasm.br", brSize, *quality, time.Since(start).Round(10*time.Millisecond))
	fmt.Fprintf(stdout, "%-14s %9d bytes\n", "app.wasm.gz", gzSize)
	fmt.Fprintf(stdout, "%-14s %9d bytes\n", "wasm_exec.js", execSize)
	return nil
}

// write compresses raw into the file at path and returns its size. The file
// appears whole or not at all: a server may be building at the same time.
func write(path string, raw []byte, compressor func(io.Writer) io.WriteCloser) (int, error) {
	var buf bytes.Buffer
	z := compressor(&buf)
	if _, err := z.Write(raw); err != nil {
		return 0, err
	}
	if err := z.Close(); err != nil {
		return 0, err
	}
	return buf.Len(), replace(path, buf.Bytes())
}

// copyExec copies wasm_exec.js, which must be the compiler's own version.
func copyExec(dir string) (int, error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return 0, fmt.Errorf("asking go for GOROOT: %w", err)
	}
	js, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec.js"))
	if err != nil {
		return 0, err
	}
	return len(js), replace(filepath.Join(dir, "wasm_exec.js"), js)
}

// replace writes the file at path under another name first, next to it, since
// renaming works only within one file system.
func replace(path string, data []byte) error {
	tmp := path + ".tmp"
	if err := os.WriteFile(tmp, data, 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}
