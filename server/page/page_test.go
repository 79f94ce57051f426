package page

import (
	"bytes"
	"compress/gzip"
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"kamachat/shared/chat"
	"kamachat/shared/words"
)

var update = flag.Bool("update", false, "write what the pages are into testdata")

// Bounds of a page with 20 conversations and 30 messages, with everything in it.
const (
	maxSent  = 6_000  // bytes, compressed as server/web does
	maxDrawn = 30_200 // bytes
)

const (
	ann, bob, eve = chat.UserID("U2f8k1xq09gw0"), chat.UserID("U2f8k1xq0bb5s"), chat.UserID("U2f8k1xq0c1dk")
	hike          = chat.ConvID("G2f8k1xq0dt8g")
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func common(lang string) Common {
	return Common{
		Lang: lang, Build: "v1", Now: noon, Zone: time.UTC, MaxUpload: 50 << 20,
		Asset: func(name string) string {
			ext := filepath.Ext(name)
			return "/static/" + strings.TrimSuffix(name, ext) + "-0123456789abcdef" + ext
		},
	}
}

func drawn(t testing.TB, c templ.Component) string {
	t.Helper()
	var b bytes.Buffer
	if err := c.Render(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func said(conv chat.ConvID, seq int64, by chat.UserID, minutes int, c chat.Content) chat.Message {
	at := noon.Add(time.Duration(minutes) * time.Minute).UnixMilli()
	return chat.Message{ID: seq, Conv: conv, Seq: seq, Author: by, At: at, Content: c}
}

// small is a chat in which there is one of everything.
func small(lang string) ChatPage {
	direct := chat.Direct(ann, bob)
	es := []chat.Message{
		said(hike, 2, ann, -1500, chat.Content{Kind: chat.Event, Event: &chat.Change{What: "joined", Who: []chat.UserID{eve}}}),
		said(hike, 3, bob, -20, chat.TextContent("Saturday, seven o’clock?\nSee https://example.org/hike, @ann")),
		said(hike, 4, bob, -19, chat.TextContent("Run `make` or\n```go\nfmt.Println(\"<b>\")\n```\nthen")),
		said(hike, 5, ann, -18, chat.TextContent("Works for me.")),
		said(hike, 6, ann, -17, chat.Content{Kind: chat.FileK, File: &chat.File{URL: "/files/1", Name: "ridge.gpx", Type: "application/gpx+xml", Size: "248 KB"}}),
		said(hike, 7, eve, -2, chat.Content{Kind: chat.CallK, Call: &chat.Call{ID: "x", What: "start_call"}}),
	}
	last := said(direct, 9, ann, -3000, chat.TextContent("Fine"))
	s := chat.Summary{Conv: hike, Title: "Weekend hike", Members: 3, LastSeq: 7, Last: &es[5], Unread: 1,
		Mine: chat.Marks{Delivered: 7, Read: 6}, All: chat.Marks{Delivered: 6, Read: 5}}
	return ChatPage{
		Common: common(lang), Me: &chat.Person{ID: ann, Username: "ann", Nickname: "Lin Mei"},
		Convs:  []chat.Summary{s, {Conv: direct, LastSeq: 9, Last: &last, All: chat.Marks{Delivered: 9, Read: 9}}},
		People: []chat.Person{{ID: bob, Username: "bob", Nickname: "Azhe"}, {ID: eve, Username: "eve", Avatar: "/files/eve.png"}},
		Open:   &OpenConv{Summary: s, Page: chat.Page{Conv: hike, Entries: es, LastSeq: 7}, Ref: "r1"},
	}
}

// menu is a chat in which what can be done about its line is shown. Nothing is unread.
func menu(lang string, l chat.Line) ChatPage {
	p := small(lang)
	p.Open.Menu, p.Open.Summary.Unread, p.Open.Summary.Line = true, 0, l
	p.Convs[0].Unread, p.Convs[0].Line = 0, l
	return p
}

// sent is a message with a file that was uploaded.
func sent(seq int64, by chat.UserID, name, mime string, w, h int) chat.Message {
	f := chat.Upload{ID: strings.Repeat("A2", 13), Name: name, Type: mime, Size: 1_234_567, Width: w, Height: h}.File()
	return said(hike, seq, by, int(seq)-20, chat.Content{Kind: chat.FileK, File: &f})
}

// withFiles is a chat in which files of all kinds were sent.
func withFiles(lang string) ChatPage {
	p := small(lang)
	p.Open.Page.Entries = []chat.Message{
		sent(3, bob, "山脊 1.png", "image/png", 4000, 3000), sent(4, ann, "walk.mp4", "video/mp4", 0, 0), sent(5, bob, "bird.ogg", "audio/ogg", 0, 0),
		sent(6, ann, "map.pdf", "application/pdf", 0, 0),
		said(hike, 7, bob, -2, chat.Content{Kind: chat.FileK, File: &chat.File{URL: "https://elsewhere.example/x.png", Name: "x.png", Type: "image/png", Size: "9"}}),
	}
	return p
}

// amended is a chat in which messages were answered, edited, unsent and reacted to.
func amended(lang string) ChatPage {
	p := small(lang)
	answer := chat.TextContent("Me too")
	answer.Re = &chat.Quote{Seq: 3, Author: bob, Text: "Saturday, <seven> o’clock?"}
	late := chat.TextContent("What was that?")
	late.Re = &chat.Quote{Seq: 5, Author: bob, Text: "a secret"}
	es := []chat.Message{
		said(hike, 3, bob, -20, chat.TextContent("Saturday, <seven> o’clock?")), said(hike, 4, ann, -19, answer), said(hike, 5, bob, -18, chat.TextContent("a secret")),
		said(hike, 6, ann, -17, late), said(hike, 7, bob, -16, chat.Content{Kind: chat.Recall, Of: 5}), said(hike, 8, bob, -15, chat.Content{Kind: chat.Edit, Of: 3, Text: "At eight!"}),
		said(hike, 9, ann, -14, chat.Content{Kind: chat.React, Of: 3, Text: "👍"}), said(hike, 10, eve, -13, chat.Content{Kind: chat.React, Of: 3, Text: "👍"}),
		said(hike, 11, eve, -12, chat.Content{Kind: chat.React, Of: 4, Text: "❤️"}), said(hike, 12, ann, -11, chat.Content{Kind: chat.Edit, Of: 4, Text: "Me, too"}),
	}
	chat.Fold(es)
	p.Open.Page.Entries, p.Open.Page.LastSeq, p.Open.Summary.Unread = es, 12, 0
	p.Convs[0].Last, p.Convs[0].Unread = &es[2], 0
	return p
}

// pages are all pages in one language.
func pages(lang string) map[string]templ.Component {
	c := common(lang)
	list, fresh, past := small(lang), small(lang), small(lang)
	list.Open = nil
	list.Asks = Asks{Contacts: 2, Groups: []chat.GroupAsked{{Conv: hike, Name: "Weekend hike", Waiting: 1}}}
	fresh.Convs, fresh.Open = nil, &OpenConv{Summary: chat.Summary{Conv: chat.Direct(ann, eve)}, Page: chat.Page{Conv: chat.Direct(ann, eve)}, Ref: "r1"}
	past.Open.Past, past.Open.Text, past.Open.Problem = true, "too long", chat.Refuse(chat.TooLong, "the text is too long")
	found := []chat.Person{{ID: bob, Username: "bob", Nickname: "Azhe"}}
	all := map[string]templ.Component{
		"signin":       SignIn(SignInPage{Common: c, Next: "/c/" + string(hike)}),
		"wrong":        SignIn(SignInPage{Common: c, Next: "/", Username: "ann", Problem: chat.Refuse(chat.SignedOut, "wrong username or password")}),
		"register":     Register(RegisterPage{Common: c, Next: "/"}),
		"setup":        Register(RegisterPage{Common: c, Next: "/", SetupKey: "k&y", Problem: chat.Refuse(chat.Taken, "the username is in use")}),
		"shell":        Chat(ChatPage{Common: c}),
		"list":         Chat(list),
		"chat":         Chat(small(lang)),
		"chat-new":     Chat(fresh),
		"chat-past":    Chat(past),
		"chat-menu":    Chat(menu(lang, chat.Line{})),
		"chat-menu-on": Chat(menu(lang, chat.Line{Pinned: 1, Marked: true, Hushed: chat.Forever})),
		"chat-file":    Chat(withFiles(lang)),
		"chat-amended": Chat(amended(lang)),
		"new":          New(NewPage{Common: c, Me: *list.Me, Query: "az", Found: found}),
		"new-none":     New(NewPage{Common: c, Me: *list.Me, Query: "zz"}),
		"new-again": New(NewPage{
			Common: c, Me: *list.Me, Chosen: found, Found: append([]chat.Person{{ID: eve, Username: "eve"}}, found...), Name: "Tea", Notice: "At four.\nBring cups.",
			Joining: chat.JoinApproval, Picture: "/files/tea/cup.png", Problem: chat.Refuse(chat.TooLong, "a notice has at most 500 characters"),
		}),
		"api":       API(apiPage(lang)),
		"doctor":    Doctor(DoctorPage{Common: c}),
		"doctor-of": Doctor(DoctorPage{Common: c, SignedIn: true, Admin: true}),
		"error":     Error(ErrorPage{Common: c, Status: 404, Problem: chat.Refuse(chat.NotFound, "there is no such page")}),
	}
	maps.Copy(all, adminPages(lang))
	maps.Copy(all, boardPages(lang))
	maps.Copy(all, groupPages(lang))
	maps.Copy(all, exportPages(lang))
	maps.Copy(all, peoplePages(lang))
	maps.Copy(all, settingsPages(lang))
	return all
}

func TestPagesAreAsTheyWere(t *testing.T) {
	for _, lang := range []string{"en", "zh"} {
		for name, c := range pages(lang) {
			got := drawn(t, c)
			file := filepath.Join("testdata", name+"."+lang+".html")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				continue
			}
			want, err := os.ReadFile(file)
			if err != nil || got != string(want) {
				t.Errorf("%s differs; look at it and run go test ./server/page -update: %v\n%s", file, err, got)
			}
		}
	}
}

func TestPagesKeepThePolicyAndTheTakeOver(t *testing.T) {
	forbidden := regexp.MustCompile(`(?i)\sstyle=|\son[a-z]+=|<style|javascript:|<script>`)
	for _, lang := range []string{"en", "zh"} {
		for name, c := range pages(lang) {
			got := drawn(t, c)
			if m := forbidden.FindString(got); m != "" {
				t.Errorf("%s: has %q", name, m)
			}
			if !strings.Contains(got, `<html lang="`+lang+`"`) {
				t.Errorf("%s: not in %s", name, lang)
			}
			if strings.Contains(got, "boot.js") && !regexp.MustCompile(`<body[^>]*>\s*<div id="app"`).MatchString(got) {
				t.Errorf("%s: go-app would replace something else than #app", name)
			}
		}
	}
}

func TestEverySentenceIsThere(t *testing.T) {
	files, err := filepath.Glob("*.*")
	if err != nil {
		t.Fatal(err)
	}
	key := regexp.MustCompile(`\bsay\("([a-z.]+[a-z])"|return "((?:call|preview)\.[a-z]+)"`)
	n := 0
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range key.FindAllStringSubmatch(string(text), -1) {
			k := m[1] + m[2]
			n++
			if words.Say(words.EN, k) == k {
				t.Errorf("%s says %q, which is not in the catalogue", f, k)
			}
		}
	}
	if n < 30 {
		t.Errorf("only %d sentences found", n)
	}
}

const evil = `"><script>alert(1)</script>'<img src=x onerror=alert(1)>&lt;`

func TestWhatPeopleWriteIsText(t *testing.T) {
	p := small("en")
	p.Me.Nickname, p.Me.Username, p.Me.Avatar = evil, evil, "javascript:alert(1)"
	for i := range p.People {
		p.People[i].Nickname = evil
	}
	p.Open.Text, p.Open.Ref = "</textarea>"+evil, evil
	file := &chat.File{URL: "javascript:alert(1)", Name: evil + ".pdf", Size: evil}
	es := []chat.Message{
		said(hike, 1, bob, -9, chat.TextContent(evil)), said(hike, 2, bob, -8, chat.TextContent("`"+evil+"` ```"+evil+"```")),
		said(hike, 3, bob, -7, chat.Content{Kind: chat.FileK, File: file}),
		said(hike, 4, bob, -6, chat.TextContent(`https://example.org/"onmouseover="alert(1) javascript:alert(1)`)),
		sent(6, bob, evil, "image/png", 1, 1), sent(7, bob, evil, "audio/ogg", 0, 0), sent(8, bob, evil, "video/mp4", 0, 0), sent(9, bob, evil, "x", 0, 0),
		said(hike, 5, bob, -5, chat.Content{Kind: chat.Event, Event: &chat.Change{What: "renamed", Name: evil}}),
	}
	p.Open.Page.Entries = es
	p.Convs[0].Title, p.Open.Summary.Title, p.Convs[0].Last = evil, evil, &es[0]
	all := map[string]templ.Component{
		"chat":     Chat(p),
		"new":      New(NewPage{Common: p.Common, Query: evil, Name: evil, Notice: "</textarea>" + evil, Found: p.People}),
		"signin":   SignIn(SignInPage{Common: p.Common, Next: evil, Username: evil}),
		"register": Register(RegisterPage{Common: p.Common, Next: evil, Username: evil, Nickname: evil, SetupKey: evil}),
	}
	handler := regexp.MustCompile(`(?i)<[^>"]*("[^"]*"[^>"]*)*\son[a-z]+=`)
	for name, c := range all {
		got := drawn(t, c)
		if strings.Contains(got, "<script>") || strings.Contains(got, "<img src=x") || handler.MatchString(got) {
			t.Errorf("%s is broken into: %s", name, got)
		}
		if strings.Contains(got, `="javascript:`) {
			t.Errorf("%s has a javascript: link", name)
		}
		if strings.Count(got, "</textarea>") > 1 {
			t.Errorf("%s: the text leaves its field", name)
		}
	}
	if got := drawn(t, all["chat"]); !strings.Contains(got, `<span class="file">`) {
		t.Error("a file at a javascript: address is not shown as text")
	}
}

func TestTextIsKeptToTheLetter(t *testing.T) {
	got := drawn(t, Chat(small("en")))
	for _, want := range []string{
		"\">Saturday, seven o’clock?\nSee <a href=\"https://example.org/hike\" ",
		">https://example.org/hike</a>, <span class=\"at\">@ann</span></div>",
		"\">Run <code>make</code> or<pre><code>fmt.Println(&#34;&lt;b&gt;&#34;)</code></pre>then</div>",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("want %s", want)
		}
	}
}

