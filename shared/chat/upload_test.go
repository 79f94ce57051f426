package chat

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCleanNameCanBeShownAndSaved(t *testing.T) {
	for in, want := range map[string]string{
		"photo.jpg":                    "photo.jpg",
		"../../etc/passwd":             "passwd",
		`C:\Users\me\报告 2026.pdf`:      "报告 2026.pdf",
		"..":                           "file",
		"":                             "file",
		" \u200d.":                     "file",
		"a/":                           "file",
		"\u202egpj.exe":                "gpj.exe",
		"a\r\nSet-Cookie: x\x00\x7f.p": "a  Set-Cookie: x.p",
		"bad\xff.txt":                  "bad\ufffd.txt",
		"👩\u200d🚀.png":                 "👩\u200d🚀.png",
		".htaccess":                    ".htaccess",
	} {
		if got := CleanName(in); got != want {
			t.Errorf("CleanName(%q) = %q, want %q", in, got, want)
		}
	}
	long := CleanName(strings.Repeat("𠮷", 400) + ".jpeg")
	if utf8.RuneCountInString(long) != maxUploadName || !strings.HasSuffix(long, "𠮷.jpeg") {
		t.Errorf("a long name became %q", long)
	}
	if u := (Upload{ID: strings.Repeat("A", 26), Name: long}); len(u.URL()) > MaxURL {
		t.Errorf("its address has %d bytes", len(u.URL()))
	}
}

func TestUploadIDKnowsOurOwn(t *testing.T) {
	id := strings.Repeat("A2", 13)
	for u, want := range map[string]string{
		Upload{ID: id, Name: "a b?.png"}.URL(): id, "/files/" + id + "/": id,
		"/files/" + id: "", "/files/" + strings.ToLower(id) + "/x": "", "/files/report.pdf": "", "/files/2024/report.pdf": "",
		"https://other.example/files/" + id + "/x": "", "/static/files/" + id + "/x": "",
	} {
		if got := (&File{URL: u}).UploadID(); got != want {
			t.Errorf("%s: %q, want %q", u, got, want)
		}
	}
	if u := (Upload{ID: id, Name: "a b?#%/.png"}).URL(); u != "/files/"+id+"/a%20b%3F%23%25%2F.png" || !SafeURL(u) {
		t.Errorf("the address is %s", u)
	}
}

func TestOnlyWhatRunsNothingIsShown(t *testing.T) {
	mine := Upload{ID: strings.Repeat("A", 26), Name: "x"}.URL()
	for _, c := range []struct{ url, mime, want string }{
		{mine, "image/png", "image"}, {mine, "video/mp4", "video"}, {mine, "audio/ogg", "audio"},
		{mine, "image/svg+xml", ""}, {mine, "text/html", ""}, {mine, "application/pdf", ""}, {mine, "", ""}, {mine, "IMAGE/PNG", ""},
		{"https://elsewhere.example/x.png", "image/png", ""}, {"/static/x.png", "image/png", ""},
	} {
		if got := (&File{URL: c.url, Type: c.mime}).Shown(); got != c.want {
			t.Errorf("%s of %s is shown as %q, want %q", c.mime, c.url, got, c.want)
		}
	}
}

func TestBoxIsBounded(t *testing.T) {
	for in, want := range map[[2]int][2]int{
		{100, 80}: {100, 80}, {4000, 3000}: {320, 240}, {3000, 4000}: {240, 320}, {0, 0}: {240, 180}, {-5, 9}: {240, 180},
		{1 << 30, 1 << 30}: {240, 180}, {MaxSide, 1}: {320, 48}, {1, MaxSide}: {48, 320}, {1, 1}: {48, 48},
	} {
		f := File{Width: in[0], Height: in[1]}
		if w, h := f.Box(); w != want[0] || h != want[1] {
			t.Errorf("%v takes %d by %d, want %v", in, w, h, want)
		}
	}
}

func TestBytesAreWrittenForPeople(t *testing.T) {
	for in, want := range map[string]string{
		"0": "0 B", "999": "999 B", "1000": "1.0 kB", "9940": "9.9 kB", "9960": "10 kB", "999499": "999 kB", "999500": "1.0 MB", "52428800": "52 MB",
		"2 MB": "2 MB", "": "", "-1": "-1", "12000000000000": "12000 GB",
	} {
		if got := (&File{Size: in}).Bytes(); got != want {
			t.Errorf("%q is written %q, want %q", in, got, want)
		}
	}
}
