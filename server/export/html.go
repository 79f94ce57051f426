package export

import (
	"bufio"
	"html/template"
	"strconv"
	"strings"

	"kamachat/shared/chat"
	"kamachat/shared/told"
	"kamachat/shared/words"
)

// htmlForm is a page that needs nothing else and runs nothing: it says so itself,
// since it is opened from a disk, where no header does. Everything in it that
// people wrote is escaped.
type htmlForm struct {
	w   *bufio.Writer
	o   Order
	day string
}

var pageParts = template.Must(template.New("").Parse(`
{{define "begin"}}<!DOCTYPE html>
<html lang="{{.Lang}}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>{{.Title}} · KamaChat</title>
<style>
body { font: 15px/1.5 system-ui, "PingFang SC", "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; max-width: 46rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; color: light-dark(#22262a, #e6e8ea); background: light-dark(#fff, #1a1d20) }
h1 { font-size: 1.3rem } h2 { font-size: .85rem; color: #777; text-align: center; margin: 2rem 0 .5rem }
article { margin: .7rem 0; overflow-wrap: anywhere } article p { margin: 0; white-space: pre-wrap }
time, small, .event { color: #777; font-size: .85rem } .event { text-align: center } blockquote { margin: .2rem 0; padding-inline-start: .6rem; border-inline-start: 3px solid #999; color: #777 }
</style>
</head>
<body>
<h1>{{.Title}}</h1>
<p><small>{{.About}}</small></p>
{{end}}
{{define "day"}}<h2>{{.}}</h2>
{{end}}
{{define "event"}}<p class="event" id="m{{.Seq}}">{{.Text}} <time datetime="{{.At}}">{{.Clock}}</time></p>
{{end}}
{{define "entry"}}<article id="m{{.Seq}}"><b>{{.Author}}</b> <time datetime="{{.At}}">{{.Clock}}</time>{{if .Edited}} <small>{{.Edited}}</small>{{end}}
{{- if .QuoteOf}}<blockquote><a href="#m{{.QuoteSeq}}">{{.QuoteOf}}</a>: {{.Quote}}</blockquote>{{end}}
{{- if .Gone}}<p><i>{{.Gone}}</i></p>{{else if .Link}}<p><a href="{{.Link}}" rel="noreferrer noopener">{{.Text}}</a></p>{{else}}<p>{{.Text}}</p>{{end}}
{{- if .Reactions}}<small>{{.Reactions}}</small>{{end}}</article>
{{end}}
{{define "end"}}</body>
</html>
{{end}}`))

func (f *htmlForm) say(key string, args ...any) string { return words.Say(f.o.Lang, key, args...) }

func (f *htmlForm) begin(o Order) error {
	f.o = o
	return pageParts.ExecuteTemplate(f.w, "begin", map[string]any{
		"Lang": string(o.Lang), "Title": o.Title, "About": f.say("export.about", words.Full(o.Lang, o.Now.In(o.Zone)), o.Me.Name()),
	})
}

func (f *htmlForm) entry(m chat.Message, people map[chat.UserID]chat.Person) error {
	c := m.Content
	if c.Kind.Amends() {
		return nil // what it amends shows it
	}
	at := msTime(m.At).In(f.o.Zone)
	if d := at.Format("2006-01-02"); d != f.day {
		f.day = d
		if err := pageParts.ExecuteTemplate(f.w, "day", words.Day(f.o.Lang, at, f.o.Now.In(f.o.Zone))); err != nil {
			return err
		}
	}
	v := map[string]any{
		"Seq": m.Seq, "At": at.Format("2006-01-02T15:04:05Z07:00"), "Clock": words.Clock(f.o.Lang, at), "Author": f.name(people, m.Author), "Text": c.Text,
	}
	if c.Fate != nil && c.Fate.Edited > 0 {
		v["Edited"] = f.say("log.edited")
	}
	var rs []string
	for _, r := range c.Reactions() {
		rs = append(rs, r.Text+" "+strconv.Itoa(len(r.People)))
	}
	v["Reactions"] = strings.Join(rs, "  ")
	part := "entry"
	switch {
	case c.Kind == chat.Event:
		part, v["Text"] = "event", told.Teller{
			Lang: f.o.Lang, Name: func(u chat.UserID) string { return f.name(people, u) },
			Moment: func(ms int64) string { return words.Full(f.o.Lang, msTime(ms).In(f.o.Zone)) },
		}.Event(m)
	case c.Kind == chat.CallK:
		part, v["Text"] = "event", f.name(people, m.Author)+": "+f.say("preview.call")
	case c.Kind == chat.Gone:
		v["Gone"] = told.Gone(f.o.Lang, c)
	case c.File != nil:
		v["Text"] = c.File.Name
		if u := c.File.URL; chat.SafeURL(u) {
			if strings.HasPrefix(u, "/") {
				u = f.o.Site + u
			}
			v["Link"] = u
		}
	case c.Re != nil:
		v["QuoteOf"], v["QuoteSeq"], v["Quote"] = f.name(people, c.Re.Author), c.Re.Seq, c.Re.Text
		if c.Re.Text == "" {
			v["Quote"] = f.say("gone.text")
		}
	}
	return pageParts.ExecuteTemplate(f.w, part, v)
}

func (f *htmlForm) end(map[chat.UserID]chat.Person) error {
	return pageParts.ExecuteTemplate(f.w, "end", nil)
}

// name is what the page calls a person.
func (f *htmlForm) name(people map[chat.UserID]chat.Person, u chat.UserID) string {
	p, ok := people[u]
	switch {
	case !ok:
		return string(u)
	case p.Gone():
		return f.say("person.gone")
	}
	return p.Name()
}
