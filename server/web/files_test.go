package web

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	archives "kamachat/server/files"
	"kamachat/shared/chat"
)

const maxFile = 2 << 20

const pngHead = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"

// An archive is a house whose people can upload, over the hub of the program.
type archive struct {
	*house
	dir    string
	broken atomic.Pointer[error] // what the disk answers, if anything
}

// disk is a store that can be broken.
type disk struct {
	*archives.Folder
	a *archive
}

func (d disk) Put(id string, r io.Reader) (int64, error) {
	if err := d.a.broken.Load(); err != nil {
		_, _ = io.CopyN(io.Discard, r, 1000)
		return 0, *err
	}
	return d.Folder.Put(id, r)
}

func openArchive(t *testing.T) *archive {
	t.Helper()
	a := &archive{dir: t.TempDir()}
	folder, err := archives.OpenFolder(a.dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = folder.Close() })
	a.house = openHouse(t, func(h *house, c *Config) {
		withRealHub(h, c)
		c.Files = archives.New(archives.Config{Records: h.db, Store: disk{folder, a}, Max: maxFile, Log: c.Log})
	})
	return a
}

// upload sends body as a file called name.
func (a *archive) upload(c *http.Client, name, claimed, body string, extra ...string) reply {
	a.t.Helper()
	how := "attachment; filename*=UTF-8''" + strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
	return a.do(c, "POST", uploadPath+"?width=40&height=30", strings.NewReader(body), append([]string{"Content-Type", claimed, "Content-Disposition", how}, extra...)...)
}

// sent uploads a file that must be taken.
func (a *archive) sent(c *http.Client, name, claimed, body string) fileAnswer {
	a.t.Helper()
	got := a.upload(c, name, claimed, body)
	if got.status != 200 {
		a.t.Fatalf("upload of %q: %d %s", name, got.status, got.body)
	}
	return decode[struct{ File fileAnswer }](a.t, got).File
}

// post posts an uploaded file, as the browser's program does.
func (a *archive) post(c *http.Client, to, address string) reply {
	a.t.Helper()
	body := fmt.Sprintf(`{"content":{"k":"file","file":{"url":%q,"name":"x","type":"text/html","size":"1"}}}`, address)
	return a.do(c, "POST", "/api/v1/conversations/"+to+"/messages", strings.NewReader(body))
}

// kept are the files on the disk.
func (a *archive) kept() (paths []string) {
	a.t.Helper()
	err := filepath.WalkDir(a.dir, func(p string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			paths = append(paths, p)
		}
		return err
	})
	if err != nil {
		a.t.Fatal(err)
	}
	return paths
}

func TestUploadedFileIsServedAsItIs(t *testing.T) {
	a := openArchive(t)
	ann := a.signedIn(a.ann)
	big := pngHead + strings.Repeat("0123456789", 100_000)
	f := a.sent(ann, "假期 1.png", "image/png", big)
	if f.Type != "image/png" || f.Size != int64(len(big)) || f.Width != 40 || f.Height != 30 || f.Name != "假期 1.png" {
		t.Errorf("uploaded as %+v", f)
	}
	got := a.do(ann, "GET", f.URL, nil)
	if got.status != 200 || got.body != big {
		t.Errorf("served %d, %d bytes", got.status, len(got.body))
	}
	for name, want := range map[string]string{
		"Content-Type": "image/png", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'",
		"Cache-Control": "private, max-age=31536000, immutable", "Cross-Origin-Resource-Policy": "same-origin",
		"Content-Disposition": "inline; filename*=utf-8''%E5%81%87%E6%9C%9F%201.png", "Accept-Ranges": "bytes", "Vary": "Cookie, Authorization",
	} {
		if h := got.header.Get(name); h != want {
			t.Errorf("%s is %q, want %q", name, h, want)
		}
	}
	part := a.do(ann, "GET", f.URL, nil, "Range", "bytes=100-109")
	if part.status != 206 || part.body != big[100:110] || part.header.Get("Content-Range") != fmt.Sprintf("bytes 100-109/%d", len(big)) {
		t.Errorf("a range is %d %q %s", part.status, part.body, part.header.Get("Content-Range"))
	}
	if got := a.do(ann, "GET", f.URL, nil, "If-None-Match", got.header.Get("ETag")); got.status != 304 {
		t.Errorf("asked for again: %d", got.status)
	}
	if got := a.do(ann, "GET", f.URL, nil, "Range", "bytes=9999999-"); got.status != 416 {
		t.Errorf("a range beyond the end: %d", got.status)
	}
}

