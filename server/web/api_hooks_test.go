package web

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"kamachat/shared/chat"
)

// saidByHook remembers what is posted by webhooks.
type saidByHook struct {
	noHooks
	texts *[]string
}

func (s saidByHook) Post(_ context.Context, _, _, _, text string, _ func(chat.UserID) error) (chat.Message, error) {
	*s.texts = append(*s.texts, text)
	return chat.Message{Conv: "G1", Seq: 1}, nil
}

// Programs that post to other services' webhooks post here, too.
func TestWebhooksTakeWhatProgramsSend(t *testing.T) {
	var texts []string
	h := open(t, func(c *Config) { c.Limits.Body, c.Hooks = 2000, saidByHook{texts: &texts} })
	const none, as, urlencoded = "", "application/json", "application/x-www-form-urlencoded"
	for name, c := range map[string]struct {
		kind, body string
		want       string // empty: refused
	}{
		"JSON":                               {as, `{"text":"a b"}`, "a b"},
		"JSON with a charset":                {as + "; charset=utf-8", `{"text":"a ü"}`, "a ü"},
		"JSON, and more than is known":       {as, `{"text":"x","channel":"#ops","attachments":[{"color":"red"}]}`, "x"},
		"nothing said":                       {none, `{"text":"a"}`, "a"},
		"JSON that curl -d calls a form":     {urlencoded, ` {"text":"a & b=c"}`, "a & b=c"},
		"a form with JSON":                   {urlencoded, `payload=%7B%22text%22%3A%22a+b%22%2C%22username%22%3A%22ci%22%7D`, "a b"},
		"a form with JSON, and a charset":    {urlencoded + "; charset=UTF-8", `payload=%7B%22text%22%3A%22a%22%7D`, "a"},
		"a form with a text":                 {urlencoded, `text=a+b%20%26+c`, "a b & c"},
		"a form that comes to nothing":       {urlencoded, `channel=x`, ""},
		"a form that is none":                {urlencoded, `text=%zz`, ""},
		"a form with what is no JSON":        {urlencoded, `payload=%7B`, ""},
		"a form that is too large":           {urlencoded, `text=` + strings.Repeat("x", 2000), ""},
		"another form":                       {"multipart/form-data; boundary=x", "--x\r\n", ""},
		"something else":                     {"text/plain", `{"text":"a"}`, ""},
		"nothing at all, and it says a form": {urlencoded, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			texts = nil
			extra := []string{}
			if c.kind != none {
				extra = []string{"Content-Type", c.kind}
			}
			got := h.do(http.DefaultClient, "POST", "/api/v1/hooks/h/s", struct{ io.Reader }{strings.NewReader(c.body)}, extra...)
			said := strings.Join(texts, "|")
			if c.want == "" && (got.status < 400 || got.status > 499) || c.want != "" && (got.status != 200 || said != c.want) {
				t.Errorf("%d %s, posted %q, want %q", got.status, got.body, said, c.want)
			}
		})
	}
	// Nothing else takes forms: another site's page could send them.
	if got := h.do(h.signedIn(h.ann), "POST", "/api/v1/conversations/"+string(h.bob.ID)+"/messages", form("text", "x")); got.status != 400 {
		t.Errorf("a message as a form: %d %s", got.status, got.body)
	}
}
