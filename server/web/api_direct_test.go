package web

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"kamachat/shared/chat"
)

// directly is how triers are answered where a row of attempts is tried at a conversation
// of two people, one of whom is the member. What is not here is as ofTwo says, at
// conversations, and is not there for groups.
var directly = map[string]string{
	"listHooks": "-----", "makeInHook": "-----", "makeOutHook": "-----", "endInHook": "-----", "endOutHook": "-----", // it has no webhooks
	"withdrawJoin": "+++++", // of nothing
}

// ofTwo is what one of the two may and nobody else, whoever they are.
const ofTwo = "f+fff"

// Every operation at a conversation of two people, by one of them and by others, who
// are not even told whether the two ever wrote.
func TestEveryOperationAtAConversationOfTwo(t *testing.T) {
	c := newClubOf(t, withAll)
	conv := chat.Direct(c.id("member"), c.id("plain"))
	said, err := c.real.PostWait(t.Context(), chat.Draft{Conv: conv, Author: c.id("plain"), Ref: "said", Content: chat.TextContent("bad words")})
	if err != nil {
		t.Fatal(err)
	}
	at := func(conv chat.ConvID) *strings.Replacer {
		return strings.NewReplacer("@group", string(conv), "@seq", strconv.FormatInt(said.Seq, 10), "@plain", string(c.id("plain")), "@in", "x", "@out", "x")
	}
	wrote, never := at(conv), at(chat.Direct(c.id("second"), c.id("plain")))
	ops := map[string][2]string{}
	for path, item := range describe(t).Open.Paths.Map() {
		for method, op := range item.Operations() {
			ops[op.OperationID] = [2]string{method, path}
		}
	}
	n := 0
	for _, id := range slices.Sorted(maps.Keys(attempts)) {
		a, method := attempts[id], ops[id][0]
		if !strings.Contains(a.path+a.body, "@group") {
			continue
		}
		n++
		path := cmp.Or(a.path, ops[id][1])
		want := directly[id]
		switch {
		case want != "":
		case strings.HasPrefix(path, ofGroup):
			want = "nnnnn"
		default:
			want = ofTwo
		}
		got := ""
		for i, who := range triers {
			ask := func(of *strings.Replacer) reply {
				return c.do(http.DefaultClient, method, of.Replace(path), strings.NewReader(of.Replace(a.body)), bearerOf(c.token(c.people[who]))...)
			}
			r := ask(wrote)
			got += class(t, r)
			if want[i] == 'f' {
				if other := ask(never); other.status != r.status || other.body != r.body {
					t.Errorf("%s as %s: %d %s, and of two who never wrote %d %s", id, who, r.status, r.body, other.status, other.body)
				}
			}
		}
		if got != want {
			t.Errorf("%s %s (%s): %q of %v, want %q", method, path, id, got, triers, want)
		}
	}
	if n < 25 {
		t.Errorf("only %d operations", n)
	}
}
