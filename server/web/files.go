package web

import (
	"cmp"
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"
	"time"

	"kamachat/shared/chat"
)

// Files is what the routes need to know of what people upload.
type Files interface {
	// MaxUpload is the bytes of the largest file.
	MaxUpload() int64
	// Take keeps what r has, size bytes or -1 where nobody knows, as a file of
	// u.Owner's. Unless it returns nil nothing is kept. An error of r comes back.
	Take(ctx context.Context, u chat.Upload, size int64, r io.Reader) (chat.Upload, error)
	// Open answers chat.NotFound where u may not read the file.
	Open(ctx context.Context, u chat.UserID, id string) (chat.Upload, io.ReadSeekCloser, error)
}

// Bounds on slow lines. A file may take longer than other requests, but its
// bytes must keep coming.
const (
	stallWithin = 30 * time.Second
	slowest     = 16 << 10 // bytes per second of a whole file
	beside      = time.Minute
	drainWithin = 10 * time.Second
)

// within is how long n bytes may take.
func within(n int64) time.Duration { return beside + time.Duration(n/slowest)*time.Second }

// mayBring is how many bytes a request's body may have.
func (s *server) mayBring(r *http.Request) int64 {
	if s.Files == nil || r.Method != http.MethodPost {
		return s.Limits.Body
	}
	switch {
	case r.URL.Path == uploadPath:
		return s.Files.MaxUpload() + 1 // the one by which it is too large
	case strings.HasPrefix(r.URL.Path, "/c/") && isMultipart(r):
		return s.Files.MaxUpload() + s.Limits.Body
	case (strings.HasPrefix(r.URL.Path, "/g/") || r.URL.Path == "/new") && isMultipart(r): // a group's picture
		return min(s.Files.MaxUpload(), 8<<20) + s.Limits.Body
	case r.URL.Path == atPicture && isMultipart(r):
		return min(s.Files.MaxUpload(), maxPicture) + s.Limits.Body
	}
	return s.Limits.Body
}

func isMultipart(r *http.Request) bool {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return kind == "multipart/form-data"
}

// take has in kept for as long as bytes come. Who sends a file that is refused
// is heard out for a while: browsers see an answer only after they have sent all.
func (s *server) take(w http.ResponseWriter, r *http.Request, u chat.Upload, size int64, in io.Reader) (chat.Upload, error) {
	rc := http.NewResponseController(w)
	end := time.Now().Add(within(s.Files.MaxUpload()))
	_ = rc.SetWriteDeadline(end.Add(beside)) // an error means a writer without deadlines, which only tests have
	body := &patientReader{r: in, rc: rc, end: end}
	u, err := s.Files.Take(r.Context(), u, size, body)
	if err == nil {
		return u, nil
	}
	_ = rc.SetReadDeadline(time.Now().Add(drainWithin))
	_, drained := io.Copy(io.Discard, r.Body)
	if big := (*http.MaxBytesError)(nil); errors.As(err, &big) || errors.As(drained, &big) {
		return u, chat.Refuse(chat.TooLong, "the file is too large")
	}
	if body.err != nil {
		return u, chat.Refuse(chat.Invalid, "the file did not come to its end")
	}
	return u, err
}

// A patientReader waits for each part of a body by itself, until end.
type patientReader struct {
	r   io.Reader
	rc  *http.ResponseController
	end time.Time
	err error // of r, other than its end
}

func (p *patientReader) Read(b []byte) (int, error) {
	next := time.Now().Add(stallWithin)
	if next.After(p.end) {
		next = p.end
	}
	_ = p.rc.SetReadDeadline(next) // an error means a reader without deadlines, which only tests have
	n, err := p.r.Read(b)
	if err != io.EOF {
		p.err = err
	}
	return n, err
}

// fileCSP lets a file do nothing at all, wherever it is opened.
const fileCSP = "sandbox; default-src 'none'"

// file serves an upload to those who may read it. Only what runs nothing is
// shown; all else is to be saved.
func (s *server) file(w http.ResponseWriter, r *http.Request, c caller) error {
	u, body, err := s.Files.Open(r.Context(), c.ID, r.PathValue("id"))
	if err != nil {
		return err
	}
	defer body.Close()
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(within(u.Size))) // as above
	how := "attachment"
	if chat.Media(u.Type) != "" {
		how = "inline"
	}
	h := w.Header()
	h.Set("Content-Security-Policy", fileCSP)
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Content-Type", u.Type)
	h.Set("Content-Disposition", cmp.Or(mime.FormatMediaType(how, map[string]string{"filename": u.Name}), how))
	h.Set("Cache-Control", "private, max-age=31536000, immutable")
	h.Set("Vary", "Cookie, Authorization") // whoever signs in next in this browser asks for it anew
	h.Set("ETag", `"`+u.ID+`"`)
	http.ServeContent(w, r, "", time.Time{}, body)
	return nil
}

// maxAtOnce is how many files one form may bring.
const maxAtOnce = 20

// A written is what a form to write brought.
type written struct {
	ref, text string
	files     []chat.Upload
}

// written reads the form to write; its files are kept as they come.
func (s *server) written(w http.ResponseWriter, r *http.Request, c caller) (in written, err error) {
	if s.Files == nil || !isMultipart(r) {
		return written{ref: r.PostFormValue("ref"), text: r.PostFormValue("text")}, nil
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return in, badBody(err)
	}
	for {
		p, err := parts.NextPart()
		if err == io.EOF {
			return in, nil
		}
		if err != nil {
			return in, badBody(err)
		}
		switch p.FormName() {
		case "ref":
			in.ref, err = field(p)
		case "text":
			in.text, err = field(p)
		case "files":
			if p.FileName() == "" {
				continue // an input in which nothing was chosen
			}
			if len(in.files) == maxAtOnce {
				return in, chat.Refuse(chat.TooLong, "too many files at once")
			}
			u := chat.Upload{Owner: c.ID, Name: p.FileName(), Type: p.Header.Get("Content-Type")}
			if u, err = s.take(w, r, u, -1, p); err == nil {
				in.files = append(in.files, u)
			}
		}
		if err != nil {
			return in, err
		}
	}
}

// field is the text of a field of a form.
func field(p *multipart.Part) (string, error) {
	b, err := io.ReadAll(io.LimitReader(p, 1<<20))
	if err != nil {
		return "", badBody(err)
	}
	return string(b), nil
}
