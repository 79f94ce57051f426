package web

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"kamachat/shared/chat"
)

// formType is the type of bodies that browsers and curl send where nothing else is said.
const formType = "application/x-www-form-urlencoded"

// formsDescribed tells of the forms that an operation takes.
func formsDescribed() *huma.RequestBody {
	word := func(about string) *huma.Schema { return &huma.Schema{Type: huma.TypeString, Description: about} }
	return &huma.RequestBody{Content: map[string]*huma.MediaType{formType: {Schema: &huma.Schema{
		Type: huma.TypeObject, Description: "What programs send that post to other services", AdditionalProperties: true,
		Properties: map[string]*huma.Schema{"payload": word("The JSON"), "text": word("Its text, where there is no payload")},
	}}}}
}

// readForm returns the JSON that a form has: as its field payload, or of its field
// text; or the body itself where that is JSON and just does not say so, as curl -d
// sends it. ok is false where r has no form.
func readForm(r *http.Request) (body []byte, ok bool, err error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != formType {
		return nil, false, nil
	}
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, true, badBody(err)
	}
	if b = bytes.TrimSpace(b); bytes.HasPrefix(b, []byte("{")) {
		return b, true, nil
	}
	form, err := url.ParseQuery(string(b))
	switch {
	case err != nil:
		return nil, true, badBody(err)
	case form.Has("payload"):
		return []byte(form.Get("payload")), true, nil
	case form.Has("text"):
		b, err = json.Marshal(map[string]string{"text": form.Get("text")})
		return b, true, err
	}
	return nil, true, chat.Refuse(chat.Invalid, "the form has neither a payload nor a text")
}

// asJSON is a request whose form was read.
type asJSON struct {
	steady
	body []byte
}

func (a asJSON) BodyReader() io.Reader { return bytes.NewReader(a.body) }

func (a asJSON) Header(name string) string {
	if name == "Content-Type" {
		return jsonType
	}
	return a.steady.Header(name)
}
