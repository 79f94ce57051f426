package view

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestTreesCrossOverAsJSON(t *testing.T) {
	odd := "a \"quote\" \\ \n\t\x00\x1f </script> 😀 中\u2028文"
	tr := grown("div", "m k", grown("b", "", odd), "", odd).set("title", odd).set("data-a", "")
	tr.add(grown("i", ""))
	var got any
	if err := json.Unmarshal(tr.append(nil), &got); err != nil {
		t.Fatal(err)
	}
	want := []any{
		"div", map[string]any{"class": "m k", "title": odd, "data-a": ""},
		[]any{"b", map[string]any{}, odd}, "", odd, []any{"i", map[string]any{}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
