package chat

import (
	"encoding/json"
	"testing"
)

func TestCopiesFollowWhatHasExpired(t *testing.T) {
	at := func(ms int64, c Content) Message {
		return Message{Conv: "Ga", Seq: 3, Author: "Ua", At: ms, Content: c}
	}
	file := Content{Kind: FileK, File: &File{URL: "/files/x/y"}}
	for name, c := range map[string]struct {
		m    Message
		want string
	}{
		"a text before its time":         {at(99, TextContent("x")), `{"k":"gone","fate":{"recalled":3,"to":3,"expired":true}}`},
		"a text at its time":             {at(100, TextContent("x")), ``},
		"a file before that of messages": {at(99, file), `{"k":"gone","fate":{"recalled":3,"to":3,"expired":true}}`},
		"a file before that of files":    {at(199, file), `{"k":"gone","fate":{"recalled":3,"to":3,"expired":true}}`},
		"a file at its time":             {at(200, file), ``},
		"an edit":                        {at(99, Content{Kind: Edit, Of: 2, Text: "x"}), `{"k":"edit","of":2}`},
		"an edit that is emptied":        {at(99, Content{Kind: Edit, Of: 2}), ``},
		"a reaction":                     {at(99, Content{Kind: React, Of: 2, Text: "👍"}), ``},
		"an event":                       {at(99, Content{Kind: Event, Event: &Change{What: Ended}}), ``},
		"what was unsent":                {at(99, Content{Kind: Gone, Fate: &Fate{Recalled: 4, To: 4}}), ``},
	} {
		m, x := c.m, Expired{Messages: 100, Files: 200}
		changed := x.Apply(&m)
		if p, err := json.Marshal(m.Content); err != nil || changed != (c.want != "") || changed && string(p) != c.want {
			t.Errorf("%s: %v, %s, %v", name, changed, p, err)
		}
		if x.Apply(&m) {
			t.Errorf("%s: it changes again", name)
		}
		if (Expired{}).Apply(&c.m) {
			t.Errorf("%s: where all is kept it changes", name)
		}
		// What comes of the server's copy is the same.
		if held := c.m; changed && m.Content.Kind == Gone && (!Merge(&held, m) || held.Content.Fate == nil || !held.Content.Fate.Expired) {
			t.Errorf("%s: merged it is %+v", name, held.Content)
		}
	}
}