func TestOnlyReadersGetAFile(t *testing.T) {
	a := openArchive(t)
	ann, bob := a.signedIn(a.ann), a.signedIn(a.bob)
	eve, err := a.accounts.Register(t.Context(), "eve", "password1", "")
	if err != nil {
		t.Fatal(err)
	}
	f := a.sent(ann, "x.png", "", pngHead)
	status := func(c *http.Client, extra ...string) int { return a.do(c, "GET", f.URL, nil, extra...).status }
	if got := []int{status(ann), status(bob), status(a.browser()), status(http.DefaultClient, bearerOf(a.token(eve))...)}; !slices.Equal(got, []int{200, 404, 401, 404}) {
		t.Errorf("before it is posted owner, other, nobody and stranger get %v", got)
	}
	if got := a.post(bob, string(a.ann.ID), f.URL); got.status != 410 {
		t.Errorf("another posts it: %d %s", got.status, got.body)
	}
	got := a.post(ann, string(a.bob.ID), f.URL)
	if m := decode[chat.Message](t, got); got.status != 200 || m.Content.File.Type != "image/png" || m.Content.File.Name != "x.png" || m.Content.File.Width != 40 {
		t.Errorf("posted as %d %s", got.status, got.body)
	}
	if got := []int{status(ann), status(bob), status(http.DefaultClient, bearerOf(a.token(a.bob))...), status(a.browser()), status(http.DefaultClient, bearerOf(a.token(eve))...)}; !slices.Equal(got, []int{200, 200, 200, 401, 404}) {
		t.Errorf("posted to bob, owner, bob, bob by token, nobody and stranger get %v", got)
	}
	for _, p := range []string{"/files/" + strings.Repeat("A", 26) + "/x.png", "/files/..%2f..%2fetc/passwd", "/files/x/y", "/files/%00/y"} {
		if got := a.do(ann, "GET", p, nil); got.status != 404 {
			t.Errorf("%s: %d", p, got.status)
		}
	}
}

func TestNothingUploadedRunsHere(t *testing.T) {
	a := openArchive(t)
	ann := a.signedIn(a.ann)
	for _, c := range []struct{ name, claimed, body, kind, how string }{
		{"evil.png", "image/png", "<!DOCTYPE html><script>alert(document.cookie)</script>", "application/octet-stream", "attachment"},
		{"evil.svg", "image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`, "application/octet-stream", "attachment"},
		{"page.html", "text/html", "<script>alert(1)</script>", "application/octet-stream", "attachment"},
		{"a.pdf", "text/html", "%PDF-1.7 <script>", "application/pdf", "attachment"},
		{"a.js", "text/javascript", "alert(1)", "application/octet-stream", "attachment"},
		{"both.gif", "text/html", "GIF89a<script>alert(1)</script>", "image/gif", "inline"},
		{"nothing.png", "image/png", "", "application/octet-stream", "attachment"},
		{"song.ogg", "audio/ogg", "OggS\x00\x02aaaaaaaaaaaaaaaaaaaaaaOpusHead", "audio/ogg", "inline"},
	} {
		f := a.sent(ann, c.name, c.claimed, c.body)
		got := a.do(ann, "GET", f.URL, nil)
		how, _, _ := strings.Cut(got.header.Get("Content-Disposition"), ";")
		if got.status != 200 || got.body != c.body || got.header.Get("Content-Type") != c.kind || f.Type != c.kind || how != c.how ||
			got.header.Get("Content-Security-Policy") != fileCSP || got.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d as %v, told as %s", c.name, got.status, got.header, f.Type)
		}
	}
}

func TestNamesAreOnlyNames(t *testing.T) {
	a := openArchive(t)
	ann := a.signedIn(a.ann)
	for sent, want := range map[string]string{
		"../../../etc/passwd": "passwd", `..\..\boot.ini`: "boot.ini", "\u202egpj.exe": "gpj.exe", "a\r\nX-Evil: 1.txt": "a  X-Evil: 1.txt",
		"": "file", "..": "file", "nul\x00.txt": "nul.txt", `q"uo;te.txt`: `q"uo;te.txt`, strings.Repeat("长", 300) + ".txt": strings.Repeat("长", 146) + ".txt",
	} {
		f := a.sent(ann, sent, "", "x")
		if f.Name != want || len(f.URL) > chat.MaxURL || !strings.HasSuffix(f.URL, "/"+url.PathEscape(want)) {
			t.Errorf("%q became %q at %s, want %q", sent, f.Name, f.URL, want)
		}
		got := a.do(ann, "GET", f.URL, nil)
		if got.status != 200 || got.body != "x" || got.header.Get("X-Evil") != "" {
			t.Errorf("%q: %d %v", sent, got.status, got.header)
		}
	}
	for _, p := range a.kept() {
		if id := filepath.Base(p); !chat.ValidUpload(id) || filepath.Dir(filepath.Dir(p)) != a.dir {
			t.Errorf("a file is at %s", p)
		}
	}
	// No name, and one that is not written as it should be.
	for _, how := range []string{"", "attachment; filename=", "=", "attachment; filename*=UTF-8''%zz"} {
		if got := a.do(ann, "POST", uploadPath, strings.NewReader("x"), "Content-Disposition", how); got.status != 200 || !strings.Contains(got.body, `"name":"file"`) {
			t.Errorf("%q: %d %s", how, got.status, got.body)
		}
	}
}

