package view

import (
	"testing"

	"kamachat/shared/chat"
)

func TestFinderKnowsThePeopleOneTalksTo(t *testing.T) {
	d, _ := desk("en")
	f := finder{desk: d}
	for q, want := range map[string]int{"": 1, "阿": 1, "ZHE": 1, "gong": 0} {
		f.query = q
		if got := f.known(); len(got) != want {
			t.Errorf("%q: got %v, want %d people", q, got, want)
		}
	}
}

func TestFinderLeavesOneselfOutAndIntroducesOthers(t *testing.T) {
	d, st := desk("en")
	f := finder{desk: d}
	li := chat.Person{ID: "U4", Username: "li"}
	if got := f.others([]chat.Person{mei, li}); len(got) != 1 || got[0].ID != li.ID {
		t.Errorf("got %v, want only li", got)
	}
	if st.Name(li.ID) != "li" {
		t.Error("the state was not told about li")
	}
}
