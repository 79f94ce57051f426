package chat

import (
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// An Upload is what is known of a file that somebody sent to this server.
type Upload struct {
	ID            string // names it for ever; nobody can guess it
	Owner         UserID
	Name          string // as CleanName returns it
	Type          string // MIME type, found by looking at the file
	Size          int64  // bytes
	Width, Height int    // pixels, 0 where nobody knows
	At            int64  // Unix milliseconds
}

// filesPath is where uploads are served: filesPath + ID + "/" + name.
const filesPath = "/files/"

// uploadID is the length of an Upload's ID: 130 random bits in base 32.
const uploadID = 26

// MaxSide is the most pixels that a picture may claim to be wide or high.
const MaxSide = 32_767

// ValidUpload reports whether id has the form of an Upload's.
func ValidUpload(id string) bool {
	return len(id) == uploadID && !strings.ContainsFunc(id, func(r rune) bool { return (r < 'A' || r > 'Z') && (r < '2' || r > '7') })
}

// URL is the path that serves u: at most MaxURL bytes.
func (u Upload) URL() string { return filesPath + u.ID + "/" + url.PathEscape(u.Name) }

// File is u as a message points at it.
func (u Upload) File() File {
	return File{URL: u.URL(), Name: u.Name, Type: u.Type, Size: strconv.FormatInt(u.Size, 10), Width: u.Width, Height: u.Height}
}

// UploadID returns the ID of the upload that f points at, "" where it is none
// of this server: other addresses are the sender's own affair.
func (f *File) UploadID() string {
	if f == nil {
		return ""
	}
	rest, ok := strings.CutPrefix(f.URL, filesPath)
	id, _, more := strings.Cut(rest, "/")
	if !ok || !more || !ValidUpload(id) {
		return ""
	}
	return id
}

// The types that browsers show by themselves, in an element that runs nothing.
var (
	pictures = []string{"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"}
	sounds   = []string{"audio/mpeg", "audio/mp4", "audio/ogg", "audio/webm", "audio/wav", "audio/flac", "audio/aac"}
	films    = []string{"video/mp4", "video/webm", "video/ogg", "video/quicktime"}
)

// Media says as what a type may be shown in a page: "image", "audio", "video",
// or "" for all that is to be saved only.
func Media(mime string) string {
	switch {
	case slices.Contains(pictures, mime):
		return "image"
	case slices.Contains(sounds, mime):
		return "audio"
	case slices.Contains(films, mime):
		return "video"
	}
	return ""
}

// Shown is Media of an upload of this server, and "" for any other file: whose
// type nobody has looked at, and which the pages must not load.
func (f *File) Shown() string {
	if f.UploadID() == "" {
		return ""
	}
	return Media(f.Type)
}

// The room that a picture takes in the log, in CSS pixels.
const (
	boxWide, boxHigh = 320, 320
	boxLeast         = 48
)

// Box returns the room that f takes in the log, with its own proportions as far
// as they are sensible; 240 by 180 where they are not known.
func (f *File) Box() (wide, high int) {
	w, h := f.Width, f.Height
	if w < 1 || h < 1 || w > MaxSide || h > MaxSide {
		return 240, 180
	}
	if w > boxWide {
		w, h = boxWide, h*boxWide/w
	}
	if h > boxHigh {
		w, h = w*boxHigh/h, boxHigh
	}
	return max(w, boxLeast), max(h, boxLeast)
}

// Bytes is f's size as people write it, "" where it says none; a size in words
// stays as it is.
func (f *File) Bytes() string {
	n, err := strconv.ParseInt(f.Size, 10, 64)
	if err != nil || n < 0 {
		return f.Size
	}
	if n < 1000 {
		return strconv.FormatInt(n, 10) + " B"
	}
	v, unit := float64(n)/1000, "kB"
	for _, u := range []string{"MB", "GB"} {
		if v >= 999.5 {
			v, unit = v/1000, u
		}
	}
	digits := 0
	if v < 9.95 {
		digits = 1
	}
	return strconv.FormatFloat(v, 'f', digits, 64) + " " + unit
}

// maxUploadName is how many runes the name of an upload has at most, so that
// its address fits into MaxURL whatever they are.
const maxUploadName = 150

// CleanName makes of what a client calls a file a name that can be shown and
// saved: without folders, control characters and those that turn the direction
// of what follows, with which "gpj.exe" looks like "exe.jpg". A long name loses
// what is before its extension.
func CleanName(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	s = s[strings.LastIndexAny(s, `/\`)+1:]
	s = strings.Map(func(r rune) rune {
		switch {
		case r == 0x200c || r == 0x200d: // join the letters of some scripts, and emoji
			return r
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Co, r):
			return -1
		}
		return r
	}, s)
	s = strings.Trim(s, " ")
	if strings.Trim(s, ". \u200c\u200d") == "" {
		return "file"
	}
	if n := utf8.RuneCountInString(s); n > maxUploadName {
		ext := []rune(path.Ext(s))
		if len(ext) > 16 {
			ext = nil
		}
		s = string([]rune(s)[:maxUploadName-len(ext)]) + string(ext)
	}
	return s
}
