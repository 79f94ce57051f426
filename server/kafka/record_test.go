package kafka

import (
	"reflect"
	"testing"

	"kamachat/shared/chat"
)

func TestRecordsCarryWholeDrafts(t *testing.T) {
	for name, d := range map[string]chat.Draft{
		"a text":                  draft("Ga", "1"),
		"of an older dialect":     {Conv: "Ga", Author: "Ua", Ref: "2", Unread: true, Content: chat.TextContent("x")},
		"an administrator's deed": {Conv: "Ga", Author: "Ua", Ref: "3", Super: true, Content: chat.Content{Kind: chat.Recall, Of: 1}},
	} {
		r, err := encode(d, "")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := decode(r, ""); err != nil || !reflect.DeepEqual(got, d) {
			t.Errorf("%s: %+v %v, want %+v", name, got, err, d)
		}
	}
}

// What was posted before a backup was restored may be about entries that are others now.
func TestPostsOfAnotherEpochAreNotRead(t *testing.T) {
	for posted, read := range map[[2]string]bool{
		{"a", "a"}: true, {"", "a"}: true, {"a", ""}: true, {"", ""}: true, {"a", "b"}: false,
	} {
		r, err := encode(draft("Ga", "x"), posted[0])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := decode(r, posted[1]); (err == nil) != read {
			t.Errorf("posted in %q, read in %q: %v", posted[0], posted[1], err)
		}
	}
}
