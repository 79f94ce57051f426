package web

import (
	"cmp"
	"errors"
	"mime"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"kamachat/shared/chat"
)

// uploadPath is where programs upload.
const uploadPath = "/api/v1/files"

// fileRoutes are there where there are Files.
func (a *api) fileRoutes() {
	if a.Files == nil {
		return
	}
	raw[struct {
		Disposition string `header:"Content-Disposition" doc:"attachment; filename=… as in RFC 6266: its name"`
		Width       int64  `query:"width" minimum:"0" doc:"Of a picture, in pixels"`
		Height      int64  `query:"height" minimum:"0" doc:"Of a picture, in pixels"`
		RawBody     []byte `contentType:"*/*"`
	}, uploadAnswer](a, operation{
		Method: "POST", Path: uploadPath, ID: "uploadFile", Tag: "Files", Scope: "files:write",
		Summary: "Upload a file",
		About: "The body is the file as it is. Its type is found by looking at it. Until it is posted only its owner can read it, " +
			"and it is removed after a while.",
	}, a.apiUpload)
	file := &huma.Response{Description: "The file", Content: map[string]*huma.MediaType{"*/*": {Schema: &huma.Schema{Type: "string", Format: "binary"}}}}
	part := *file
	part.Description = "A part of it"
	raw[struct {
		ID    string `path:"id"`
		Name  string `path:"name" doc:"Anything: the id says which file it is"`
		Range string `header:"Range" doc:"Parts of it, as in RFC 9110"`
	}, none](a, operation{
		Method: "GET", Path: "/files/{id}/{name}", ID: "downloadFile", Tag: "Files", Scope: "files:read",
		Summary: "Read a file that one may read",
		Answers: map[string]*huma.Response{"200": file, "206": &part, "304": {Description: "It is as it was"}, "416": {Description: "There is no such part"}},
	}, a.file)
}

// apiUpload takes a file as the body of the request. Its name is in the header
// Content-Disposition, as in answers (RFC 6266), and so in no log of addresses;
// width and height in the query are what the client knows of a picture.
func (s *server) apiUpload(w http.ResponseWriter, r *http.Request, c caller) error {
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Disposition"))
	if err != nil {
		params = nil
	}
	width, werr := number(r, "width", 0)
	height, herr := number(r, "height", 0)
	if err := errors.Join(werr, herr); err != nil {
		return cmp.Or(werr, herr)
	}
	u := chat.Upload{
		Owner: c.ID, Name: params["filename"], Type: r.Header.Get("Content-Type"),
		Width: int(min(width, chat.MaxSide+1)), Height: int(min(height, chat.MaxSide+1)),
	}
	u, err = s.take(w, r, u, r.ContentLength, r.Body)
	if err != nil {
		return err
	}
	answer(w, uploadAnswer{fileAnswer{u.URL(), u.Name, u.Type, u.Size, u.Width, u.Height}})
	return nil
}

type uploadAnswer struct {
	File fileAnswer `json:"file"`
}

// A fileAnswer is a file as the API tells of it. Unlike chat.File its size is a number.
type fileAnswer struct {
	URL    string `json:"url"`
	Name   string `json:"name"`
	Type   string `json:"type"`
	Size   int64  `json:"size"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
}
