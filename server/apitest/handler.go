package apitest

import (
	"bytes"
	"io"
	"net/http"
)

// Handler is h with every answer held against d, and every request that was granted.
// What is wrong is told to wrong.
func (d *Description) Handler(h http.Handler, wrong func(error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !Held(r.URL.Path) {
			h.ServeHTTP(w, r)
			return
		}
		said, heard := &overheard{ResponseWriter: w, status: http.StatusOK}, &bytes.Buffer{}
		r.Body = struct {
			io.Reader
			io.Closer
		}{io.TeeReader(r.Body, heard), r.Body}
		h.ServeHTTP(said, r)
		x := Exchange{r, heard.Bytes(), said.status, said.Header(), said.body.Bytes()}
		if err := d.Check(x); err != nil && r.Context().Err() == nil {
			wrong(x.told(err))
		}
	})
}

// overheard takes down what is answered.
type overheard struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (o *overheard) WriteHeader(status int) {
	o.status = status
	o.ResponseWriter.WriteHeader(status)
}

func (o *overheard) Write(p []byte) (int, error) {
	o.body.Write(p)
	return o.ResponseWriter.Write(p)
}

func (o *overheard) Unwrap() http.ResponseWriter { return o.ResponseWriter }
