// Command icons draws the logo for home screens and notifications:
//
//	go run ./tools/icons [-logo static/favicon.svg] [-out static/icons]
//
// Browsers take the SVG for a tab, but want PNG for what is installed.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"image/png"
	"io"
	"os"
	"path/filepath"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "icons:", err)
		os.Exit(1)
	}
}

// icons are the files that are made. The system cuts masked ones to its own
// shape; what the logo shows is within the inner 80 % that is always seen.
var icons = []struct {
	name string
	size int // pixels
	look look
}{
	{"app-192.png", 192, whole},
	{"app-512.png", 512, whole},
	{"mask-192.png", 192, filled},
	{"mask-512.png", 512, filled},
	{"touch-180.png", 180, filled},
	{"badge-96.png", 96, cut},
}

func run(args []string, stdout io.Writer) error {
	fs := flag.NewFlagSet("icons", flag.ContinueOnError)
	from := fs.String("logo", "static/favicon.svg", "the logo")
	out := fs.String("out", "static/icons", "the folder to write to")
	if err := fs.Parse(args); err != nil {
		return err
	}
	svg, err := os.ReadFile(*from)
	if err != nil {
		return err
	}
	l, err := parse(svg)
	if err != nil {
		return fmt.Errorf("%s: %w", *from, err)
	}
	if err := os.MkdirAll(*out, 0o755); err != nil {
		return err
	}
	total := 0
	for _, i := range icons {
		var b bytes.Buffer
		z := png.Encoder{CompressionLevel: png.BestCompression}
		if err := z.Encode(&b, l.draw(i.size, i.look)); err != nil {
			return err
		}
		// Whole or not at all: a server may be building at the same time.
		path := filepath.Join(*out, i.name)
		tmp := filepath.Join(*out, "."+i.name)
		if err := os.WriteFile(tmp, b.Bytes(), 0o644); err != nil {
			return err
		}
		if err := os.Rename(tmp, path); err != nil {
			return err
		}
		total += b.Len()
	}
	fmt.Fprintf(stdout, "%-14s %9d bytes, %d files\n", "icons", total, len(icons))
	return nil
}
