package page

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"kamachat/shared/chat"
	"kamachat/ui/state"
)

// What the browser's program boots from must draw what is drawn already.
func TestTakeOverChangesNothing(t *testing.T) {
	direct := small("en")
	direct.Open = &OpenConv{Summary: direct.Convs[1], Page: chat.Page{Conv: direct.Convs[1].Conv, Entries: []chat.Message{*direct.Convs[1].Last}, LastSeq: 9}}
	for name, p := range map[string]ChatPage{"group": small("en"), "direct": direct, "busy": busy()} {
		t.Run(name, func(t *testing.T) {
			s := booted(t, p)
			open := p.Open.Summary.Conv
			s.Open(open)
			cs, ls := s.Convs(), p.listed()
			if len(cs) != len(ls) {
				t.Fatalf("%d conversations, %d are drawn", len(cs), len(ls))
			}
			for i, c := range cs {
				l := ls[i]
				if c.ID != l.ID || c.Title != l.Title || c.LastAt != l.At || c.Unread != l.Unread {
					t.Errorf("line %d: %+v, drawn is %+v", i, c, l)
				}
				if l.Says == "You" && c.Tick != l.Tick {
					t.Errorf("line %d: tick %d, drawn is %d", i, c.Tick, l.Tick)
				}
				if c.Last == nil || p.preview(*c.Last) != l.Preview {
					t.Errorf("line %d: %v, drawn is %q", i, c.Last, l.Preview)
				}
			}
			rows, want := s.Rows(open, p.Zone), p.rows()
			if len(rows) != len(want) {
				t.Fatalf("%d rows, %d are drawn", len(rows), len(want))
			}
			for i, r := range rows {
				w := want[i]
				if r.Key != w.Key || r.Mine != w.Mine || r.Tick != w.Tick || r.Day != w.Day || r.New != w.New || r.Head != w.Head {
					t.Errorf("row %d: %+v, drawn is %+v", i, r, w)
				}
				if s.Name(r.Message.Author) != p.name(w.Message.Author) {
					t.Errorf("row %d: by %s", i, s.Name(r.Message.Author))
				}
			}
		})
	}
}

func TestManyConversationsAreNotAllDrawn(t *testing.T) {
	p := busy()
	for i := range 500 {
		m := said(chat.ConvID(fmt.Sprintf("Gold%d", i)), 1, chat.UserID(fmt.Sprintf("Uold%d", i)), -9000-i, chat.TextContent("old words"))
		p.Convs = append(p.Convs, chat.Summary{Conv: m.Conv, Title: "Old", Last: &m, LastSeq: 1})
		p.People = append(p.People, chat.Person{ID: m.Author, Username: fmt.Sprintf("old%d", i)})
	}
	p.Open = &OpenConv{Summary: p.Convs[519], Page: chat.Page{Conv: p.Convs[519].Conv, LastSeq: 1}}
	got := drawn(t, Chat(p))
	if n := strings.Count(got, `class="conv-row"`); n != linesAtOnce+1 || !strings.Contains(got, `aria-current="page"`) {
		t.Errorf("%d lines", n)
	}
	if strings.Contains(got, "old300") || !strings.Contains(got, "old499") || len(got) > 50_000 {
		t.Errorf("people of no line are told, or those of the shown one are not: %d bytes", len(got))
	}
}

// booted is the browser's state as ui/main_boot.go makes it of the page.
func booted(t *testing.T, p ChatPage) *state.State {
	t.Helper()
	block := regexp.MustCompile(`(?s)<script id="boot" type="application/json">(.*?)</script>`).FindStringSubmatch(drawn(t, Chat(p)))
	var b struct {
		Me     *chat.Person
		Convs  []chat.Summary
		People []chat.Person
		Page   *chat.Page
	}
	if err := json.Unmarshal([]byte(block[1]), &b); err != nil {
		t.Fatal(err)
	}
	s := state.New()
	s.Boot(*b.Me, b.Convs, b.People, b.Page)
	return s
}
