package web

import (
	"cmp"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"kamachat/server/account"
	"kamachat/server/board"
	"kamachat/server/export"
	store "kamachat/server/files"
	"kamachat/server/hooks"
	"kamachat/server/inproc"
	"kamachat/server/push"
	"kamachat/shared/chat"
)

// An attempt is an operation that somebody tries, and how it is answered to each of
// triers: "+" granted, "f" forbidden, "n" not there, "-" refused for another reason, which
// who may not even ask is not told. In path and body @ stands for what there is.
type attempt struct{ path, body, want string }

// triers are who tries everything. Nobody's turn is in TestEveryOperationAsksWhoYouAre.
var triers = []string{"stranger", "member", "admin", "owner", "super"}

const (
	inGroup = "/api/v1/conversations/@group"
	ofGroup = "/api/v1/groups/@group"
)

// attempts are those at a group by invitation, and at what is the owner's or somebody
// else's, by the operation's id.
var attempts = map[string]attempt{
	// What is one's own, or of oneself.
	"getMe": {"", "", "+++++"}, "getProfile": {"", "", "+++++"}, "saveProfile": {"", `{"nickname":"x","profile":{"signature":""}}`, "+++++"}, "getFactors": {"", "", "+++++"},
	"listContacts": {"", "", "+++++"}, "listBlocks": {"", "", "+++++"}, "listRequests": {"", "", "+++++"}, "countRequests": {"", "", "+++++"}, "listBots": {"", "", "+++++"},
	"listConversations": {"", "", "+++++"}, "listMutes": {"", "", "+++++"}, "getQuiet": {"", "", "+++++"}, "setQuiet": {"", `{"until":0,"from":"22:00","to":"07:00","zone":"UTC"}`, "+++++"},
	"listDevices": {"", "", "+++++"}, "endOtherDevices": {"", "", "+++++"}, "endDevice": {"/api/v1/devices/@device", "", "nnn+n"},
	"getPushKey": {"", "", "+++++"}, "subscribe": {"", "@subscription", "+++++"}, "testPush": {"", `{"endpoint":"@endpoint"}`, "+++++"}, "unsubscribe": {"", `{"endpoint":"@endpoint"}`, "+++++"},
	"beginTOTP": {"", `{"password":"wrong"}`, "fffff"}, "confirmTOTP": {"", `{"password":"wrong","secret":"x","code":"000000"}`, "fffff"}, "removeTOTP": {"", `{"password":"wrong","code":"0"}`, "fffff"},
	"removePasskey": {"/api/v1/me/passkeys/x/remove", `{"password":"password1"}`, "nnnnn"}, "changePassword": {"", `{"old":"wrong password","new":"another password"}`, "fffff"},
	"getHealth": {"", "", "ffff+"}, "uploadFile": {"/api/v1/files?name=x", "bytes", "+++++"}, "makeBot": {"", `{"username":"@fresh","nickname":"x"}`, "+++++"},
	// Other people.
	"findPeople": {"/api/v1/people?q=plain", "", "+++++"}, "getPerson": {"/api/v1/people/@plain", "", "+++++"}, "openConversation": {"/api/v1/conversations/open?person=@plain", "", "+++++"},
	"askContact": {"/api/v1/requests/@plain", `{"message":"hello"}`, "+++++"}, "acceptContact": {"/api/v1/requests/@plain/accept", "", "nnnnn"}, "refuseContact": {"/api/v1/requests/@plain/refuse", "", "nnnnn"},
	"endContact": {"/api/v1/contacts/@plain", "", "+++++"}, "block": {"/api/v1/blocks/@stranger", "", "-++++"}, "unblock": {"/api/v1/blocks/@stranger", "", "-++++"},
	// What is the owner's.
	"endBot": {"/api/v1/bots/@bot", "", "nnn+n"}, "listTokens": {"/api/v1/bots/@bot/tokens", "", "nnn+n"}, "makeToken": {"/api/v1/bots/@bot/tokens", `{"name":"x","scopes":["files:read"]}`, "nnn+n"},
	"endToken": {"/api/v1/bots/@bot/tokens/@token", "", "nnn+n"}, "downloadFile": {"/files/@file/x", "", "nnn+n"},
	// A group by invitation.
	"makeGroup": {"", `{"name":"Other","members":["@plain"]}`, "+++++"}, "getGroup": {ofGroup, "", "n+++n"}, "listMessages": {inGroup + "/messages", "", "n+++n"}, "findTime": {inGroup + "/at?time=1", "", "n+++n"},
	"postMessage": {inGroup + "/messages", `{"text":"x"}`, "n+++n"}, "exportConversation": {inGroup + "/export", "", "n+++n"}, "setLine": {inGroup + "/line", `{"pin":true}`, "n+++n"},
	"getMute": {inGroup + "/mute", "", "+++++"}, "setMute": {inGroup + "/mute", `{"until":-1}`, "n+++n"}, "report": {"", `{"conv":"@group","seq":@seq,"reason":"spam"}`, "n+++n"},
	"listGroupMembers": {ofGroup + "/members", "", "n+++f"}, "addGroupMembers": {ofGroup + "/members", `{"people":["@applicant"]}`, "nf++f"}, "removeGroupMember": {ofGroup + "/members/@plain", "", "nf++f"},
	"setGroupRole": {ofGroup + "/members/@plain/role", `{"role":"admin"}`, "nff+f"}, "muteGroupMember": {ofGroup + "/members/@plain/mute", `{}`, "nf++f"}, "unmuteGroupMember": {ofGroup + "/members/@muted/mute", "", "nf++f"},
	"editGroup": {ofGroup, `{"name":"New"}`, "nf++f"}, "dismissGroup": {ofGroup, "", "nff+f"}, "joinGroup": {ofGroup + "/join", `{}`, "n---f"}, "withdrawJoin": {ofGroup + "/join", "", "+++++"},
	"listGroupInvites": {ofGroup + "/invites", "", "nf++f"}, "makeGroupInvite": {ofGroup + "/invites", `{}`, "nf++f"}, "revokeGroupInvite": {ofGroup + "/invites/@invite", "", "nf++f"},
	"listJoinRequests": {ofGroup + "/requests", "", "nf++f"}, "acceptJoinRequest": {ofGroup + "/requests/@applicant/accept", "", "nf++f"}, "refuseJoinRequest": {ofGroup + "/requests/@applicant/refuse", "", "nf++f"},
	"joinByInvite": {"/api/v1/join/@invite", "", "+---+"}, "getInvite": {"/api/v1/join/@invite", "", "+++++"},
	"listHooks": {inGroup + "/hooks", "", "nf++n"}, "makeInHook": {inGroup + "/hooks/in", `{"name":"Builds"}`, "nf++n"}, "makeOutHook": {inGroup + "/hooks/out", `{"url":"https://example.org/x"}`, "nf++n"},
	"endInHook": {inGroup + "/hooks/in/@in", "", "nf++n"}, "endOutHook": {inGroup + "/hooks/out/@out", "", "nf++n"},
}

