package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"kamachat/server/config"
)

const (
	phone = "+8613800000000"
	code  = "012345"
)

func TestCodesAreSentByTheWebhook(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		want   string // of the error, "" for none
	}{
		"taken":       {http.StatusNoContent, ""},
		"not there":   {http.StatusNotFound, "it answered 404"},
		"broken":      {http.StatusInternalServerError, "it answered 500"},
		"elsewhere":   {http.StatusTemporaryRedirect, "it answered 307"},
		"unreachable": {0, "it can't be reached"},
	} {
		t.Run(name, func(t *testing.T) {
			var asked []string
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				user, password, _ := r.BasicAuth()
				asked = append(asked, strings.Join([]string{r.Method, r.URL.Path, r.Header.Get("Content-Type"), user, password, string(body)}, " "))
				w.Header().Set("Location", "/other")
				w.WriteHeader(c.status)
			}))
			defer s.Close()
			if c.status == 0 {
				s.Close()
			}
			var logged bytes.Buffer
			send := codeSender(config.Config{Serving: config.Serving{Codes: strings.Replace(s.URL, "//", "//me:secret@", 1) + "/sms"}}, slog.New(slog.NewTextHandler(&logged, nil)))
			err := send.SendCode(t.Context(), phone, code)
			if said := ""; err != nil {
				said = err.Error()
				if c.want == "" || !strings.HasSuffix(said, c.want) || strings.Contains(said, "secret") || strings.Contains(said, code) || strings.Contains(said, phone) {
					t.Errorf("%q, want %q and nothing that is nobody's business", said, c.want)
				}
			} else if c.want != "" {
				t.Errorf("no error, want %q", c.want)
			}
			want := []string{"POST /sms application/json me secret " + `{"code":"012345","minutes":5,"phone":"+8613800000000"}`}
			if c.status == 0 {
				want = nil
			}
			if strings.Join(asked, "\n") != strings.Join(want, "\n") {
				t.Errorf("asked %q, want %q", asked, want)
			}
			if logged.Len() > 0 {
				t.Errorf("logged: %s", &logged)
			}
		})
	}
}

func TestCodesAreWrittenToTheLogWhereThatIsWanted(t *testing.T) {
	var logged bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&logged, nil))
	send := codeSender(config.Config{Serving: config.Serving{Codes: "log"}}, log)
	warned := strings.Contains(logged.String(), `"WARN"`)
	logged.Reset()
	if err := send.SendCode(t.Context(), phone, code); err != nil {
		t.Fatal(err)
	}
	var line struct{ Phone, Code string }
	if err := json.Unmarshal(logged.Bytes(), &line); err != nil || line.Phone != phone || line.Code != code || !warned {
		t.Errorf("logged %s, %v; warned before: %v", &logged, err, warned)
	}
	if s := codeSender(config.Config{Serving: config.Serving{Codes: "off"}}, log); s != nil {
		t.Errorf("codes that are off are sent by %T", s)
	}
}
