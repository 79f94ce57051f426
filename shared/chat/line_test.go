package chat

import "testing"

func TestALineIsWhatItsChangesMakeOfIt(t *testing.T) {
	yes, no, until, never := true, false, int64(500), int64(0)
	pin, unpin := LineChange{Pin: &yes}, LineChange{Pin: &no}
	archive, back := LineChange{Archive: &yes}, LineChange{Archive: &no}
	for name, c := range map[string]struct {
		line Line
		by   LineChange
		want Line
	}{
		"pinned":                   {Line{}, pin, Line{Pinned: 100}},
		"pinned twice":             {Line{Pinned: 7}, pin, Line{Pinned: 7}},
		"unpinned":                 {Line{Pinned: 7, Cleared: 3}, unpin, Line{Cleared: 3}},
		"archived":                 {Line{Pinned: 7, Cleared: 3}, archive, Line{Archived: true, Cleared: 3}},
		"back from the folder":     {Line{Archived: true}, back, Line{}},
		"pinned in the folder":     {Line{Archived: true}, pin, Line{Pinned: 100}},
		"unpinned in the folder":   {Line{Archived: true}, unpin, Line{Archived: true}},
		"deleted":                  {Line{Pinned: 7}, LineChange{Clear: 9}, Line{Cleared: 9}},
		"deleted past the end":     {Line{}, LineChange{Clear: 99}, Line{Cleared: 20}},
		"deleted late":             {Line{Pinned: 7, Cleared: 12}, LineChange{Clear: 9}, Line{Pinned: 7, Cleared: 12}},
		"deleted, and pinned anew": {Line{Archived: true}, LineChange{Clear: 9, Pin: &yes}, Line{Pinned: 100, Cleared: 9}},
		"nothing":                  {Line{Pinned: 7}, LineChange{}, Line{Pinned: 7}},
		"marked":                   {Line{Pinned: 7}, LineChange{Mark: &yes}, Line{Pinned: 7, Marked: true}},
		"marked no more":           {Line{Marked: true, Hushed: 5}, LineChange{Mark: &no}, Line{Hushed: 5}},
		"hushed":                   {Line{Archived: true}, LineChange{Hush: &until}, Line{Archived: true, Hushed: 500}},
		"hushed no more":           {Line{Marked: true, Hushed: Forever}, LineChange{Hush: &never}, Line{Marked: true}},
		"deleted, and hushed":      {Line{Marked: true, Hushed: 5}, LineChange{Clear: 9}, Line{Cleared: 9, Hushed: 5}},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.line.With(c.by, 100, 20)
			if got != c.want {
				t.Errorf("%+v, want %+v", got, c.want)
			}
			if again := got.With(c.by, 200, 20); again != got {
				t.Errorf("once more makes %+v of %+v", again, got)
			}
		})
	}
}

func TestChangesOfALineAreRefusedThatSayNothing(t *testing.T) {
	yes, forever, wrong := true, int64(Forever), int64(-2)
	for name, c := range map[string]struct {
		by LineChange
		ok bool
	}{
		"nothing": {LineChange{}, false}, "less than nothing": {LineChange{Pin: &yes, Clear: -1}, false},
		"pin": {LineChange{Pin: &yes}, true}, "archive": {LineChange{Archive: &yes}, true}, "delete": {LineChange{Clear: 1}, true},
		"mark": {LineChange{Mark: &yes}, true}, "hush": {LineChange{Hush: &forever}, true}, "hush until nonsense": {LineChange{Hush: &wrong}, false},
	} {
		if err := c.by.Validate(); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestALineIsQuietUntilItIsSaidTo(t *testing.T) {
	for until, want := range map[int64]bool{0: false, 99: false, 100: false, 101: true, Forever: true} {
		if got := (Line{Hushed: until}).Quiet(100); got != want {
			t.Errorf("hushed until %d it is quiet: %v", until, got)
		}
	}
}
