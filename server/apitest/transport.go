package apitest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
)

// A Transport is a client's: every answer of the API is held against a description,
// and every request that was granted. It is safe for concurrent use.
type Transport struct {
	Base     http.RoundTripper
	Describe func() (*Description, error) // asked once, before the first answer is held
	Wrong    func(error)                  // told what is wrong

	once sync.Once
	d    *Description
	err  error
}

// RoundTrip is http.RoundTripper's.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if !Held(r.URL.Path) {
		return t.Base.RoundTrip(r)
	}
	if t.once.Do(func() { t.d, t.err = t.Describe() }); t.err != nil {
		return nil, errors.Join(fmt.Errorf("the API's description is not to be had: %w", t.err), closed(r))
	}
	sent := &bytes.Buffer{}
	asked := r
	if r.Body != nil && r.GetBody == nil {
		asked = r.Clone(r.Context())
		asked.Body = struct {
			io.Reader
			io.Closer
		}{io.TeeReader(r.Body, sent), r.Body}
	}
	res, err := t.Base.RoundTrip(asked)
	if err != nil {
		return nil, err
	}
	if r.GetBody != nil {
		b, err := r.GetBody()
		if err == nil {
			_, err = sent.ReadFrom(b)
			err = errors.Join(err, b.Close())
		}
		if err != nil {
			return nil, errors.Join(err, res.Body.Close())
		}
	}
	x := Exchange{Request: r, Sent: sent.Bytes(), Status: res.StatusCode, Header: res.Header}
	if whole(r, x.Status, x.Header) {
		var cut error
		x.Body, cut = io.ReadAll(res.Body)
		body := io.Reader(bytes.NewReader(x.Body))
		if cut != nil { // for who asked to find
			body = io.MultiReader(body, broken{cut})
		}
		res.Body = struct {
			io.Reader
			io.Closer
		}{body, res.Body}
		if cut != nil {
			return res, nil
		}
	}
	if err := t.d.Check(x); err != nil && r.Context().Err() == nil {
		t.Wrong(x.told(err))
	}
	return res, nil
}

// CloseIdleConnections is what http.Client looks for.
func (t *Transport) CloseIdleConnections() {
	if c, ok := t.Base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

func closed(r *http.Request) error {
	if r.Body == nil {
		return nil
	}
	return r.Body.Close()
}

// Hold has all clients of this process that do not bring a transport of their own
// held against what describe returns, in JSON. end takes what a TestMain exits with,
// and returns what it is to exit with: what was wrong is said on standard error, and
// fails.
func Hold(describe func() ([]byte, error)) (end func(code int) int) {
	was := http.DefaultTransport
	var mu sync.Mutex
	var wrong []error
	http.DefaultTransport = &Transport{
		Base: was,
		Describe: func() (*Description, error) {
			doc, err := describe()
			if err != nil {
				return nil, err
			}
			return Read(doc)
		},
		Wrong: func(err error) {
			mu.Lock()
			defer mu.Unlock()
			wrong = append(wrong, err)
		},
	}
	return func(code int) int {
		http.DefaultTransport = was
		mu.Lock()
		defer mu.Unlock()
		for _, err := range wrong {
			fmt.Fprintln(os.Stderr, "not as it is described:", err)
			code = max(code, 1)
		}
		return code
	}
}
