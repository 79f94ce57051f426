package main

import (
	"image"
	"image/color"
	"image/draw"
	"math"
)

// A look is what becomes of the tile.
type look int

const (
	whole  look = iota // with its round corners
	filled             // to the very corners, for systems that cut icons themselves
	cut                // none: the shapes alone, in white, for a status bar
)

// fine is how many samples along each side a pixel has.
const fine = 4

// draw paints the logo on a square of size pixels.
func (l *logo) draw(size int, k look) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, size, size))
	scale := l.side / float64(size)
	paint := func(c color.NRGBA, op draw.Op, in func(point) bool) {
		mask := image.NewAlpha(img.Bounds())
		for y := range size {
			for x := range size {
				n := 0
				for i := range fine * fine {
					p := point{float64(x) + (float64(i%fine)+.5)/fine, float64(y) + (float64(i/fine)+.5)/fine}
					if in(point{p.x * scale, p.y * scale}) {
						n++
					}
				}
				mask.SetAlpha(x, y, color.Alpha{uint8(n * 255 / (fine * fine))})
			}
		}
		draw.DrawMask(img, img.Bounds(), image.NewUniform(c), image.Point{}, mask, image.Point{}, op)
	}
	switch k {
	case whole:
		paint(l.tile, draw.Over, l.onTile)
	case filled:
		draw.Draw(img, img.Bounds(), image.NewUniform(l.tile), image.Point{}, draw.Src)
	}
	for _, s := range l.shapes {
		paint(s.fill, draw.Over, func(p point) bool {
			return inside(s.outline, p) && (k != cut || !l.onDot(p))
		})
	}
	if k != cut {
		paint(l.dotFill, draw.Over, l.onDot)
	}
	return img
}

// onTile reports whether p is on the tile with its corners rounded off.
func (l *logo) onTile(p point) bool {
	dx := max(l.round-p.x, p.x-(l.side-l.round), 0)
	dy := max(l.round-p.y, p.y-(l.side-l.round), 0)
	return math.Hypot(dx, dy) <= l.round
}

func (l *logo) onDot(p point) bool {
	for _, d := range l.dots {
		if math.Hypot(p.x-d.x, p.y-d.y) <= l.dot {
			return true
		}
	}
	return false
}

// inside reports whether p is within the outline: a ray to the right crosses
// it an odd number of times.
func inside(outline []point, p point) bool {
	in := false
	for i, a := range outline {
		b := outline[(i+1)%len(outline)]
		if (a.y > p.y) != (b.y > p.y) && p.x < a.x+(p.y-a.y)*(b.x-a.x)/(b.y-a.y) {
			in = !in
		}
	}
	return in
}
