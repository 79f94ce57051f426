package chat

import (
	"strconv"
	"testing"
)

func TestHueStays(t *testing.T) {
	for id, want := range map[string]int{"": 9, "U1": 1, "G1": 13, "Umain": 8} {
		if got := Hue(id); got != want {
			t.Errorf("hue of %q is %d", id, got)
		}
	}
}

func TestHuesAreSpread(t *testing.T) {
	var n [Hues]int
	const ids = 24_000
	for i := range ids {
		n[Hue("U"+strconv.FormatInt(int64(i)<<22, 36))]++
	}
	for h, n := range n {
		if n < ids/Hues/2 || n > ids/Hues*2 {
			t.Errorf("hue %d has %d of %d ids", h, n, ids)
		}
	}
}

func TestInitial(t *testing.T) {
	for name, want := range map[string]string{
		"林梅": "林", "alice": "A", " élan": "É", "e\u0301lan": "E\u0301", "": "?", " \t": "?", "\xff": "?", "\u200bbob": "B", "42": "4",
		"👍🏽 ok": "👍🏽", "👩‍🚀 x": "👩‍🚀", "🇨🇳 中国": "🇨🇳", "🇨🇳🇫🇷": "🇨🇳", "❤️": "❤️", "яна": "Я", "@bob": "@",
	} {
		if got := Initial(name); got != want {
			t.Errorf("initial of %q is %q, want %q", name, got, want)
		}
	}
}
