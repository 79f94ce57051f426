package page

import (
	"strconv"
	"strings"

	"rsc.io/qr"
)

// A qrCode is a QR code as it is drawn: one path in a square of Side modules, with
// the quiet zone that readers want.
type qrCode struct {
	Path string
	Side int
}

// quiet is the width of the empty border that the standard asks for, in modules.
const quiet = 4

// qrOf returns the QR code of a text, with medium error correction. Too long a text,
// over 2,331 bytes, has none: Side is 0.
func qrOf(text string) qrCode {
	c, err := qr.Encode(text, qr.M)
	if err != nil {
		return qrCode{}
	}
	var b strings.Builder
	for y := range c.Size {
		for x := 0; x < c.Size; x++ {
			from := x
			for x < c.Size && c.Black(x, y) {
				x++
			}
			if n := strconv.Itoa(x - from); x > from {
				b.WriteString("M" + strconv.Itoa(from+quiet) + " " + strconv.Itoa(y+quiet) + "h" + n + "v1h-" + n + "z")
			}
		}
	}
	return qrCode{b.String(), c.Size + 2*quiet}
}
