package files

import (
	"strings"
	"testing"
)

func TestSniffBelievesTheFile(t *testing.T) {
	ftyp := func(brand string) string { return "\x00\x00\x00\x18ftyp" + brand + "\x00\x00\x00\x00isommp42" }
	const webm = "\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01"
	for _, c := range []struct{ head, claimed, want string }{
		{"\x89PNG\r\n\x1a\n\x00", "text/html", "image/png"},
		{"\xff\xd8\xff\xe0\x00\x10JFIF", "", "image/jpeg"},
		{"GIF89a<script>alert(1)</script>", "text/html", "image/gif"},
		{"RIFF\x00\x00\x00\x00WEBPVP8 ", "", "image/webp"},
		{ftyp("avif"), "video/mp4", "image/avif"},
		{ftyp("isom"), "", "video/mp4"}, {ftyp("mp42"), "audio/mp4", "audio/mp4"}, {ftyp("M4A "), "", "audio/mp4"}, {ftyp("qt  "), "", "video/quicktime"},
		{ftyp("heic"), "image/heic", other},
		{webm, "", "video/webm"}, {webm, "audio/webm;codecs=opus", "audio/webm"}, {webm, "text/html", "video/webm"},
		{"OggS\x00\x02" + strings.Repeat("\x00", 22) + "OpusHead", "", "audio/ogg"}, {"OggS\x00\x02" + strings.Repeat("\x00", 22) + "\x80theora", "", "video/ogg"},
		{"ID3\x03\x00", "", "audio/mpeg"}, {"\xff\xfb\x90\x64", "", "audio/mpeg"}, {"\xff\xf1\x50\x80", "", "audio/aac"}, {"fLaC\x00", "", "audio/flac"},
		{"RIFF\x00\x00\x00\x00WAVEfmt ", "", "audio/wav"},
		{"%PDF-1.7", "", "application/pdf"},
		// What could run, whatever it is called.
		{"<!DOCTYPE html><script>alert(1)</script>", "image/png", other},
		{"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "image/svg+xml", other},
		{"<?xml version='1.0'?><svg/>", "image/svg+xml", other},
		{"plain words", "image/png", other}, {"", "image/png", other}, {"PK\x03\x04", "application/zip", other}, {"MZ\x90", "", other},
		{"\xff\xfeh\x00i\x00", "", other}, // UTF-16
	} {
		if got := sniff([]byte(c.head), c.claimed); got != c.want {
			t.Errorf("%.20q, said to be %q: %s, want %s", c.head, c.claimed, got, c.want)
		}
	}
}
