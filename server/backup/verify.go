package backup

import (
	"archive/tar"
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"regexp"
	"strings"

	"github.com/klauspost/compress/zstd"

	"kamachat/shared/chat"
)

// Limits of what is read into memory.
const (
	maxRows     = 64 << 20 // bytes of one entry of tables/: a page, or one row
	maxManifest = 1 << 20
)

// damaged is what is wrong with an archive that does not hold what it should.
func damaged(format string, args ...any) error {
	return fmt.Errorf("the backup is damaged: "+format, args...)
}

// An entry of an archive, as walk hands it on.
type entry struct {
	name string
	r    io.Reader
	size int64
}

var partName = regexp.MustCompile(`^tables/([a-z_]+)/[0-9]{6,}\.jsonl$`)

// table is the table that e has rows of, or empty.
func (e entry) table() string {
	if m := partName.FindStringSubmatch(e.name); m != nil {
		return m[1]
	}
	return ""
}

// upload is the id of the file that e is, or empty.
func (e entry) upload() string {
	if id, ok := strings.CutPrefix(e.name, filesDir); ok && chat.ValidUpload(id) {
		return id
	}
	return ""
}

// all reads e, which has at most most bytes.
func (e entry) all(most int64) ([]byte, error) {
	if e.size > most {
		return nil, damaged("%s has %d bytes", e.name, e.size)
	}
	p := make([]byte, e.size)
	_, err := io.ReadFull(e.r, p)
	return p, err
}

// walk hands the entries of the archive in to f, in their order. read is told
// how many bytes of the file were read.
func walk(in string, read func(int64), f func(entry) error) error {
	file, err := os.Open(in)
	if err != nil {
		return err
	}
	defer file.Close()
	z, err := zstd.NewReader(&counted{file, read}, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(256<<20))
	if err != nil {
		return err
	}
	defer z.Close()
	t := tar.NewReader(z)
	for {
		h, err := t.Next()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return damaged("%w", err)
		case h.Typeflag != tar.TypeReg || path.Clean(h.Name) != h.Name:
			return damaged("it holds %q", h.Name)
		}
		if err := f(entry{h.Name, t, h.Size}); err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, zstd.ErrMagicMismatch) {
				err = damaged("%s: %w", h.Name, err)
			}
			return err
		}
	}
}

type counted struct {
	r    io.Reader
	read func(int64)
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.read(int64(n))
	return n, err
}

// Check reads all of the backup in, and returns what is in it, or what is wrong with it.
func Check(in string, p Progress) (Manifest, error) {
	m, err := check(in, p)
	if err != nil && !strings.HasPrefix(err.Error(), "the backup is damaged") && !errors.Is(err, os.ErrNotExist) {
		err = damaged("%w", err)
	}
	return m, err
}

func check(in string, p Progress) (Manifest, error) {
	info, err := os.Stat(in)
	if err != nil {
		return Manifest{}, err
	}
	p.Stage("Checking", info.Size())
	defer p.Done()
	c := checking{sums: map[string]string{}, all: sha256.New(), got: Manifest{Tables: map[string]int64{}}}
	if err := walk(in, p.Add, c.entry); err != nil {
		return Manifest{}, err
	}
	m, got := c.manifest, c.got
	switch {
	case m == nil:
		return Manifest{}, damaged("its end is missing")
	case m.Format != format:
		return *m, fmt.Errorf("the backup has the form %d, and this version of kamachat reads %d", m.Format, format)
	case len(c.sums) > 0 || m.Sums != hex.EncodeToString(c.all.Sum(nil)):
		return *m, damaged("what is in it and what it says of that differ")
	case m.Files != got.Files || m.Bytes != got.Bytes:
		return *m, damaged("it holds %d files of %d bytes, want %d of %d", got.Files, got.Bytes, m.Files, m.Bytes)
	}
	for name, n := range m.Tables {
		if got.Tables[name] != n {
			return *m, damaged("it holds %d rows of %s, want %d", got.Tables[name], name, n)
		}
		delete(got.Tables, name)
	}
	for name := range got.Tables {
		return *m, damaged("it holds rows of %s that it does not tell of", name)
	}
	return *m, nil
}

// checking is a check that is under way.
type checking struct {
	sums map[string]string // by the name of an entry, until its line comes
	all  interface {
		io.Writer
		Sum([]byte) []byte
	}
	got      Manifest
	manifest *Manifest
}

func (c *checking) entry(e entry) error {
	switch {
	case c.manifest != nil:
		return damaged("something follows its end")
	case e.name == manifest:
		p, err := e.all(maxManifest)
		if err != nil {
			return err
		}
		c.manifest = &Manifest{}
		return json.Unmarshal(p, c.manifest)
	case strings.HasPrefix(e.name, sumsDir):
		return c.lines(e)
	case e.table() != "":
		p, err := e.all(maxRows)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(p)
		c.sums[e.name] = hex.EncodeToString(sum[:])
		c.got.Tables[e.table()] += int64(bytes.Count(p, []byte("\n"))) - 1
		return nil
	case e.upload() != "":
		sum := sha256.New()
		n, err := io.Copy(sum, e.r)
		c.sums[e.name] = hex.EncodeToString(sum.Sum(nil))
		c.got.Files, c.got.Bytes = c.got.Files+1, c.got.Bytes+n
		return err
	}
	return damaged("it holds %q", e.name)
}

// lines compares with what an entry of sums/ says.
func (c *checking) lines(e entry) error {
	lines := bufio.NewScanner(io.TeeReader(e.r, c.all))
	for lines.Scan() {
		sum, name, _ := strings.Cut(lines.Text(), "  ")
		if got, ok := c.sums[name]; !ok || got != sum {
			return damaged("%s is not what it was", name)
		}
		delete(c.sums, name)
	}
	return lines.Err()
}
