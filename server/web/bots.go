package web

import (
	"net/http"
	"net/url"
	"slices"

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
		mux.HandleFunc(route, s.signedIn(h))
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

// botSaid is what was just done, as the address says: one of keys, or empty.
func botSaid(r *http.Request, keys ...string) string {
	if k := r.URL.Query().Get("said"); slices.Contains(keys, k) {
		return k
	}
	return ""
}

// botDone sends a browser on after something was done.
func botDone(w http.ResponseWriter, r *http.Request, to, said string) error {
	if said != "" {
		to += "?said=" + url.QueryEscape(said)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// refusedOr returns the refusal in err to draw it, or err where that is not for people.
func (s *server) refusedOr(w http.ResponseWriter, r *http.Request, err error) (*chat.Refusal, int, error) {
	if err == nil {
		return nil, http.StatusOK, nil
	}
	if ref := chat.AsRefusal(err); ref.Code != chat.Internal && ref.Code != chat.NotFound && ref.Code != chat.SignedOut {
		return ref, s.refuse(w, r, err).Status, nil
	}
	return nil, 0, err
}

func (s *server) pageBots(w http.ResponseWriter, r *http.Request, c caller) error {
	return s.bots(w, r, c, page.BotsPage{}, nil)
}

func (s *server) bots(w http.ResponseWriter, r *http.Request, c caller, p page.BotsPage, problem error) error {
	ref, status, err := s.refusedOr(w, r, problem)
	if err != nil {
		return err
	}
	p.SettingsFrame = page.SettingsFrame{Common: s.common(w, r), Me: c.Person, At: atBots, Said: botSaid(r, "bots.done"), Problem: ref}
	bs, err := s.Accounts.Bots(r.Context(), c.ID)
	if err != nil {
		return err
	}
	for _, b := range bs {
		if b.IsHookBot() {
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
	return botDone(w, r, atBots, "bots.done")
}

func (s *server) pageBotEnd(w http.ResponseWriter, r *http.Request, c caller) error {
	if err := s.Accounts.EndBot(r.Context(), c.ID, chat.UserID(r.PathValue("bot"))); err != nil {
		return err
	}
	return botDone(w, r, atBots, "bots.done")
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
	return botDone(w, r, atBots, "bots.done")
}

func (s *server) pageHooks(w http.ResponseWriter, r *http.Request, c caller) error {
	return s.hooks(w, r, c, page.HooksPage{}, nil)
}

func (s *server) hooks(w http.ResponseWriter, r *http.Request, c caller, p page.HooksPage, problem error) error {
	if _, _, err := s.refusedOr(w, r, problem); err != nil {
		return err
	}
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
	return botDone(w, r, "/g/"+string(conv)+"/hooks?done=hooks", "")
}
