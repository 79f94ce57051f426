package web

import (
	"context"
	"strings"

	"kamachat/shared/chat"
)

// Hooks is what the routes need to know of webhooks. It checks who may do what.
type Hooks interface {
	Hooks(ctx context.Context, u chat.UserID, conv chat.ConvID) ([]chat.InHook, []chat.OutHook, error)
	MakeIn(ctx context.Context, by chat.Person, conv chat.ConvID, name string) (h chat.InHook, secret string, err error)
	EndIn(ctx context.Context, by chat.UserID, conv chat.ConvID, id string) error
	MakeOut(ctx context.Context, by chat.UserID, conv chat.ConvID, url string) (h chat.OutHook, secret string, err error)
	EndOut(ctx context.Context, by chat.UserID, conv chat.ConvID, id string) error
	Post(ctx context.Context, id, key, ref, text string, admit func(chat.UserID) error) (chat.Message, error)
}

func (a *api) hookRoutes() {
	if a.Hooks == nil {
		return
	}
	const base = "/api/v1/conversations/{id}/hooks"
	route(a, operation{
		Method: "GET", Path: base, ID: "listHooks", Tag: "Bots", Summary: "The webhooks of a group",
		About: "For the owner and the administrators of the group.",
	}, a.apiHooks)
	route(a, operation{
		Method: "POST", Path: base + "/in", ID: "makeInHook", Tag: "Bots", Summary: "Make an address to which programs post",
		About: "What is sent there is posted by a bot of its own, which becomes a member. The address holds a secret and is told this once.",
	}, a.apiMakeInHook)
	route(a, operation{
		Method: "DELETE", Path: base + "/in/{hook}", ID: "endInHook", Tag: "Bots", Summary: "End an incoming webhook; its bot leaves",
	}, a.apiEndInHook)
	route(a, operation{
		Method: "POST", Path: base + "/out", ID: "makeOutHook", Tag: "Bots", Summary: "Have an address told what is said in a group",
		About: "It is told each entry that comes from now on at least once, in order, by POST, up to 50 at a time. The header `X-Kama-Signature` says " +
			"`t=…,v1=…`: the time in Unix seconds, and the HMAC-SHA256 of that, a dot and the body under the secret, in hexadecimal. An answer of 2xx takes them; after anything else " +
			"it is tried again, after 2, 4, 8 … seconds, at most an hour. It ends being told when who made it no longer administers the group.",
	}, a.apiMakeOutHook)
	route(a, operation{
		Method: "DELETE", Path: base + "/out/{hook}", ID: "endOutHook", Tag: "Bots", Summary: "End an outgoing webhook",
	}, a.apiEndOutHook)
	route(a, operation{
		Method: "POST", Path: "/api/v1/hooks/{hook}/{secret}", ID: "postByHook", Tag: "Bots", Open: true, Forms: true, Summary: "Post by an incoming webhook",
		About: "Whoever knows the address may. Forms as programs send them to other services' webhooks are taken, too: with JSON in `payload`, or a `text`. With an `Idempotency-Key` a post that is sent again is stored once.",
	}, a.apiPostByHook)
}

type hooksAnswer struct {
	In  []chat.InHook  `json:"in"`
	Out []chat.OutHook `json:"out"`
}

func (s *server) apiHooks(ctx context.Context, c caller, in *struct{ ConvPath }) (hooksAnswer, error) {
	i, o, err := s.Hooks.Hooks(ctx, c.ID, chat.ConvID(in.ID))
	return hooksAnswer{orEmpty(i), orEmpty(o)}, err
}

type inHookBody struct {
	Name string `json:"name" doc:"What its bot is called"`
}

type inHookAnswer struct {
	Hook chat.InHook `json:"hook"`
	Path string      `json:"path" doc:"Where to post, below the address of this server"`
}

func hookPath(h chat.InHook, secret string) string { return "/api/v1/hooks/" + h.ID + "/" + secret }

func (s *server) apiMakeInHook(ctx context.Context, c caller, in *struct {
	ConvPath
	Body inHookBody
}) (inHookAnswer, error) {
	h, secret, err := s.Hooks.MakeIn(ctx, c.Person, chat.ConvID(in.ID), in.Body.Name)
	return inHookAnswer{h, hookPath(h, secret)}, err
}

// A HookPath names a webhook in the path of an operation.
type HookPath struct {
	Hook string `path:"hook" doc:"Id of a webhook"`
}

func (s *server) apiEndInHook(ctx context.Context, c caller, in *struct {
	ConvPath
	HookPath
}) (none, error) {
	return none{}, s.Hooks.EndIn(ctx, c.ID, chat.ConvID(in.ID), in.Hook)
}

type outHookBody struct {
	URL string `json:"url" doc:"https; what is public on the internet"`
}

type outHookAnswer struct {
	Hook   chat.OutHook `json:"hook"`
	Secret string       `json:"secret" doc:"What it is told is signed with this; told this once"`
}

func (s *server) apiMakeOutHook(ctx context.Context, c caller, in *struct {
	ConvPath
	Body outHookBody
}) (outHookAnswer, error) {
	h, secret, err := s.Hooks.MakeOut(ctx, c.ID, chat.ConvID(in.ID), in.Body.URL)
	return outHookAnswer{h, secret}, err
}

func (s *server) apiEndOutHook(ctx context.Context, c caller, in *struct {
	ConvPath
	HookPath
}) (none, error) {
	return none{}, s.Hooks.EndOut(ctx, c.ID, chat.ConvID(in.ID), in.Hook)
}

type hookPostBody struct {
	Text string `json:"text"`
}

type hookPostAnswer struct {
	Conv chat.ConvID `json:"conv"`
	Seq  int64       `json:"seq"`
}

func (s *server) apiPostByHook(ctx context.Context, _ caller, in *struct {
	HookPath
	Secret string `path:"secret" doc:"The end of the address"`
	Key    string `header:"Idempotency-Key" doc:"A name of your own choice for this post"`
	Body   hookPostBody
}) (hookPostAnswer, error) {
	w := exchangeOf(ctx).w
	w.Header().Set("Referrer-Policy", "no-referrer")
	m, err := s.Hooks.Post(ctx, in.Hook, in.Secret, strings.Trim(in.Key, `"`), in.Body.Text, s.Accounts.AdmitChange)
	if err != nil {
		s.countPost(err)
	}
	return hookPostAnswer{m.Conv, m.Seq}, err
}
