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
		r, err := encode(d)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := decode(r); err != nil || !reflect.DeepEqual(got, d) {
			t.Errorf("%s: %+v %v, want %+v", name, got, err, d)
		}
	}
}
