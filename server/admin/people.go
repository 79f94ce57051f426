package admin

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// MaxQuery is how many bytes of a search count.
const MaxQuery = 256

// people are the acts on a person, in the order in which they are offered.
var people = []string{chat.ActDisable, chat.ActEnable, chat.ActReset, chat.ActMakeAdmin, chat.ActRemoveAdmin, chat.ActDelete}

// OnPerson reports whether act is one on a person.
func OnPerson(act string) bool { return slices.Contains(people, act) }

// PersonActs are the acts on a person, in the order in which they are offered.
func PersonActs() []string { return slices.Clone(people) }

// ByName returns the person with a username.
func (s *Service) ByName(ctx context.Context, name string) (chat.Account, error) {
	return s.Store.AccountByName(ctx, strings.TrimPrefix(strings.ToLower(strings.TrimSpace(name)), "@"))
}

// Dangerous reports whether an act is not easily taken back, so that the password
// is asked for again.
func Dangerous(act string) bool { return act != chat.ActEnable && act != chat.ActEnableGroup }

// fold returns a search as names are compared.
func fold(ask chat.Ask) chat.Ask {
	ask.Query = strings.ToLower(strings.TrimSpace(ask.Query))
	if len(ask.Query) > MaxQuery {
		ask.Query = ask.Query[:MaxQuery]
	}
	ask.Query = strings.ToValidUTF8(ask.Query, "")
	if ask.Limit <= 0 {
		ask.Limit = PageSize
	}
	return ask
}

// People returns one page of people and where the next begins, "" at the end.
func (s *Service) People(ctx context.Context, ask chat.Ask) ([]chat.Account, string, error) {
	return s.Store.Accounts(ctx, fold(ask))
}

// A Dossier is a person in full.
type Dossier struct {
	chat.Account
	SignIns []chat.SignIn
	Groups  []chat.GroupLine
	More    string // where the next page of groups begins
	Deeds   []chat.Deed
	Acts    []string // that make sense
}

// Person returns a person in full; after is where the page of groups begins.
func (s *Service) Person(ctx context.Context, u chat.UserID, after string) (d Dossier, err error) {
	if d.Account, err = s.Store.Account(ctx, u); err != nil {
		return d, err
	}
	if d.SignIns, err = s.Store.SignIns(ctx, u, PageSize); err != nil {
		return d, err
	}
	if d.Groups, d.More, err = s.Store.GroupsOf(ctx, u, after, PageSize); err != nil {
		return d, err
	}
	if d.Deeds, _, err = s.Store.Deeds(ctx, chat.DeedAsk{Target: string(u), Limit: 10}); err != nil {
		return d, err
	}
	for _, act := range people {
		if pointless(act, d.Account) == nil {
			d.Acts = append(d.Acts, act)
		}
	}
	return d, nil
}

// pointless says why an act changes nothing about a, or nil.
func pointless(act string, a chat.Account) error {
	no := func(is bool, words string) error {
		if is {
			return chat.Refuse(chat.Invalid, words)
		}
		return nil
	}
	if a.Gone() {
		return no(true, "the account is deleted")
	}
	switch act {
	case chat.ActDisable:
		return no(a.Disabled, "the account is disabled already")
	case chat.ActEnable:
		return no(!a.Disabled, "the account is not disabled")
	case chat.ActMakeAdmin:
		return no(a.Admin || a.Disabled || a.Bot != "", "only a person who can sign in can be an administrator")
	case chat.ActRemoveAdmin:
		return no(!a.Admin, "this is no administrator")
	case chat.ActReset:
		return no(a.Bot != "", "a bot has no password")
	}
	return nil
}

// A Case is somebody whom an act is about: Why says why nothing will be done, or nil.
type Case struct {
	chat.Account
	Why *chat.Refusal
}