// withAll gives a house everything that operations are about.
func withAll(h *house, c *Config) {
	withRealHub(h, c)
	folder, err := store.OpenFolder(h.t.TempDir())
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = folder.Close() })
	notices, err := push.Open(h.t.Context(), push.Config{Store: h.db, Presence: inproc.NewPresence(), Local: true})
	if err != nil {
		h.t.Fatal(err)
	}
	c.Files, c.Push = store.New(store.Config{Records: h.db, Store: folder, Max: 1 << 20}), notices
	c.Hooks = hooks.New(hooks.Config{Store: h.db, Hub: h.real, Bots: h.accounts})
	c.Board = board.New(board.Config{Store: h.db, Log: h.real})
	c.Exports = &export.Service{Log: h.real, Rows: h.db, Folder: h.t.TempDir()}
}

// things makes a group by invitation and all that attempts are about, for one of them.
func (c *club) things(n int) *strings.Replacer {
	t, ctx, owner := c.t, c.t.Context(), c.people["owner"]
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	conv := c.group(chat.JoinApproval)
	_, err := c.accounts.JoinGroup(ctx, c.people["applicant"], conv, "let me in")
	must(err)
	invited := chat.JoinInvite
	must(c.accounts.EditGroup(ctx, owner, conv, account.GroupEdit{Joining: &invited}))
	said, err := c.real.PostWait(ctx, chat.Draft{Conv: conv, Author: c.id("plain"), Ref: "said" + strconv.Itoa(n), Content: chat.TextContent("bad words")})
	must(err)
	invite, err := c.accounts.MakeInvite(ctx, owner, conv, 0, 0)
	must(err)
	bots, err := c.accounts.Bots(ctx, owner.ID) // there is a most of them
	must(err)
	for _, b := range bots {
		must(c.accounts.EndBot(ctx, owner.ID, b.ID))
	}
	bot, err := c.accounts.MakeBot(ctx, owner, "bot"+strconv.Itoa(n), "")
	must(err)
	_, token, err := c.accounts.MakeToken(ctx, owner.ID, bot.ID, "x", []string{"files:read"})
	must(err)
	own := bearerOf(decode[struct{ Token string }](t, c.do(http.DefaultClient, "POST", "/api/v1/login", strings.NewReader(`{"username":"owner","password":"password1"}`))).Token)
	made := func(path, body string) reply {
		t.Helper()
		r := c.do(http.DefaultClient, "POST", path, io.Reader(strings.NewReader(body)), own...)
		if r.status >= 300 {
			t.Fatalf("%s: %d %s", path, r.status, r.body)
		}
		return r
	}
	at := "/api/v1/conversations/" + string(conv)
	in := decode[struct{ Hook struct{ ID string } }](t, made(at+"/hooks/in", `{"name":"Builds"}`)).Hook.ID
	out := decode[struct{ Hook struct{ ID string } }](t, made(at+"/hooks/out", `{"url":"https://example.org/x"}`)).Hook.ID
	file := decode[struct{ File struct{ URL string } }](t, c.do(http.DefaultClient, "POST", "/api/v1/files?name=x", strings.NewReader("bytes"), own...)).File.URL
	devices := decode[struct{ Devices []struct{ ID string } }](t, c.do(http.DefaultClient, "GET", "/api/v1/devices", nil, own...)).Devices
	endpoint := "http://127.0.0.1:9/" + strconv.Itoa(n)
	sub, err := io.ReadAll(subscription(t, endpoint))
	must(err)
	return strings.NewReplacer("@group", string(conv), "@seq", strconv.FormatInt(said.Seq, 10), "@invite", invite.Code, "@bot", string(bot.ID), "@token", token.ID,
		"@in", in, "@out", out, "@file", strings.Split(file, "/")[2], "@device", devices[0].ID, "@fresh", "fresh"+strconv.Itoa(n), "@subscription", string(sub), "@endpoint", endpoint,
		"@plain", string(c.id("plain")), "@second", string(c.id("second")), "@muted", string(c.id("muted")), "@applicant", string(c.id("applicant")), "@stranger", string(c.id("stranger")))
}

