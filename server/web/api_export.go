package web

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"kamachat/server/export"
	"kamachat/shared/chat"
)

func (a *api) exportRoutes() {
	file := &huma.Response{Description: "The file", Content: map[string]*huma.MediaType{
		"application/json": {Schema: &huma.Schema{Type: "object"}}, "text/html": {Schema: &huma.Schema{Type: "string"}},
	}}
	raw[struct {
		ConvPath
		Format string `query:"format" enum:"json,html" default:"json" doc:"json, or html: a page to read"`
	}, none](a, operation{
		Method: "GET", Path: "/api/v1/conversations/{id}/export", ID: "exportConversation", Tag: "Conversations", Scope: "messages:read",
		Summary: "All of a conversation that one may read, as one file",
		About: "JSON: an object with `entries`, oldest first, each on a line of its own and like those of the history, and `people` whom they name. It is sent while it is " +
			"read; one that is cut short does not end as JSON does.",
		Answers: map[string]*huma.Response{"200": file},
	}, a.apiExport)
}

// apiExport writes while it reads. What goes wrong after the beginning cuts the answer.
func (s *server) apiExport(w http.ResponseWriter, r *http.Request, c caller) error {
	conv, err := s.conv(r, c)
	if err != nil {
		return err
	}
	o, err := s.order(w, r, c, conv)
	if err != nil {
		return err
	}
	switch o.Format = r.URL.Query().Get("format"); o.Format {
	case "":
		o.Format = export.JSON
	case export.JSON, export.HTML:
	default:
		return chat.Refuse(chat.Invalid, "there is no such format")
	}
	if err := s.Accounts.AdmitChange(c.ID); err != nil {
		return err
	}
	attached(w, "kamachat "+o.Title+" "+o.Now.In(zone(r)).Format("2006-01-02"), o.Format)
	w.Header().Set("Cache-Control", "no-store")
	if err := export.Conversation(r.Context(), s.Hub, o, w, nil); err != nil {
		if r.Context().Err() == nil {
			s.Log.Error("an export is cut short", "conv", conv, "user", c.ID, "err", err)
		}
		panic(http.ErrAbortHandler)
	}
	return nil
}