func TestUploadsThatAreNotTaken(t *testing.T) {
	a := openArchive(t)
	ann := a.signedIn(a.ann)
	large := strings.Repeat("x", maxFile+1)
	for name, c := range map[string]struct {
		got  reply
		code chat.Code
	}{
		"too large":           {a.upload(ann, "x", "", large), chat.TooLong},
		"too large, unsaid":   {a.do(ann, "POST", uploadPath, struct{ io.Reader }{strings.NewReader(large)}), chat.TooLong},
		"nobody":              {a.upload(a.browser(), "x", "", "x"), chat.SignedOut},
		"from another site":   {a.upload(ann, "x", "", "x", "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"), chat.Forbidden},
		"width is no number":  {a.do(ann, "POST", uploadPath+"?width=wide", strings.NewReader("x")), chat.Invalid},
		"height is below all": {a.do(ann, "POST", uploadPath+"?height=-3", strings.NewReader("x")), chat.Invalid},
	} {
		if p := decode[problem](t, c.got); p.Code != c.code || p.Status != c.got.status || c.got.status != statuses[c.code] {
			t.Errorf("%s: %d %s, want %s", name, c.got.status, c.got.body, c.code)
		}
	}
	for err, want := range map[error]int{chat.Refuse(chat.Full, "no room"): 507, syscall.EIO: 500} {
		a.broken.Store(&err)
		if got := a.upload(ann, "x", "", strings.Repeat("x", maxFile)); got.status != want || !strings.Contains(got.header.Get("Content-Type"), "problem+json") {
			t.Errorf("%v: %d %s", err, got.status, got.body)
		}
		a.broken.Store(nil)
	}
	if left := a.kept(); len(left) > 0 {
		t.Errorf("left are %v", left)
	}
	if got := a.sent(ann, "x", "", strings.Repeat("x", maxFile)); got.Size != maxFile {
		t.Errorf("the largest that is taken has %d bytes", got.Size)
	}
	// Huge sides are nobody's business.
	f := decode[struct{ File fileAnswer }](t, a.do(ann, "POST", uploadPath+"?width=99999999999&height=1", strings.NewReader(pngHead))).File
	if f.Width != 0 || f.Height != 0 {
		t.Errorf("claimed to be huge it is %+v", f)
	}
}

func TestDayOfUploadsEnds(t *testing.T) {
	a := openArchive(t)
	ann := a.signedIn(a.ann)
	for range 20 {
		a.sent(ann, "x", "", strings.Repeat("x", maxFile))
	}
	got := a.upload(ann, "x", "", "x")
	if p := decode[problem](t, got); got.status != 429 || p.Code != chat.RateLimited || p.RetryAfter == 0 {
		t.Errorf("one more: %d %s", got.status, got.body)
	}
	if got := a.upload(a.signedIn(a.bob), "x", "", "x"); got.status != 200 {
		t.Errorf("another person: %d %s", got.status, got.body)
	}
}

