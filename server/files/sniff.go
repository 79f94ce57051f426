package files

import (
	"bytes"
	"net/http"
	"strings"
)

// sniffed is how many bytes of a file its type is found by.
const sniffed = 512

// other is the type of all that is to be saved only.
const other = "application/octet-stream"

// sniff returns the type of a file that begins with head: one of those that
// chat.Media knows, "application/pdf", or other. What the client claims
// only tells sound from film where the same container holds either.
func sniff(head []byte, claimed string) string {
	kind, _, _ := strings.Cut(http.DetectContentType(head), ";")
	if len(head) >= 12 && string(head[4:8]) == "ftyp" {
		kind = brand(string(head[8:12]))
	}
	switch {
	case bytes.HasPrefix(head, []byte("OggS")):
		kind = "audio/ogg"
		if bytes.Contains(head[:min(len(head), 64)], []byte("theora")) {
			kind = "video/ogg"
		}
	case bytes.HasPrefix(head, []byte("fLaC")):
		kind = "audio/flac"
	case len(head) > 2 && head[0] == 0xff && head[1]&0xf6 == 0xf0: // ADTS: layer bits are zero
		kind = "audio/aac"
	case len(head) > 2 && head[0] == 0xff && head[1]&0xe6 == 0xe2: // MPEG layer III without ID3
		kind = "audio/mpeg"
	case kind == "audio/wave":
		kind = "audio/wav"
	}
	claimed, _, _ = strings.Cut(strings.ToLower(claimed), ";")
	if film, sound := "video/"+strings.TrimPrefix(kind, "video/"), "audio/"+strings.TrimPrefix(kind, "video/"); kind == film && claimed == sound {
		kind = sound
	}
	switch kind {
	case "image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "application/pdf",
		"audio/mpeg", "audio/mp4", "audio/ogg", "audio/webm", "audio/wav", "audio/flac", "audio/aac",
		"video/mp4", "video/webm", "video/ogg", "video/quicktime":
		return kind
	}
	return other
}

// brand is the type of an ISO media file by its major brand.
func brand(b string) string {
	switch b {
	case "avif", "avis":
		return "image/avif"
	case "M4A ", "M4B ":
		return "audio/mp4"
	case "qt  ":
		return "video/quicktime"
	case "isom", "iso2", "iso4", "iso5", "iso6", "mp41", "mp42", "avc1", "dash", "M4V ", "MSNV", "3gp4", "3gp5", "3gp6":
		return "video/mp4"
	}
	return other
}
