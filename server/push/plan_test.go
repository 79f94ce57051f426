package push

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"kamachat/server/inproc"
	"kamachat/server/push/pushtest"
	"kamachat/shared/chat"
)

func TestWhoIsNotThereIsToldOnce(t *testing.T) {
	w := newWorld(t)
	w.subscribe(bob, "/b", "en")
	w.subscribe(ann, "/a", "en") // who writes is not told
	w.say(ann, group, chat.TextContent("old"))
	m := w.say(ann, direct, chat.TextContent("hi\n \"Bob\" & <co>"))
	w.pass(gather)
	w.pass(time.Hour)
	var r pushtest.Request
	for _, q := range w.gate.Requests() {
		if n := w.notice(q); n.Conv == direct {
			r = q
		}
	}
	w.wantTold(`/b: Ann: hi "Bob" & <co>`, "/b: Tea 茶: Ann: old")
	want := notice{Conv: direct, Title: "Ann", Body: `hi "Bob" & <co>`, Seq: m.Seq, Unread: 2, Tag: string(direct)}
	if got := w.notice(r); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	key, err := w.Key()
	if err != nil {
		t.Fatal(err)
	}
	if err := pushtest.CheckVapid(r.Header.Get("Authorization"), key, w.gate.URL, w.now); err != nil {
		t.Error(err)
	}
	for name, want := range map[string]string{"Ttl": "86400", "Urgency": "high", "Content-Encoding": "aes128gcm", "Content-Type": "application/octet-stream"} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if s := w.Stats(); s != (Stats{Sent: 2}) || w.Len() != 0 {
		t.Errorf("counted %+v, %d wait", s, w.Len())
	}
}

func TestTopicsCollapseWhatWaits(t *testing.T) {
	w := newWorld(t)
	w.subscribe(bob, "/1", "en")
	w.subscribe(bob, "/2", "en")
	topics := map[string]map[string]bool{}
	for range 2 {
		w.say(ann, direct, chat.TextContent("x"))
		w.say(ann, group, chat.TextContent("x"))
		w.pass(gap)
	}
	for _, r := range w.gate.Requests() {
		k := r.Path + string(w.notice(r).Conv)
		if topics[k] == nil {
			topics[k] = map[string]bool{}
		}
		topic := r.Header.Get("Topic")
		topics[k][topic] = true
		if raw, err := b64.DecodeString(topic); err != nil || len(topic) > 32 || len(raw) < 16 {
			t.Errorf("topic %q", topic)
		}
	}
	all := map[string]bool{}
	for k, ts := range topics {
		if len(ts) != 1 {
			t.Errorf("%s has topics %v", k, ts)
		}
		for topic := range ts {
			all[topic] = true
		}
	}
	if len(topics) != 4 || len(all) != 4 {
		t.Errorf("topics are %v: want one for each browser and conversation", topics)
	}
}

func TestSeveralMessagesAreOneNotice(t *testing.T) {
	w := newWorld(t)
	w.subscribe(bob, "/b", "en")
	for i := range 5 {
		w.say(ann, direct, chat.TextContent(fmt.Sprint(i)))
	}
	w.pass(gather)
	w.wantTold("/b: Ann: 4")
	w.say(ann, direct, chat.TextContent("5"))
	w.pass(gather)
	w.wantTold("/b: Ann: 4") // not yet
	w.say(ann, direct, chat.TextContent("6"))
	w.pass(gap)
	w.wantTold("/b: Ann: 4", "/b: Ann: 6")
}

func TestWhoIsThereIsToldOnlyWhatDidNotReachThem(t *testing.T) {
	for name, c := range map[string]struct {
		online, looking bool
		marks           chat.Marks // after the message
		told            int        // after 10 s
	}{
		"away":                        {false, false, chat.Marks{}, 1},
		"here and got it":             {true, true, chat.Marks{Delivered: 1}, 0},
		"here, nothing arrived":       {true, true, chat.Marks{}, 1},
		"all hidden, got it":          {true, false, chat.Marks{Delivered: 1}, 1},
		"hidden, but read it":         {true, false, chat.Marks{Delivered: 1, Read: 1}, 0},
		"away, but read it elsewhere": {false, false, chat.Marks{Delivered: 1, Read: 1}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.subscribe(bob, "/b", "en")
			for p, is := range map[*inproc.Presence]bool{w.presence: c.online, w.looking: c.looking} {
				if is {
					if err := p.Touch(t.Context(), bob, "S1"); err != nil {
						t.Fatal(err)
					}
				}
			}
			w.say(ann, direct, chat.TextContent("x"))
			c.marks.Conv, c.marks.User = direct, bob
			if err := w.db.SaveMarks(t.Context(), []chat.Marks{c.marks}); err != nil {
				t.Fatal(err)
			}
			w.pass(gather)
			if got := len(w.gate.Requests()); c.online && got != 0 {
				t.Errorf("told at once %d times, although here", got)
			}
			w.pass(grace)
			w.pass(time.Hour)
			if got := len(w.gate.Requests()); got != c.told {
				t.Errorf("told %d times, want %d", got, c.told)
			}
		})
	}
}

// away is a presence that can't be asked.
type away struct{}

func (away) Online(context.Context, ...chat.UserID) (map[chat.UserID]bool, error) {
	return nil, errors.New("away")
}