// class is how an attempt was answered, as attempts say.
func class(t *testing.T, r reply) string {
	t.Helper()
	switch at := r.header.Get("Location"); {
	case r.status == http.StatusUnauthorized, strings.HasPrefix(at, "/login"):
		return "u"
	case r.status < 400:
		return "+"
	case r.status == http.StatusForbidden:
		return "f"
	case r.status == http.StatusNotFound:
		return "n"
	case r.status < 500:
		return "-"
	}
	t.Errorf("%d %s", r.status, r.body)
	return "!"
}

// Whatever is described, and whatever will be, by everybody.
func TestEveryOperationInEveryRole(t *testing.T) {
	c := newClubOf(t, withAll)
	n := 0
	for path, item := range describe(t).Open.Paths.Map() {
		for method, op := range item.Operations() {
			a, there := attempts[op.OperationID]
			if op.Security == nil || len(*op.Security) == 0 {
				if there {
					t.Errorf("%s is open to all", op.OperationID)
				}
				continue // those are tested by name
			}
			if !there {
				t.Errorf("nobody has tried %s, %s %s", op.OperationID, method, path)
				continue
			}
			got := ""
			for _, who := range triers {
				n++
				of := c.things(n)
				at := cmp.Or(a.path, path)
				got += class(t, c.do(http.DefaultClient, method, of.Replace(at), strings.NewReader(of.Replace(a.body)), bearerOf(c.token(c.people[who]))...))
			}
			if got != a.want {
				t.Errorf("%s %s (%s): %q of %v, want %q", method, path, op.OperationID, got, triers, a.want)
			}
		}
	}
	if n < 5*60 {
		t.Errorf("only %d attempts", n)
	}
}

