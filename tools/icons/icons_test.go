package main

import (
	"image/color"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// What is seen where, in the logo's units of 32: a corner, the tile beside the
// bubble, the bubble, the middle dot.
var spots = []point{{0.2, 0.2}, {3, 16}, {16, 10}, {16, 15.2}}

func TestIconsShowTheLogo(t *testing.T) {
	dir := t.TempDir()
	if err := run([]string{"-logo", "../../static/favicon.svg", "-out", dir}, io.Discard); err != nil {
		t.Fatal(err)
	}
	none, tile, white := color.NRGBA{}, color.NRGBA{0x0b, 0x7d, 0x90, 255}, color.NRGBA{255, 255, 255, 255}
	want := map[look][]color.NRGBA{
		whole:  {none, tile, white, tile},
		filled: {tile, tile, white, tile},
		cut:    {none, none, white, none},
	}
	for _, icon := range icons {
		f, err := os.Open(filepath.Join(dir, icon.name))
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		if b := img.Bounds(); b.Dx() != icon.size || b.Dy() != icon.size {
			t.Errorf("%s is %v", icon.name, b)
		}
		for i, p := range spots {
			at := func(v float64) int { return int(v * float64(icon.size) / 32) }
			got := color.NRGBAModel.Convert(img.At(at(p.x), at(p.y))).(color.NRGBA)
			if w := want[icon.look][i]; got.A != w.A || w.A > 0 && got != w {
				t.Errorf("%s at %v is %v, want %v", icon.name, p, got, w)
			}
		}
	}
}

func TestPathsThatCannotBeDrawnAreRefused(t *testing.T) {
	for name, svg := range map[string]string{
		"no tile":      `<svg><path d="M1 1l2 2z" fill="#fff"/></svg>`,
		"no shape":     `<svg><rect width="32" fill="#fff"/></svg>`,
		"no beginning": `<svg><rect width="32" fill="#fff"/><path d="l2 2z" fill="#fff"/></svg>`,
		"ends early":   `<svg><rect width="32" fill="#fff"/><path d="M1 1l2" fill="#fff"/></svg>`,
		"an arc":       `<svg><rect width="32" fill="#fff"/><path d="M1 1a2 2 0 0 1 2 2z" fill="#fff"/></svg>`,
		"a name":       `<svg><rect width="32" fill="red"/><path d="M1 1l2 2z" fill="#fff"/></svg>`,
	} {
		if _, err := parse([]byte(svg)); err == nil {
			t.Errorf("%s: it is taken", name)
		}
	}
}