func TestChatIsSmall(t *testing.T) {
	p := busy()
	got := drawn(t, Chat(p))
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	w.Write([]byte(got))
	w.Close()
	i := strings.Index(got, `id="boot"`)
	t.Logf("%d bytes, of which %d to boot from; %d compressed", len(got), len(got)-i, z.Len())
	if len(got) > maxDrawn || z.Len() > maxSent {
		t.Errorf("the page has %d bytes, %d compressed; at most %d and %d are allowed", len(got), z.Len(), maxDrawn, maxSent)
	}
}

// busy is a page as it is on a working day.
func busy() ChatPage {
	p := ChatPage{Common: common("en"), Me: &chat.Person{ID: ann, Username: "linmei", Nickname: "Lin Mei"}}
	short := []string{"Fine, see you at the station", "OK", "Can you send me the file?", "Done, the new icons are up", "Thanks!"}
	for i := range 20 {
		u := chat.UserID(fmt.Sprintf("U2f8k1xq1%03dw", i))
		conv := chat.Direct(ann, u)
		s := chat.Summary{Conv: conv, LastSeq: int64(40 + i), Mine: chat.Marks{Conv: conv, User: ann, Delivered: int64(40 + i), Read: int64(40 + i)}, All: chat.Marks{Conv: conv, Delivered: 39, Read: 39}}
		if i%4 == 0 {
			s.Conv, s.Title, s.Members, s.Unread = chat.ConvID(fmt.Sprintf("G2f8k1xq1%03dw", i)), "Project "+string(rune('A'+i)), 8, i%3
			s.Mine.Read -= int64(s.Unread)
		}
		by := u
		if i%3 == 0 {
			by = ann
		}
		m := said(s.Conv, s.LastSeq, by, -100*i, chat.TextContent(short[i%len(short)]))
		s.Last = &m
		p.Convs = append(p.Convs, s)
		p.People = append(p.People, chat.Person{ID: u, Username: fmt.Sprintf("person%d", i), Nickname: "Person " + string(rune('A'+i))})
	}
	s := p.Convs[1]
	o := &OpenConv{Summary: s, Ref: "ABCDEFGHIJKLMNOPQRSTUVWXYZ", Page: chat.Page{Conv: s.Conv, LastSeq: s.LastSeq}}
	peer, _ := s.Conv.Peer(ann)
	lines := []string{"Saturday, seven o’clock at North Station?", "The forecast says sun all day", "Works for me. I’ll bring the map and water.", "OK", "On it, I’ll book for all of us."}
	for i := range 30 {
		by := peer
		if i/3%2 == 1 {
			by = ann
		}
		o.Page.Entries = append(o.Page.Entries, said(s.Conv, s.LastSeq-29+int64(i), by, i-120, chat.TextContent(lines[i%len(lines)])))
	}
	p.Convs[1].Last = &o.Page.Entries[29]
	p.Open = o
	return p
}
