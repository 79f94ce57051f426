package view

import "testing"

func TestEndingShowsTheEndAndTheFirstUnread(t *testing.T) {
	for name, c := range map[string]struct {
		n, first int
		want     span
	}{
		"nothing":                 {0, -1, span{0, 0}},
		"few":                     {30, -1, span{0, 30}},
		"many, all read":          {500, -1, span{420, 500}},
		"first unread near end":   {500, 490, span{420, 500}},
		"first unread before":     {500, 400, span{390, 500}},
		"first unread far before": {900, 100, span{90, 290}},
		"all unread":              {500, 0, span{0, 200}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ending(c.n, c.first); got != c.want {
				t.Errorf("ending(%d, %d) = %v, want %v", c.n, c.first, got, c.want)
			}
		})
	}
}

func TestSpanMovesInStepsAndStaysBounded(t *testing.T) {
	const n = 1000
	s := ending(n, -1)
	for s.lo > 0 {
		was := s
		s = s.up()
		if s.lo >= was.lo || s.hi-s.lo > maxShown || s.lo > was.hi {
			t.Fatalf("up: %v after %v", s, was)
		}
	}
	for s.hi < n {
		was := s
		s = s.down(n)
		if s.hi <= was.hi || s.hi-s.lo > maxShown || s.hi < was.lo {
			t.Fatalf("down: %v after %v", s, was)
		}
	}
}

func TestSpanFollowsWhatArrives(t *testing.T) {
	for name, c := range map[string]struct {
		was          span
		n, newLo     int
		ended, atEnd bool
		want         span
	}{
		"one more, read at the end":           {span{0, 80}, 81, 0, true, true, span{0, 81}},
		"one more, full, read at the end":     {span{0, 200}, 201, 0, true, true, span{1, 201}},
		"one more, read above":                {span{0, 80}, 81, 0, true, false, span{0, 81}},
		"one more, full, read above":          {span{0, 200}, 201, 0, true, false, span{0, 200}},
		"one more, the end not drawn":         {span{100, 300}, 501, 100, false, false, span{100, 300}},
		"older page before":                   {span{0, 80}, 130, 50, true, false, span{50, 130}},
		"a row went":                          {span{0, 80}, 79, 0, true, true, span{0, 79}},
		"a long absence: all is new":          {span{0, 80}, 50, 0, true, true, span{0, 50}},
		"many more at once, read at the end":  {span{0, 80}, 600, 0, true, true, span{400, 600}},
		"many more at once, read further up":  {span{0, 80}, 600, 0, true, false, span{0, 200}},
		"fewer rows than the span, end drawn": {span{10, 80}, 20, 0, true, false, span{0, 20}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.was.follow(c.n, c.newLo, c.ended, c.atEnd); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