// Preview says what an act of who would do to whom, in the order of ids, which
// are at most PageSize. Whoever does not exist is left out.
func (s *Service) Preview(ctx context.Context, who Who, act string, ids []chat.UserID) ([]Case, error) {
	if !OnPerson(act) {
		return nil, chat.Refuse(chat.Invalid, "there is no such act")
	}
	if len(ids) > PageSize {
		return nil, chat.Refuse(chat.TooLong, "too many at once")
	}
	var cs []Case
	for _, u := range ids {
		if slices.ContainsFunc(cs, func(c Case) bool { return c.ID == u }) {
			continue
		}
		a, err := s.Store.Account(ctx, u)
		if chat.AsRefusal(err).Code == chat.NotFound && err != nil {
			continue
		}
		if err != nil {
			return nil, err
		}
		c := Case{Account: a}
		if err := may(who, act, a); err != nil {
			c.Why = chat.AsRefusal(err)
		}
		cs = append(cs, c)
	}
	return cs, nil
}

// may says why who may not, or need not, do act to a.
func may(who Who, act string, a chat.Account) error {
	if a.ID == who.ID && (act == chat.ActDisable || act == chat.ActDelete || act == chat.ActReset) {
		return chat.Refuse(chat.Forbidden, "that is your own account")
	}
	return pointless(act, a)
}

// Do does an act to a person. erase, of ActDelete, also erases what they wrote.
// password is the new one where it was reset: it is shown once.
func (s *Service) Do(ctx context.Context, who Who, act string, u chat.UserID, erase bool) (password string, err error) {
	if !OnPerson(act) {
		return "", chat.Refuse(chat.Invalid, "there is no such act")
	}
	a, err := s.Store.Account(ctx, u)
	if err == nil {
		err = may(who, act, a)
	}
	if err != nil {
		return "", err
	}
	by := who.deed(act, a.Username)
	switch act {
	case chat.ActDisable, chat.ActEnable:
		err = s.Store.SetDisabled(ctx, by, u, act == chat.ActDisable)
	case chat.ActMakeAdmin, chat.ActRemoveAdmin:
		err = s.Store.SetAdmin(ctx, by, u, act == chat.ActMakeAdmin)
	case chat.ActReset:
		password, err = s.reset(ctx, by, u)
	case chat.ActDelete:
		if erase {
			by.Detail += " (with messages)"
		}
		err = s.Store.DeleteAccount(ctx, by, u, erase)
	}
	if err != nil {
		return "", err
	}
	s.Log.Info("administered", "act", act, "user", u, "by", who.ID, "from", who.Addr)
	if erase && act == chat.ActDelete {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
	if s.Sockets != nil && (act == chat.ActDisable || act == chat.ActReset || act == chat.ActDelete) {
		// It is done and noted: the request's end must not leave the sockets open.
		if err := s.Sockets.CloseUser(context.WithoutCancel(ctx), u, wire.ByeSignedOut); err != nil {
			s.Log.Warn("sockets were not closed, they end when their rights are looked up", "user", u, "err", err)
		}
	}
	if act == chat.ActDelete {
		s.leaveNow(ctx)
	}
	return password, nil
}

// reset gives u a password by chance and returns it.
func (s *Service) reset(ctx context.Context, by chat.Deed, u chat.UserID) (string, error) {
	password := newPassword()
	hash, err := s.Passwords.Hash(ctx, password)
	if err != nil {
		return "", err
	}
	return password, s.Store.ResetPassword(ctx, by, u, hash)
}

// newPassword is easily read out: three groups of five of 32 letters and digits
// that can't be taken for each other, 75 bits by chance.
func newPassword() string {
	const signs = "abcdefghijkmnpqrstuvwxyz23456789"
	var b [15]byte
	rand.Read(b[:]) // never fails
	var out strings.Builder
	for i, c := range b {
		if i > 0 && i%5 == 0 {
			out.WriteByte('-')
		}
		out.WriteByte(signs[int(c)%len(signs)])
	}
	return out.String()
}
