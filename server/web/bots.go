package web

import (
	"net/http"

	"kamachat/server/page"
	"kamachat/shared/chat"
)

const atBots = "/settings/bots"

func (s *server) botPages(mux *http.ServeMux) {
	for route, h := range map[string]func(http.ResponseWriter, *http.Request, caller) error{
		"GET " + atBots:                                s.pageBots,
		"POST " + atBots:                               s.pageBotsDo,
		"POST " + atBots + "/{bot}/end":                s.pageBotEnd,
		"POST " + atBots + "/{bot}/tokens":             s.pageTokenDo,
		"POST " + atBots + "/{bot}/tokens/{token}/end": s.pageTokenEnd,
	} {
		mux.HandleFunc(route, s.own(h))
	}
	if s.Hooks == nil {
		return
	}
	for route, h := range map[string]func(http.ResponseWriter, *http.Request, caller) error{
		"GET /g/{id}/hooks":                   s.pageHooks,
		"POST /g/{id}/hooks/in":               s.pageHookIn,
		"POST /g/{id}/hooks/out":              s.pageHookOut,
		"POST /g/{id}/hooks/{way}/{hook}/end": s.pageHookEnd,
	} {
		mux.HandleFunc(route, s.signedIn(h))
	}
}

func (s *server) pageBots(w http.ResponseWriter, r *http.Request, c caller) error {
	return s.bots(w, r, c, page.BotsPage{}, nil)
}

func (s *server) bots(w http.ResponseWriter, r *http.Request, c caller, p page.BotsPage, problem error) error {
	var status int
	p.SettingsFrame, status = s.frame(w, r, c, atBots, problem)
	bs, err := s.Accounts.Bots(r.Context(), c.ID)
	if err != nil {
		return err
	}
	for _, b := range bs {
		if b.Hook {
			continue // it ends with its webhook
		}
		ts, err := s.Accounts.Tokens(r.Context(), c.ID, b.ID)
		if err != nil {
			return err
		}
		p.Bots = append(p.Bots, page.Bot{Person: b, Tokens: ts})
	}
	s.draw(w, r, status, page.Bots(p))
	return nil
}

func (s *server) pageBotsDo(w http.ResponseWriter, r *http.Request, c caller) error {
	if _, err := s.Accounts.MakeBot(r.Context(), c.Person, r.PostFormValue("username"), r.PostFormValue("nickname")); err != nil {
		return s.bots(w, r, c, page.BotsPage{}, err)
	}
	return s.toSettings(w, r, atBots, "bots")
}

func (s *server) pageBotEnd(w http.ResponseWriter, r *http.Request, c caller) error {
	if err := s.Accounts.EndBot(r.Context(), c.ID, chat.UserID(r.PathValue("bot"))); err != nil {
		return err
	}
	return s.toSettings(w, r, atBots, "bots")
}

func (s *server) pageTokenDo(w http.ResponseWriter, r *http.Request, c caller) error {
	if err := r.ParseForm(); err != nil {
		return badBody(err)
	}
	bot := chat.UserID(r.PathValue("bot"))
	secret, t, err := s.Accounts.MakeToken(r.Context(), c.ID, bot, r.PostForm.Get("name"), r.PostForm["scope"])
	return s.bots(w, r, c, page.BotsPage{Secret: secret, Made: t.Name}, err)
}

func (s *server) pageTokenEnd(w http.ResponseWriter, r *http.Request, c caller) error {
	if err := s.Accounts.EndToken(r.Context(), c.ID, chat.UserID(r.PathValue("bot")), r.PathValue("token")); err != nil {
		return err
	}
	return s.toSettings(w, r, atBots, "bots")
}

func (s *server) pageHooks(w http.ResponseWriter, r *http.Request, c caller) error {
	return s.hooks(w, r, c, page.HooksPage{}, nil)
}

func (s *server) hooks(w http.ResponseWriter, r *http.Request, c caller, p page.HooksPage, problem error) error {
	f, err := s.memberFrame(w, r, c, problem)
	if err != nil {
		return err
	}
	p.GroupFrame = f
	if p.In, p.Out, err = s.Hooks.Hooks(r.Context(), c.ID, f.Group.Conv); err != nil {
		return err
	}
	p.Bots = map[chat.UserID]string{}
	var ids []chat.UserID
	for _, h := range p.In {
		ids = append(ids, h.Bot)
	}
	bots, err := s.Accounts.People(r.Context(), ids...)
	if err != nil {
		return err
	}
	for _, b := range bots {
		p.Bots[b.ID] = b.Name()
	}
	s.draw(w, r, s.statusOf(w, r, p.Problem), page.Hooks(p))
	return nil
}

func (s *server) pageHookIn(w http.ResponseWriter, r *http.Request, c caller) error {
	h, secret, err := s.Hooks.MakeIn(r.Context(), c.Person, chat.ConvID(r.PathValue("id")), r.PostFormValue("name"))
	if err != nil {
		return s.hooks(w, r, c, page.HooksPage{}, err)
	}
	return s.hooks(w, r, c, page.HooksPage{Address: origin(r) + hookPath(h, secret)}, nil)
}

func (s *server) pageHookOut(w http.ResponseWriter, r *http.Request, c caller) error {
	_, secret, err := s.Hooks.MakeOut(r.Context(), c.ID, chat.ConvID(r.PathValue("id")), r.PostFormValue("url"))
	return s.hooks(w, r, c, page.HooksPage{Secret: secret}, err)
}

func (s *server) pageHookEnd(w http.ResponseWriter, r *http.Request, c caller) error {
	conv, end := chat.ConvID(r.PathValue("id")), s.Hooks.EndOut
	if r.PathValue("way") == "in" {
		end = s.Hooks.EndIn
	}
	if err := end(r.Context(), c.ID, conv, r.PathValue("hook")); err != nil {
		return err
	}
	http.Redirect(w, r, "/g/"+string(conv)+"/hooks?done=hooks", http.StatusSeeOther)
	return nil
}
