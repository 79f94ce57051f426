package main

import (
	"encoding/xml"
	"errors"
	"fmt"
	"image/color"
	"regexp"
	"strconv"
	"strings"
)

// A point is in the logo's own units, the view box's.
type point struct{ x, y float64 }

// A logo is as much of SVG as ours uses: a rounded tile, shapes that are
// filled, and dots.
type logo struct {
	side, round float64 // of the square tile
	tile        color.NRGBA
	shapes      []shape
	dots        []point
	dot         float64 // their radius
	dotFill     color.NRGBA
}

// A shape is a closed outline.
type shape struct {
	outline []point
	fill    color.NRGBA
}

// parse reads an SVG that has one <rect> and <path>s with the commands M, L, l, h, c, s and z.
// A path with a stroke is one of dots: each M begins one.
func parse(svg []byte) (*logo, error) {
	var doc struct {
		Rect struct {
			Width float64 `xml:"width,attr"`
			Rx    float64 `xml:"rx,attr"`
			Fill  string  `xml:"fill,attr"`
		} `xml:"rect"`
		Paths []struct {
			D      string  `xml:"d,attr"`
			Fill   string  `xml:"fill,attr"`
			Stroke string  `xml:"stroke,attr"`
			Width  float64 `xml:"stroke-width,attr"`
		} `xml:"path"`
	}
	if err := xml.Unmarshal(svg, &doc); err != nil {
		return nil, err
	}
	l := &logo{side: doc.Rect.Width, round: doc.Rect.Rx}
	var err error
	if l.tile, err = hex(doc.Rect.Fill); err != nil {
		return nil, err
	}
	for _, p := range doc.Paths {
		lines, err := trace(p.D)
		if err != nil {
			return nil, err
		}
		if p.Stroke == "" {
			fill, err := hex(p.Fill)
			if err != nil {
				return nil, err
			}
			for _, o := range lines {
				l.shapes = append(l.shapes, shape{o, fill})
			}
			continue
		}
		if l.dotFill, err = hex(p.Stroke); err != nil {
			return nil, err
		}
		l.dot = p.Width / 2
		for _, o := range lines {
			l.dots = append(l.dots, o[0])
		}
	}
	if l.side <= 0 || len(l.shapes) == 0 {
		return nil, errors.New("there is no tile or nothing on it")
	}
	return l, nil
}

var tokens = regexp.MustCompile(`[A-Za-z]|-?(?:\d+\.?\d*|\.\d+)`)

// trace follows a path and returns its outlines, curves as many short lines.
func trace(d string) (out [][]point, err error) {
	words := tokens.FindAllString(d, -1)
	number := func() float64 {
		if len(words) == 0 {
			err = fmt.Errorf("the path %.20q… ends early", d)
			return 0
		}
		v, e := strconv.ParseFloat(words[0], 64)
		if e != nil {
			err = e
		}
		words = words[1:]
		return v
	}
	var at, hand point // where the pen is; the last curve's second handle
	move := func(from point) point { return point{from.x + number(), from.y + number()} }
	line := func(p point) {
		at, hand = p, p
		out[len(out)-1] = append(out[len(out)-1], p)
	}
	cmd := ""
	for len(words) > 0 && err == nil {
		if c := words[0]; strings.ContainsAny(c, "MLlhcsz") {
			cmd, words = c, words[1:]
		}
		if cmd != "M" && len(out) == 0 {
			return nil, fmt.Errorf("the path begins with %q", cmd)
		}
		switch cmd {
		case "M":
			at = move(point{})
			hand, out = at, append(out, []point{at})
		case "L":
			line(move(point{}))
		case "l":
			line(move(at))
		case "h":
			line(point{at.x + number(), at.y})
		case "c", "s":
			from := at
			first := point{2*at.x - hand.x, 2*at.y - hand.y}
			if cmd == "c" {
				first = move(from)
			}
			second, end := move(from), point{}
			end = move(from)
			for i := 1; i <= curve; i++ {
				line(bend(from, first, second, end, float64(i)/curve))
			}
			hand = second
		case "z":
			at = out[len(out)-1][0]
			hand = at
		default:
			return nil, fmt.Errorf("the path has the command %q", cmd)
		}
	}
	return out, err
}

// curve is how many lines a curve becomes.
const curve = 32

// bend is the point at t, 0 to 1, of a cubic Bézier curve.
func bend(a, b, c, d point, t float64) point {
	s := 1 - t
	mix := func(a, b, c, d float64) float64 { return s*s*s*a + 3*s*s*t*b + 3*s*t*t*c + t*t*t*d }
	return point{mix(a.x, b.x, c.x, d.x), mix(a.y, b.y, c.y, d.y)}
}

// hex reads #rgb or #rrggbb.
func hex(s string) (color.NRGBA, error) {
	h := strings.TrimPrefix(s, "#")
	if len(h) == 3 {
		h = string([]byte{h[0], h[0], h[1], h[1], h[2], h[2]})
	}
	v, err := strconv.ParseUint(h, 16, 32)
	if err != nil || len(h) != 6 {
		return color.NRGBA{}, fmt.Errorf("%q is no colour", s)
	}
	return color.NRGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 255}, nil
}