func TestWithoutPresenceItGoesByWhatArrived(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Presence, c.Looking = away{}, away{} })
	w.subscribe(bob, "/b", "en")
	w.subscribe(cat, "/c", "en")
	w.say(ann, group, chat.TextContent("x"))
	w.pass(gather)
	w.wantTold()
	if err := w.db.SaveMarks(t.Context(), []chat.Marks{{Conv: group, User: cat, Delivered: 1}}); err != nil {
		t.Fatal(err)
	}
	w.pass(grace)
	w.wantTold("/b: Tea 茶: Ann: x")
}

func TestWhoWantsQuietIsNotTold(t *testing.T) {
	for name, c := range map[string]struct {
		set  func(w *world) error
		told int // of two, one in each conversation
	}{
		"nothing": {func(*world) error { return nil }, 2},
		"muted":   {func(w *world) error { return w.hush(bob, chat.Forever) }, 1},
		"muted till later": {func(w *world) error {
			return w.hush(bob, w.now.Add(time.Hour).UnixMilli())
		}, 1},
		"muted till before": {func(w *world) error {
			return w.hush(bob, w.now.UnixMilli())
		}, 2},
		"muted no more": {func(w *world) error {
			return errors.Join(w.hush(bob, chat.Forever), w.hush(bob, 0))
		}, 2},
		"muted by another": {func(w *world) error { return w.hush(cat, chat.Forever) }, 2},
		"quiet":            {func(w *world) error { return w.SetQuiet(w.t.Context(), bob, chat.Quiet{Until: chat.Forever}) }, 0},
		"quiet hours": {func(w *world) error {
			at := w.now.UTC()
			return w.SetQuiet(w.t.Context(), bob, chat.Quiet{From: at.Add(-time.Hour).Format(clock), To: at.Add(time.Hour).Format(clock)})
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.subscribe(bob, "/b", "en")
			if err := c.set(w); err != nil {
				t.Fatal(err)
			}
			w.say(ann, group, chat.TextContent("x"))
			w.say(ann, direct, chat.TextContent("x"))
			w.pass(gather)
			if got := len(w.gate.Requests()); got != c.told {
				t.Errorf("told %q, want %d", w.told(), c.told)
			}
		})
	}
}

func TestNoticesSayWhatIsNoText(t *testing.T) {
	long := strings.Repeat("你", 200)
	w := newWorld(t)
	w.subscribe(bob, "/en", "en")
	w.subscribe(bob, "/zh", "zh")
	for _, c := range []struct {
		c      chat.Content
		en, zh string // nothing: nobody is told
	}{
		{chat.Content{Kind: chat.FileK, File: &chat.File{URL: "/f", Name: "a.pdf", Type: "application/pdf"}}, "File: a.pdf", "[文件] a.pdf"},
		{chat.Content{Kind: chat.FileK, File: &chat.File{URL: "/f", Name: "a.png", Type: "image/png"}}, "Picture", "[图片]"},
		{chat.Content{Kind: chat.CallK, Call: &chat.Call{ID: "PROXY", What: "start_call"}}, "Call", "[通话]"},
		{chat.Content{Kind: chat.CallK, Call: &chat.Call{ID: "PROXY", What: "reject_call"}}, "", ""},
		{chat.Content{Kind: chat.Event, Event: &chat.Change{What: chat.Befriend}}, "", ""},
		{chat.TextContent(long), long[:3*119] + "…", long[:3*119] + "…"},
	} {
		before := len(w.gate.Requests())
		w.say(ann, direct, c.c)
		w.pass(time.Minute)
		got := map[string]string{}
		for _, r := range w.gate.Requests()[before:] {
			n := w.notice(r)
			got[r.Path] = n.Body
			if isCall(c.c) != (r.Header.Get("TTL") == "60") {
				t.Errorf("%s is kept for %s s", n.Body, r.Header.Get("TTL"))
			}
			if utf8.RuneCountInString(n.Body) > 120 {
				t.Errorf("%q is too long", n.Body)
			}
		}
		if got["/en"] != c.en || got["/zh"] != c.zh {
			t.Errorf("got %q, want %q and %q", got, c.en, c.zh)
		}
	}
}

// What was unsent or edited before anybody was told is told so, or not at all.
func TestNoticesFollowAmendments(t *testing.T) {
	w := newWorld(t)
	w.subscribe(bob, "/b", "en")
	m := w.say(ann, direct, chat.TextContent("secret"))
	w.say(ann, direct, chat.Content{Kind: chat.Recall, Of: m.Seq})
	n := w.say(ann, group, chat.TextContent("tpyo"))
	w.say(ann, group, chat.Content{Kind: chat.Edit, Of: n.Seq, Text: "typo"})
	w.pass(gather)
	w.wantTold("/b: Tea 茶: Ann: typo")
	w.say(cat, group, chat.Content{Kind: chat.React, Of: n.Seq, Text: "👍"})
	w.say(ann, group, chat.Content{Kind: chat.Edit, Of: n.Seq, Text: "later"})
	w.pass(time.Hour)
	w.wantTold("/b: Tea 茶: Ann: typo")
	if w.Len() != 0 {
		t.Errorf("%d wait", w.Len())
	}
}
