package view

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"kamachat/shared/chat"
	"kamachat/shared/find"
	"kamachat/ui/state"
)

// people of the tests.
var (
	mei  = chat.Person{ID: "U1", Username: "mei", Nickname: "Lin Mei"}
	zhe  = chat.Person{ID: "U2", Username: "zhe", Nickname: "阿哲"}
	gong = chat.Person{ID: "U3", Username: "gong"}
)

// noon is when the tests play.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// acts are Intents that note what was intended.
type acts struct{ did []string }

func (a *acts) Post(c chat.ConvID, x chat.Content) {
	a.did = append(a.did, "post "+string(c)+" "+x.Text)
}
func (a *acts) SetLine(c chat.ConvID, by chat.LineChange) {
	said, _ := json.Marshal(by)
	a.did = append(a.did, "line "+string(c)+" "+string(said))
}
func (a *acts) Retry(ref string)                                      { a.did = append(a.did, "retry "+ref) }
func (a *acts) Discard(ref string)                                    { a.did = append(a.did, "discard "+ref) }
func (a *acts) Open(c chat.ConvID)                                    { a.did = append(a.did, "open "+string(c)) }
func (a *acts) More()                                                 { a.did = append(a.did, "more") }
func (a *acts) Older(c chat.ConvID)                                   { a.did = append(a.did, "older "+string(c)) }
func (a *acts) Read(c chat.ConvID, seq int64)                         { a.did = append(a.did, "read "+itoa(int(seq))) }
func (a *acts) Jump(c chat.ConvID, seq int64)                         {}
func (a *acts) Around(c chat.ConvID, newer bool)                      {}
func (a *acts) Latest(c chat.ConvID)                                  {}
func (a *acts) At(context.Context, chat.ConvID, int64) (int64, error) { return 0, nil }
func (a *acts) Find(context.Context, find.Query, int) ([]chat.Message, error) {
	return nil, nil
}
func (a *acts) Draft(c chat.ConvID, t string) {}
func (a *acts) Typing(c chat.ConvID)          { a.did = append(a.did, "typing "+string(c)) }
func (a *acts) SignOut()                      { a.did = append(a.did, "sign out") }
func (a *acts) Search(_ context.Context, q string) ([]chat.Person, error) {
	return []chat.Person{zhe, gong}, nil
}
func (a *acts) MakeGroup(context.Context, string, chat.Joining, []chat.UserID) (chat.ConvID, error) {
	return "G9", nil
}

// desk returns a Desk of Lin Mei's over a state with a direct conversation,
// whose newest entry is hers and read, and a group with two unread entries.
func desk(lang string) (*Desk, *state.State) {
	st := state.New()
	direct := chat.Direct(mei.ID, zhe.ID)
	at := noon.UnixMilli()
	st.Boot(mei, []chat.Summary{
		{Conv: direct, LastSeq: 2, Last: &chat.Message{Conv: direct, Seq: 2, Author: mei.ID, At: at - 60_000, Content: chat.TextContent("see you")},
			Mine: chat.Marks{Read: 2}, All: chat.Marks{Read: 2}},
		{Conv: "G1", Title: "Weekend <hike>", Members: 3, LastSeq: 3, Unread: 2, Mine: chat.Marks{Read: 1},
			Last: &chat.Message{Conv: "G1", Seq: 3, Author: zhe.ID, At: at, Content: chat.TextContent("seven\no'clock")}},
	}, []chat.Person{zhe, gong}, nil)
	d := &Desk{Do: func(f func(*state.State)) { f(st) }, Intents: &acts{}, Lang: lang, Zone: time.UTC, Now: func() time.Time { return noon }}
	d.log = &log{desk: d}
	return d, st
}

// drawn mounts c and returns its HTML on one line, without the icons.
func drawn(t *testing.T, c app.Composer) string {
	t.Helper()
	e := app.NewTestEngine()
	if err := e.Load(c); err != nil {
		t.Fatal(err)
	}
	e.ConsumeAll()
	return strings.Join(strings.Fields(app.HTMLString(c)), " ")
}

func has(t *testing.T, html string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(html, p) {
			t.Errorf("there is no %s in\n%s", p, html)
		}
	}
}

func lacks(t *testing.T, html string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if strings.Contains(html, p) {
			t.Errorf("there is %s in\n%s", p, html)
		}
	}
}

func TestABurstOfChangesTellsThePageOnce(t *testing.T) {
	d, _ := desk("en")
	d.Changed(state.Change{List: true}) // before the page is there
	told := 0
	d.onTell(func() { told++ })
	for range 100 {
		d.Changed(state.Change{Convs: map[chat.ConvID]bool{"G1": true}})
	}
	if told != 1 {
		t.Errorf("told %d times, want once", told)
	}
	if ch := d.take(); !ch.List || !ch.Has("G1") {
		t.Errorf("took %+v, want all that has changed", ch)
	}
	d.Changed(state.Change{Link: true})
	if told != 2 {
		t.Errorf("told %d times after take, want twice", told)
	}
}