func TestInterruptedUploadLeavesNothing(t *testing.T) {
	a := openArchive(t)
	token := a.token(a.ann)
	c, err := net.Dial("tcp", strings.TrimPrefix(a.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 100000\r\n\r\n%s", uploadPath, token, strings.Repeat("x", 60_000))
	for len(a.kept()) == 0 {
		if t.Context().Err() != nil {
			t.Fatal("nothing arrives")
		}
	}
	_ = c.Close()
	for len(a.kept()) > 0 {
		if t.Context().Err() != nil {
			t.Fatal("a part stays")
		}
	}
	ids, err := a.db.StaleUploads(t.Context(), 1<<60, 10)
	for err == nil && len(ids) > 0 { // it is removed behind the bytes
		ids, err = a.db.StaleUploads(t.Context(), 1<<60, 10)
	}
	if err != nil {
		t.Error(err)
	}
}

// formOf is a multipart form; a value "@name:body" is a file.
func formOf(t *testing.T, kv ...string) (body *bytes.Buffer, kind []string) {
	t.Helper()
	body = &bytes.Buffer{}
	w := multipart.NewWriter(body)
	for i := 0; i < len(kv); i += 2 {
		file, ok := strings.CutPrefix(kv[i+1], "@")
		if !ok {
			if err := w.WriteField(kv[i], kv[i+1]); err != nil {
				t.Fatal(err)
			}
			continue
		}
		name, content, _ := strings.Cut(file, ":")
		p, err := w.CreateFormFile(kv[i], name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(p, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return body, []string{"Content-Type", w.FormDataContentType()}
}

func TestFormBringsFilesWithoutAScript(t *testing.T) {
	a := openArchive(t)
	ann, bob := a.signedIn(a.ann), a.signedIn(a.bob)
	path := "/c/" + string(a.bob.ID)
	send := func(kv ...string) reply {
		body, kind := formOf(t, kv...)
		return a.do(ann, "POST", path, body, kind...)
	}
	if got := send("text", "two of them", "ref", "r1", "files", "@一.png:"+pngHead, "files", "@b.txt:words"); got.status != 303 {
		t.Fatalf("sending: %d %s", got.status, got.body)
	}
	if got := send("text", "", "ref", "r2", "files", "@c.txt:alone"); got.status != 303 {
		t.Errorf("a file alone: %d %s", got.status, got.body)
	}
	if got := send("text", "words alone", "ref", "r3", "files", "@:"); got.status != 303 {
		t.Errorf("words alone: %d %s", got.status, got.body)
	}
	if got := send("text", " ", "ref", "r4"); got.status != 400 || !strings.Contains(got.body, "Write something first") {
		t.Errorf("nothing at all: %d %s", got.status, got.body)
	}
	got := send("text", "kept words", "ref", "r5", "files", "@big:"+strings.Repeat("x", maxFile+1))
	if got.status != 413 || !strings.Contains(got.body, "kept words") || !strings.Contains(got.body, "The file is too large") {
		t.Errorf("too large: %d %.600s", got.status, got.body)
	}
	// The same form once more, as when the page is loaded again.
	if got := send("text", "two of them", "ref", "r1", "files", "@一.png:"+pngHead, "files", "@b.txt:words"); got.status != 303 {
		t.Errorf("again: %d %s", got.status, got.body)
	}
	page := decode[chat.Page](t, a.do(bob, "GET", "/api/v1/conversations/"+string(a.ann.ID)+"/messages", nil))
	var said []string
	for _, m := range page.Entries {
		if f := m.Content.File; f != nil {
			said = append(said, f.Name+" "+f.Type)
			if got := a.do(bob, "GET", f.URL, nil); got.status != 200 {
				t.Errorf("%s at the other: %d", f.Name, got.status)
			}
		} else {
			said = append(said, m.Content.Text)
		}
	}
	if want := []string{"two of them", "一.png image/png", "b.txt application/octet-stream", "c.txt application/octet-stream", "words alone"}; !slices.Equal(said, want) {
		t.Errorf("the log has %q, want %q", said, want)
	}
}

func TestOtherBodiesStaySmall(t *testing.T) {
	a := openArchive(t)
	ann := a.signedIn(a.ann)
	large := strings.Repeat("x", 1<<20+1)
	if got := a.do(ann, "POST", "/c/"+string(a.bob.ID), form("text", large)); got.status == 303 {
		t.Error("a form of more than 1 MiB was taken")
	}
	if got := a.do(ann, "POST", "/api/v1/groups", strings.NewReader(`{"name":"`+large+`"}`)); got.status != 413 {
		t.Errorf("a large body elsewhere: %d", got.status)
	}
}

// Without Files there is no way to upload.
func TestWithoutFilesThereAreNone(t *testing.T) {
	h := open(t)
	ann := h.signedIn(h.ann)
	for method, path := range map[string]string{"POST": uploadPath, "GET": "/files/" + strings.Repeat("A", 26) + "/x"} {
		if got := h.do(ann, method, path, strings.NewReader("x")); got.status != 404 {
			t.Errorf("%s %s: %d", method, path, got.status)
		}
	}
}

// An upload may take longer than other requests, as long as its bytes come.
func TestSlowUploadIsWaitedFor(t *testing.T) {
	a := openArchive(t)
	const within = time.Second
	srv := httptest.NewUnstartedServer(a.Config.Handler)
	srv.Config.ReadTimeout, srv.Config.WriteTimeout = within, within
	srv.Start()
	defer srv.Close()
	body, w := io.Pipe()
	go func() {
		for range 4 {
			_, _ = io.WriteString(w, "part")
			time.Sleep(within / 2) // slow on purpose: longer in all than the server waits for others
		}
		_ = w.Close()
	}()
	req, err := http.NewRequestWithContext(t.Context(), "POST", srv.URL+uploadPath, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+a.token(a.ann))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != 200 || !strings.Contains(string(b), `"size":16`) {
		t.Errorf("%d %s %v", res.StatusCode, b, err)
	}
}
