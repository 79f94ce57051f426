package web

import (
	"context"
	"html/template"
	"io"
)

// plain are pages without any looks, drawn where Config has none.
var plain = Pages{
	SignIn:   func(p SignInPage) Component { return drawn{"signin", p} },
	Register: func(p RegisterPage) Component { return drawn{"register", p} },
	Chat:     func(p ChatPage) Component { return drawn{"chat", p} },
	New:      func(p NewPage) Component { return drawn{"new", p} },
	Error:    func(p ErrorPage) Component { return drawn{"error", p} },
}

type drawn struct {
	name string
	data any
}

func (d drawn) Render(_ context.Context, w io.Writer) error {
	return plainPages.ExecuteTemplate(w, d.name, d.data)
}

var plainPages = template.Must(template.New("").Parse(`
{{define "head"}}<!doctype html><html lang="{{.Lang}}"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>KamaChat</title><body>{{with .Problem}}<p role="alert">{{.Words}}</p>{{end}}{{end}}

{{define "signin"}}{{template "head" .}}<form method="post" action="/login"><input type="hidden" name="next" value="{{.Next}}">
<label>Username <input name="username" value="{{.Username}}" autocomplete="username" required></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<button>Sign in</button></form><p><a href="/register">Register</a></p>{{end}}

{{define "register"}}{{template "head" .}}<form method="post" action="{{if .SetupKey}}/setup{{else}}/register{{end}}">
<input type="hidden" name="key" value="{{.SetupKey}}"><input type="hidden" name="next" value="{{.Next}}">
<label>Username <input name="username" value="{{.Username}}" autocomplete="username" required></label>
<label>Nickname <input name="nickname" value="{{.Nickname}}"></label>
<label>Password <input name="password" type="password" autocomplete="new-password" minlength="8" required></label>
<button>Register</button></form>{{end}}

{{define "chat"}}<!doctype html><html lang="{{.Lang}}"><meta charset="utf-8"><title>KamaChat</title><body>
{{with .Me}}<p>{{.Name}}</p><form method="post" action="/logout"><button>Sign out</button></form><p><a href="/new">New</a></p>{{end}}
<ul>{{range .Convs}}<li><a href="/c/{{.Conv}}">{{or .Title .Conv}}</a></li>{{end}}</ul>
{{with .Open}}<ol>{{range .Page.Entries}}<li>{{.Author}}: {{.Content.Preview 10000}}</li>{{end}}</ol>
{{with .Problem}}<p role="alert">{{.Words}}</p>{{end}}
<form method="post"><input type="hidden" name="ref" value="{{.Ref}}"><textarea name="text" required>{{.Text}}</textarea><button>Send</button></form>{{end}}{{end}}

{{define "new"}}{{template "head" .}}<form><input type="search" name="q" value="{{.Query}}"><button>Search</button></form>
<form method="post">{{range .Found}}<p><button name="with" value="{{.ID}}">{{.Name}}</button>
<label><input type="checkbox" name="member" value="{{.ID}}"> in the group</label></p>{{end}}
<label>Group name <input name="name" value="{{.Name}}"></label><button>Make a group</button></form>{{end}}

{{define "error"}}{{template "head" .}}<h1>{{.Status}} {{.Title}}</h1><p><a href="/">KamaChat</a></p>{{end}}
`))