// pages are those of the group and of what is the owner's, as a browser without script
// asks for them, and what they do; "u" is for who is sent to sign in: nobody, who comes
// before triers.
var pages = map[string]attempt{
	"GET /g/@group": {"", "", "un+++n"}, "GET /g/@group/members": {"", "", "un+++n"}, "GET /g/@group/requests": {"", "", "unf++n"}, "GET /g/@group/invites": {"", "", "unf++n"},
	"GET /g/@group/edit": {"", "", "unf++n"}, "GET /g/@group/hooks": {"", "", "unf++n"}, "POST /g/@group/edit": {"", "name=New&joining=approval&slow=0", "unf++n"},
	"add": {"", "act=add&user=@applicant", "unf++n"}, "remove": {"", "act=remove&user=@plain", "unf++n"}, "promote": {"", "act=promote&user=@plain", "unff+n"},
	"demote": {"", "act=demote&user=@second", "unff+n"}, "hand": {"", "act=hand&user=@plain", "unff+n"}, "mute": {"", "act=mute&user=@plain&for=3600", "unf++n"},
	"unmute": {"", "act=unmute&user=@muted", "unf++n"}, "accept": {"", "act=accept&user=@applicant", "unf++n"}, "refuse": {"", "act=refuse&user=@applicant", "unf++n"},
	"link": {"", "act=link&most=1&hours=1", "unf++n"}, "revoke": {"", "act=revoke&code=@invite", "unf++n"}, "join": {"", "act=join", "un---n"}, "withdraw": {"", "act=withdraw", "u+++++"},
	"leave": {"", "act=leave", "un++fn"}, "dismiss": {"", "act=dismiss", "unff+n"},
	"GET /join/@invite": {"", "", "u+++++"}, "POST /join/@invite": {"", "", "u+++++"},
	"POST /g/@group/hooks/in": {"", "name=Builds", "unf++n"}, "POST /g/@group/hooks/out": {"", "url=https://example.org/x", "unf++n"},
	"POST /g/@group/hooks/in/@in/end": {"", "", "unf++n"}, "POST /g/@group/hooks/out/@out/end": {"", "", "unf++n"},
	"GET /settings/bots": {"", "", "u+++++"}, "POST /settings/bots": {"", "username=@fresh&nickname=x", "u+++++"}, "POST /settings/bots/@bot/tokens": {"", "name=x&scope=files:read", "unnn+n"},
	"POST /settings/bots/@bot/tokens/@token/end": {"", "", "unnn+n"}, "POST /settings/bots/@bot/end": {"", "", "unnn+n"},
}

func TestEveryPageOfAGroupInEveryRole(t *testing.T) {
	c := newClubOf(t, withAll)
	who := map[string]*http.Client{"nobody": c.browser()}
	for _, part := range triers {
		who[part] = c.signedIn(c.people[part])
	}
	n := 1000
	for name, a := range pages {
		method, path, page := strings.Cut(name, " ")
		if !page {
			method, path = "POST", "/g/@group/act"
		}
		got := ""
		for _, part := range append([]string{"nobody"}, triers...) {
			n++
			of := c.things(n)
			got += class(t, c.do(who[part], method, of.Replace(path), &formBody{strings.NewReader(of.Replace(a.body))}))
		}
		if got != a.want {
			t.Errorf("%s: %q of nobody and %v, want %q", name, got, triers, a.want)
		}
	}
}
