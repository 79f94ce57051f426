package files

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// secret is what must not be in what is kept.
const secret = "N 39.9042 E 116.4074"

// picture is a small one.
func picture() image.Image {
	m := image.NewRGBA(image.Rect(0, 0, 40, 30))
	for x := range 40 {
		for y := range 30 {
			m.Set(x, y, color.RGBA{uint8(6 * x), uint8(8 * y), uint8(x * y), 255})
		}
	}
	return m
}

func segment(marker byte, data string) string {
	return string([]byte{0xff, marker}) + string(binary.BigEndian.AppendUint16(nil, uint16(len(data)+2))) + data
}

// exif is a segment that says which way is up, behind a tag that says where it was.
func exif(order binary.AppendByteOrder, up uint16) string {
	head := "MM\x00\x2a"
	if order == binary.AppendByteOrder(binary.LittleEndian) {
		head = "II\x2a\x00"
	}
	p := order.AppendUint32([]byte(head), 8)
	p = order.AppendUint16(p, 2)
	for _, f := range [][2]uint32{{0x8825, 4}, {274, 3}} {
		p = order.AppendUint16(order.AppendUint16(p, uint16(f[0])), uint16(f[1]))
		p = order.AppendUint32(p, 1)
		p = order.AppendUint16(order.AppendUint16(p, up), 0)
	}
	return segment(0xe1, "Exif\x00\x00"+string(order.AppendUint32(p, 0))+secret)
}

func photo(t testing.TB, segments ...string) string {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture(), nil); err != nil {
		t.Fatal(err)
	}
	return b.String()[:2] + strings.Join(segments, "") + b.String()[2:]
}

func chunk(kind, data string) string {
	p := append(binary.BigEndian.AppendUint32(nil, uint32(len(data))), kind+data...)
	return string(binary.BigEndian.AppendUint32(p, crc32.ChecksumIEEE(p[4:])))
}

func drawing(t testing.TB, chunks ...string) string {
	var b bytes.Buffer
	if err := png.Encode(&b, picture()); err != nil {
		t.Fatal(err)
	}
	const begin = 8 + 25 // the signature and IHDR
	return b.String()[:begin] + strings.Join(chunks, "") + b.String()[begin:]
}

func riff(chunks ...string) string {
	data := "WEBP"
	for i := 0; i < len(chunks); i += 2 {
		c := chunks[i+1]
		data += chunks[i] + string(binary.LittleEndian.AppendUint32(nil, uint32(len(c)))) + c
		if len(c)%2 > 0 {
			data += "\x00"
		}
	}
	return "RIFF" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(data)))) + data
}

func strip(t testing.TB, kind, in string) string {
	t.Helper()
	whole, err := io.ReadAll(stripped(bufio.NewReader(strings.NewReader(in)), kind))
	if err != nil {
		t.Fatal(err)
	}
	bit, err := io.ReadAll(iotest.OneByteReader(stripped(bufio.NewReaderSize(iotest.OneByteReader(strings.NewReader(in)), 600), kind)))
	if err != nil || !bytes.Equal(bit, whole) {
		t.Errorf("byte by byte it is another: %v", err)
	}
	return string(whole)
}

func TestPicturesAreKeptWithoutWhatTheyTell(t *testing.T) {
	bits := strings.Repeat("picture", 9)
	icc := segment(0xe2, "ICC_PROFILE\x00\x01\x01colours")
	upright := func(o int) string { // what is left of EXIF
		return segment(0xe1, "Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00"+string(rune(o))+"\x00\x00\x00\x00\x00\x00")
	}
	for name, c := range map[string]struct{ kind, in, want string }{
		"JPEG without":                  {"image/jpeg", photo(t), photo(t)},
		"JPEG, EXIF":                    {"image/jpeg", photo(t, exif(binary.BigEndian, 6)), photo(t, upright(6))},
		"JPEG, EXIF of a small machine": {"image/jpeg", photo(t, exif(binary.LittleEndian, 8)), photo(t, upright(8))},
		"JPEG, upright":                 {"image/jpeg", photo(t, exif(binary.BigEndian, 1)), photo(t)},
		"JPEG, no such way up":          {"image/jpeg", photo(t, exif(binary.BigEndian, 9)), photo(t)},
		"JPEG, broken EXIF":             {"image/jpeg", photo(t, segment(0xe1, "Exif\x00\x00MM\x00\x2a\xff\xff\xff\xff"+secret)), photo(t)},
		"JPEG, short EXIF":              {"image/jpeg", photo(t, segment(0xe1, "Exif\x00\x00"), segment(0xe1, "")), photo(t)},
		"JPEG, XMP, IPTC, a comment":    {"image/jpeg", photo(t, segment(0xe1, "http://ns.adobe.com/xap/1.0/\x00"+secret), segment(0xed, "Photoshop 3.0\x00"+secret), segment(0xfe, secret)), photo(t)},
		"JPEG, colours":                 {"image/jpeg", photo(t, icc, segment(0xee, "Adobe\x00\x64"), segment(0xe2, "MPF\x00"+secret)), photo(t, icc, segment(0xee, "Adobe\x00\x64"))},
		"JPEG, another behind":          {"image/jpeg", photo(t) + photo(t, exif(binary.BigEndian, 1)), photo(t)},
		"JPEG, that is none":            {"image/jpeg", "\xff\xd8no segment", "\xff\xd8no segment"},
		"PNG":                           {"image/png", drawing(t, chunk("tEXt", "where\x00"+secret), chunk("eXIf", secret), chunk("pHYs", "123456789")) + secret, drawing(t, chunk("pHYs", "123456789"))},
		"WebP":                          {"image/webp", riff("VP8X", "\x1c123456789", "VP8 ", bits, "EXIF", secret, "XMP ", secret+"!"), riff("VP8X", "\x10123456789", "VP8 ", bits, "JUNK", strings.Repeat("\x00", len(secret)), "JUNK", strings.Repeat("\x00", len(secret)+1))},
		"what is no picture":            {"application/pdf", photo(t, exif(binary.BigEndian, 6)), photo(t, exif(binary.BigEndian, 6))},
	} {
		t.Run(name, func(t *testing.T) {
			if got := strip(t, c.kind, c.in); got != c.want {
				t.Errorf("%d bytes of %d, want %d:\n%.120q\nwant\n%.120q", len(got), len(c.in), len(c.want), got, c.want)
			}
		})
	}
}

// FuzzStripped is about files of any bytes: nothing grows, nothing fails, and what is kept
// is kept as it is when it comes once more.
func FuzzStripped(f *testing.F) {
	kinds := []string{"image/jpeg", "image/png", "image/webp"}
	for i, in := range []string{photo(f, exif(binary.BigEndian, 6), segment(0xfe, secret)), drawing(f, chunk("tEXt", secret)), riff("VP8X", "\x0c123456789", "EXIF", secret)} {
		f.Add(byte(i), in)
		f.Add(byte(i), in[:len(in)/2])
	}
	f.Fuzz(func(t *testing.T, kind byte, in string) {
		k := kinds[int(kind)%len(kinds)]
		once := strip(t, k, in)
		if len(once) > len(in)+36 { // a short EXIF may become one that says which way is up
			t.Errorf("%d bytes became %d", len(in), len(once))
		}
		if again := strip(t, k, once); again != once {
			t.Errorf("once more it is another:\n%q\n%q", once, again)
		}
	})
}
