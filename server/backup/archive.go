package backup

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"

	"kamachat/server/files"
	"kamachat/server/store"
)

// Names in the archive.
const (
	tablesDir = "tables/"
	filesDir  = "files/"
	sumsDir   = "sums/"
	manifest  = "manifest.json"
)

// maxSums is about how many bytes of sums are kept until they are written; a
// reader has to remember as many entries.
const maxSums = 1 << 20

// A writer writes an archive.
type writer struct {
	zip   *zstd.Encoder
	tar   *tar.Writer
	made  time.Time
	sums  bytes.Buffer
	parts int
	all   hash.Hash // of all sums
	text  bytes.Buffer
}

func newWriter(to io.Writer, made time.Time) (*writer, error) {
	z, err := zstd.NewWriter(to, zstd.WithEncoderConcurrency(2))
	if err != nil {
		return nil, err
	}
	return &writer{zip: z, tar: tar.NewWriter(z), made: made, all: sha256.New()}, nil
}

// abandon frees what an archive that is not ended has. After end it does nothing.
func (w *writer) abandon() {
	if w.zip != nil {
		_ = w.zip.Close()
		w.zip = nil
	}
}

func (w *writer) head(name string, size int64) error {
	return w.tar.WriteHeader(&tar.Header{Name: name, Size: size, Mode: 0o600, ModTime: w.made.Truncate(time.Second), Format: tar.FormatPAX})
}

// summed notes the sum of an entry.
func (w *writer) summed(sum []byte, name string) error {
	fmt.Fprintf(&w.sums, "%x  %s\n", sum, name)
	if w.sums.Len() < maxSums {
		return nil
	}
	return w.flush()
}

func (w *writer) flush() error {
	if w.sums.Len() == 0 {
		return nil
	}
	w.parts++
	w.all.Write(w.sums.Bytes())
	if err := w.head(fmt.Sprintf("%s%06d", sumsDir, w.parts), int64(w.sums.Len())); err != nil {
		return err
	}
	_, err := w.sums.WriteTo(w.tar)
	return err
}

// rows writes rows of t as one entry.
func (w *writer) rows(t store.Table, part int, rows []store.Row) error {
	if len(rows) == 0 {
		return nil
	}
	w.text.Reset()
	enc := json.NewEncoder(&w.text) // ends each value with a line
	enc.SetEscapeHTML(false)
	if err := enc.Encode(t.Columns); err != nil {
		return err
	}
	for _, r := range rows {
		out := make([]any, len(r))
		for i, v := range r {
			if s, ok := v.(string); ok && !utf8.ValidString(s) {
				v = raw{base64.StdEncoding.EncodeToString([]byte(s))}
			}
			out[i] = v
		}
		if err := enc.Encode(out); err != nil {
			return err
		}
	}
	name := fmt.Sprintf("%s%s/%06d.jsonl", tablesDir, t.Name, part)
	sum := sha256.Sum256(w.text.Bytes())
	if err := w.head(name, int64(w.text.Len())); err != nil {
		return err
	}
	if _, err := w.text.WriteTo(w.tar); err != nil {
		return err
	}
	return w.summed(sum[:], name)
}

// raw is a value of bytes that are no text.
type raw struct {
	B string `json:"b"`
}

// upload writes the file kept under id and returns its bytes. Where there is
// none, nothing is written and the error is an fs.ErrNotExist.
func (w *writer) upload(from *files.Folder, id string) (int64, error) {
	r, err := from.Open(id)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	n, err := r.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = r.Seek(0, io.SeekStart)
	}
	if err == nil {
		err = w.head(filesDir+id, n)
	}
	if err != nil {
		return 0, err
	}
	sum := sha256.New()
	if got, err := io.Copy(io.MultiWriter(w.tar, sum), io.LimitReader(r, n)); err != nil || got != n {
		return 0, fmt.Errorf("copy the file %s: %d of %d bytes (%w)", id, got, n, errors.Join(err, errShort))
	}
	return n, w.summed(sum.Sum(nil), filesDir+id)
}

var errShort = errors.New("it is shorter than it was")

// end writes the rest, and m.
func (w *writer) end(m *Manifest) error {
	if err := w.flush(); err != nil {
		return err
	}
	m.Sums = hex.EncodeToString(w.all.Sum(nil))
	p, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	if err := w.head(manifest, int64(len(p))); err != nil {
		return err
	}
	if _, err := w.tar.Write(p); err != nil {
		return err
	}
	if err := w.tar.Close(); err != nil {
		return err
	}
	err = w.zip.Close()
	w.zip = nil
	return err
}

// decoded returns the columns and the rows of an entry of tables/.
func decoded(p []byte) (columns []string, rows []store.Row, err error) {
	d := json.NewDecoder(bytes.NewReader(p))
	d.UseNumber()
	if err := d.Decode(&columns); err != nil {
		return nil, nil, err
	}
	for {
		var in []any
		switch err := d.Decode(&in); {
		case err == io.EOF:
			return columns, rows, nil
		case err != nil:
			return nil, nil, err
		case len(in) != len(columns):
			return nil, nil, fmt.Errorf("a row has %d values, want %d", len(in), len(columns))
		}
		r := make(store.Row, len(in))
		for i, v := range in {
			if r[i], err = value(v); err != nil {
				return nil, nil, fmt.Errorf("%s: %w", columns[i], err)
			}
		}
		rows = append(rows, r)
	}
}

func value(v any) (any, error) {
	switch v := v.(type) {
	case nil, string:
		return v, nil
	case json.Number:
		return strconv.ParseInt(string(v), 10, 64)
	case map[string]any:
		if s, ok := v["b"].(string); ok && len(v) == 1 {
			b, err := base64.StdEncoding.DecodeString(s)
			return string(b), err
		}
	}
	return nil, fmt.Errorf("a value is a %T", v)
}
