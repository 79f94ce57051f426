package web

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
)

// static serves files under names with a hash of their content, to be kept for
// ever: /static/app-0123456789abcdef.css. A file may have compressed twins,
// app.css.br and app.css.gz, and needs no uncompressed one beside them.
type static struct {
	byName map[string]*asset // "app.css"
	byURL  map[string]*asset // "/static/app-0123456789abcdef.css"
}

// An asset is one file in up to three encodings; those it lacks are nil.
type asset struct {
	url         string
	hash        string
	kind        string // Content-Type
	raw, br, gz []byte
}

// kinds are the types of the files we have; mime.TypeByExtension depends on the machine.
var kinds = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".wasm": "application/wasm",
	".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon", ".webp": "image/webp",
	".woff2": "font/woff2", ".json": "application/json", ".webmanifest": "application/manifest+json",
	".mp3": "audio/mpeg", ".ogg": "audio/ogg", ".txt": "text/plain; charset=utf-8",
}

func newStatic(fsys fs.FS) (*static, error) {
	st := &static{byName: map[string]*asset{}, byURL: map[string]*asset{}}
	if fsys == nil {
		return st, nil
	}
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".") {
			return err
		}
		b, err := fs.ReadFile(fsys, p)
		if err != nil {
			return err
		}
		st.add(p, b)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read static files: %w", err)
	}
	for name, a := range st.byName {
		a.finish(name)
		st.byURL[a.url] = a
	}
	return st, nil
}

// add takes in the content of one file.
func (st *static) add(p string, b []byte) {
	name, enc := p, path.Ext(p)
	if enc == ".br" || enc == ".gz" {
		name = strings.TrimSuffix(p, enc)
	}
	a := st.byName[name]
	if a == nil {
		a = &asset{}
		st.byName[name] = a
	}
	switch enc {
	case ".br":
		a.br = b
	case ".gz":
		a.gz = b
	default:
		a.raw = b
	}
}

// finish makes of the content an asset called name.
func (a *asset) finish(name string) {
	a.pack(name)
	a.name(name)
}

// pack gives a text that was not compressed when it was built its gzip twin.
func (a *asset) pack(name string) {
	if a.gz != nil || a.br != nil || len(a.raw) < 1024 || !slices.Contains(texts, path.Ext(name)) {
		return
	}
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return // the level is a constant that gzip knows
	}
	z.Write(a.raw) // a buffer takes everything
	z.Close()
	a.gz = out.Bytes()
}

// texts are the kinds of files that are worth compressing.
var texts = []string{".css", ".js", ".svg", ".txt", ".json", ".webmanifest"}

// name gives the asset its hash, of the smallest twin, and its URL.
func (a *asset) name(name string) {
	small := a.raw
	for _, b := range [][]byte{a.gz, a.br} {
		if b != nil && (small == nil || len(b) < len(small)) {
			small = b
		}
	}
	sum := sha256.Sum256(small)
	a.hash = hex.EncodeToString(sum[:8])
	ext := path.Ext(name)
	a.url = "/static/" + strings.TrimSuffix(name, ext) + "-" + a.hash + ext
	a.kind = cmp.Or(kinds[ext], "application/octet-stream")
}

// url returns the address of the file called name, "" when there is none.
func (st *static) url(name string) string {
	if a := st.byName[name]; a != nil {
		return a.url
	}
	return ""
}

func (st *static) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := st.byURL[r.URL.Path]
	if a == nil {
		w.Header().Set("Cache-Control", "no-store")
		http.NotFound(w, r)
		return
	}
	a.serve(w, r, "public, max-age=31536000, immutable")
}

// serve answers the asset in the best encoding that the client takes.
func (a *asset) serve(w http.ResponseWriter, r *http.Request, cache string) {
	enc, body, err := a.choose(r.Header.Get("Accept-Encoding"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotAcceptable)
		return
	}
	h := w.Header()
	tag := `"` + a.hash + cmp.Or(enc, "raw") + `"`
	h.Set("Cache-Control", cache)
	h.Set("Content-Type", a.kind)
	h.Set("ETag", tag)
	h.Add("Vary", "Accept-Encoding")
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if enc != "" {
		h.Set("Content-Encoding", enc)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method != http.MethodHead {
		w.Write(body)
	}
}

// choose picks the encoding and the bytes. A client that takes none of ours
// gets the file unpacked.
func (a *asset) choose(accept string) (enc string, body []byte, err error) {
	br, gz := accepts(accept)
	switch {
	case a.br != nil && br:
		return "br", a.br, nil
	case a.gz != nil && gz:
		return "gzip", a.gz, nil
	case a.raw != nil:
		return "", a.raw, nil
	case a.gz == nil:
		return "", nil, errors.New("this file is there in brotli only")
	}
	z, err := gzip.NewReader(bytes.NewReader(a.gz))
	if err != nil {
		return "", nil, errors.New("this file can't be unpacked")
	}
	body, err = io.ReadAll(z)
	return "", body, err
}

// accepts reads an Accept-Encoding header.
func accepts(header string) (br, gz bool) {
	for item := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(item, ";")
		if q, ok := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q="); ok {
			if v, err := strconv.ParseFloat(q, 64); err == nil && v == 0 {
				continue
			}
		}
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "br":
			br = true
		case "gzip", "x-gzip":
			gz = true
		case "*":
			br, gz = true, true
		}
	}
	return br, gz
}
