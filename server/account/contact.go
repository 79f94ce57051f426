package account

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"kamachat/shared/chat"
)

// Contacts keeps what people are to each other, and what they say of themselves;
// see server/store.
type Contacts interface {
	// AskContact notes a request, and reports whether the two are contacts now,
	// since the other had asked, too: by the request that it returns.
	AskContact(ctx context.Context, r chat.Request) (of chat.Request, accepted bool, err error)
	// AnswerContact accepts or refuses a request and returns it, or answers chat.NotFound.
	AnswerContact(ctx context.Context, from, to chat.UserID, accept bool, at int64) (chat.Request, error)
	// Unfriend ends that x and y are contacts, for both.
	Unfriend(ctx context.Context, x, y chat.UserID, at int64) error
	// SetBlocked has u block peer, or no longer.
	SetBlocked(ctx context.Context, u, peer chat.UserID, on bool, at int64) error
	// Contacts and BlockedBy return people by name, from behind one.
	Contacts(ctx context.Context, u chat.UserID, nick string, after chat.UserID, limit int) ([]chat.Person, error)
	BlockedBy(ctx context.Context, u chat.UserID, nick string, after chat.UserID, limit int) ([]chat.Person, error)
	// Requests returns the open requests to u, and those of u that were not accepted,
	// newest first; RequestsWith those of two people; Waiting how many wait for u.
	Requests(ctx context.Context, u chat.UserID, limit int) (to, from []chat.Request, err error)
	RequestsWith(ctx context.Context, u, peer chat.UserID) (mine, theirs *chat.Request, err error)
	Waiting(ctx context.Context, u chat.UserID) (int, error)
	SeenAt(ctx context.Context, u chat.UserID) (int64, error)
	// Hidden returns those of ids who are not there for u.
	Hidden(ctx context.Context, u chat.UserID, ids ...chat.UserID) ([]chat.UserID, error)
	CommonGroups(ctx context.Context, x, y chat.UserID, limit int) ([]chat.Group, error)
	// Profile returns what u says of themselves, nothing where that is nothing.
	Profile(ctx context.Context, u chat.UserID) (chat.Profile, error)
	SaveProfile(ctx context.Context, u chat.UserID, nickname, avatar string, p chat.Profile, at int64) error
}

// maxRequests is how many requests are shown at once.
const maxRequests = 100

// other returns somebody else, who may be disabled.
func (s *Service) other(ctx context.Context, by, id chat.UserID) (chat.Person, error) {
	if id == by {
		return chat.Person{}, chat.Refuse(chat.Invalid, "that is yourself")
	}
	return s.PersonFor(ctx, by, id)
}

// enabled returns somebody else who is enabled.
func (s *Service) enabled(ctx context.Context, by, id chat.UserID) error {
	p, err := s.other(ctx, by, id)
	if err == nil && p.Disabled {
		err = chat.Refuse(chat.NotFound, "no such person")
	}
	return err
}

// AskContact asks to to be a contact of by, with a message of at most 100
// characters, and reports whether they are now, since to had asked, too.
func (s *Service) AskContact(ctx context.Context, by, to chat.UserID, message string) (bool, error) {
	message = strings.Join(strings.Fields(message), " ")
	if !utf8.ValidString(message) || strings.ContainsFunc(message, unicode.IsControl) {
		return false, chat.Refuse(chat.Invalid, "the message has characters that can't be shown")
	}
	if utf8.RuneCountInString(message) > chat.MaxAsk {
		return false, chat.Refuse(chat.TooLong, "the message has at most 100 characters")
	}
	if err := s.enabled(ctx, by, to); err != nil {
		return false, err
	}
	p, err := s.Person(ctx, by)
	if err != nil {
		return false, err
	}
	if p.Bot { // or else a person could ask as many as they can make bots
		return false, chat.Refuse(chat.Forbidden, "a bot asks nobody to be a contact")
	}
	if err := s.byAsk.take(string(by)); err != nil {
		return false, err
	}
	r, accepted, err := s.store.AskContact(ctx, chat.Request{From: by, To: to, Message: message, At: s.now().UnixMilli()})
	switch {
	case err == nil && accepted:
		s.ring(ctx, "", by)
		err = s.befriended(ctx, by, r)
	case err == nil:
		s.asked(ctx, r)
	}
	return accepted, err
}

// AcceptContact makes contacts of two people of whom from had asked.
func (s *Service) AcceptContact(ctx context.Context, by, from chat.UserID) error {
	if err := s.enabled(ctx, by, from); err != nil {
		return err
	}
	r, err := s.store.AnswerContact(ctx, from, by, true, s.now().UnixMilli())
	if err != nil {
		return err
	}
	s.ring(ctx, "", by)
	return s.befriended(ctx, by, r)
}

// befriended tells two people that they are contacts now, by an entry of their
// conversation: by accepted the request r. Once more says nothing anew.
func (s *Service) befriended(ctx context.Context, by chat.UserID, r chat.Request) error {
	conv := chat.Direct(r.From, r.To)
	peer, _ := conv.Peer(by)
	if err := s.renew(ctx, by, peer); err != nil {
		s.log.Warn("who may write to whom is not told", "conv", conv, "err", err)
	}
	_, err := s.poster.PostWait(ctx, chat.Draft{
		// The ref follows from the request: it is told once.
		Conv: conv, Author: by, Ref: "met-" + digest(fmt.Sprint(r.From, " ", r.To, " ", r.At))[:40],
		Content: chat.Content{Kind: chat.Event, Event: &chat.Change{What: chat.Befriend, Who: []chat.UserID{peer}}},
	})
	if err != nil {
		return fmt.Errorf("announce contact: %w", err)
	}
	return nil
}

// RefuseContact refuses that from asked to be a contact. They are not told.
func (s *Service) RefuseContact(ctx context.Context, by, from chat.UserID) error {
	if _, err := s.other(ctx, by, from); err != nil {
		return err
	}
	_, err := s.store.AnswerContact(ctx, from, by, false, s.now().UnixMilli())
	if err == nil {
		s.ring(ctx, "", by)
	}
	return err
}

// EndContact ends that two people are contacts. That they are not is fine.
func (s *Service) EndContact(ctx context.Context, by, peer chat.UserID) error {
	if _, err := s.other(ctx, by, peer); err != nil {
		return err
	}
	if err := s.store.Unfriend(ctx, by, peer, s.now().UnixMilli()); err != nil {
		return err
	}
	return s.renew(ctx, by, peer)
}

// Block has by take no messages of peer, who may not write from this moment on, or
// take them again.
func (s *Service) Block(ctx context.Context, by, peer chat.UserID, on bool) error {
	if _, err := s.other(ctx, by, peer); err != nil {
		return err
	}
	if err := s.store.SetBlocked(ctx, by, peer, on, s.now().UnixMilli()); err != nil {
		return err
	}
	s.ring(ctx, "", by) // who is blocked waits no longer
	return s.renew(ctx, by, peer)
}

// renew has all nodes read anew what two people are to each other, and what each is
// to the bots of the other.
func (s *Service) renew(ctx context.Context, x, y chat.UserID) error {
	xs, err := s.faces(ctx, x)
	if err != nil {
		return err
	}
	ys, err := s.faces(ctx, y)
	if err != nil {
		return err
	}
	for i, u := range xs {
		for j, v := range ys {
			if i > 0 && j > 0 { // two bots: the store, which decides last, is enough
				continue
			}
			if err := s.poster.Renew(ctx, chat.Direct(u, v), u, v); err != nil {
				return err
			}
		}
	}
	return nil
}

// faces returns u, and the bots that u has.
func (s *Service) faces(ctx context.Context, u chat.UserID) ([]chat.UserID, error) {
	us := []chat.UserID{u}
	bots, err := s.store.BotsOf(ctx, u)
	for _, b := range bots {
		if !b.Hook { // those are in one group and nowhere else
			us = append(us, b.ID)
		}
	}
	return us, err
}

// People of one page of contacts.
const contactPage = 50

// ContactList returns a page of contacts by name, or of whom by has blocked, and
// where the next begins, "" at the end.
func (s *Service) ContactList(ctx context.Context, by chat.UserID, blocked bool, after string) (ps []chat.Person, next string, err error) {
	nick, id, err := readCursor(after)
	if err != nil {
		return nil, "", err
	}
	read := s.store.Contacts
	if blocked {
		read = s.store.BlockedBy
	}
	ps, err = read(ctx, by, nick, id, contactPage+1)
	if err == nil && len(ps) > contactPage {
		ps = ps[:contactPage]
		last := ps[contactPage-1]
		next = base64.RawURLEncoding.EncodeToString([]byte(string(last.ID) + " " + strings.ToLower(last.Nickname)))
	}
	return ps, next, err
}

func readCursor(s string) (nick string, id chat.UserID, err error) {
	p, err := base64.RawURLEncoding.DecodeString(s)
	u, nick, ok := strings.Cut(string(p), " ")
	if s != "" && (err != nil || !ok || !chat.UserID(u).Valid() || !utf8.ValidString(nick)) {
		return "", "", chat.Refuse(chat.Invalid, "no such page")
	}
	return nick, chat.UserID(u), nil
}

// An Asking is a request with the other person of it.
type Asking struct {
	chat.Request
	Person chat.Person `json:"person"`
}

// Askings returns the requests that wait for by, and those of by that were not
// accepted, newest first, at most 100 of each.
func (s *Service) Askings(ctx context.Context, by chat.UserID) (to, from []Asking, err error) {
	rs, mine, err := s.store.Requests(ctx, by, maxRequests)
	if err != nil {
		return nil, nil, err
	}
	var ids []chat.UserID
	for _, r := range append(slices.Clone(rs), mine...) {
		ids = append(ids, r.From, r.To)
	}
	slices.Sort(ids)
	ps, err := s.store.People(ctx, slices.Compact(ids)...)
	if err != nil {
		return nil, nil, err
	}
	named := map[chat.UserID]chat.Person{}
	for _, p := range ps {
		named[p.ID] = p
	}
	for _, r := range rs {
		to = append(to, Asking{r, named[r.From]})
	}
	for _, r := range mine {
		from = append(from, Asking{r, named[r.To]})
	}
	return to, from, nil
}

// maxCommon is how many common groups a Card names.
const maxCommon = 20

// A Card is somebody as another sees them.
type Card struct {
	chat.Person
	Profile chat.Profile `json:"profile"`
	Bond    chat.Bond    `json:"bond"` // seen by the one who looks
	Online  bool         `json:"online"`
	SeenAt  int64        `json:"seen_at"` // when they were last here, Unix milliseconds; 0: that is nobody's business
	Asked   bool         `json:"asked"`   // the one who looks has asked them
	Asks    string       `json:"asks"`    // what they asked with, where they did
	Waiting bool         `json:"waiting"` // they have asked
	Common  []chat.Group `json:"common"`  // groups that both are in, at most 20
}

// Card returns id as by sees them. Strangers, and who is not there, count as searches: it answers
// chat.RateLimited where by has looked at too many.
func (s *Service) Card(ctx context.Context, by, id chat.UserID) (c Card, err error) {
	if c.Person, err = s.PersonFor(ctx, by, id); err != nil {
		return c, err
	}
	if c.Profile, err = s.store.Profile(ctx, id); err != nil || id == by {
		return c, err
	}
	hides := c.Profile.Unseen
	c.Profile = c.Profile.Public()
	bonds, err := s.store.BondsWith(ctx, by, id)
	if err != nil {
		return c, err
	}
	if bonds[id].Blocked {
		c.Profile = chat.Profile{}
	} else if err := s.sight(ctx, by, &c, hides || bonds[id].Blocking); err != nil {
		return c, err
	}
	if c.Bond, err = s.store.OwnBond(ctx, by, id); err != nil { // what by can end or lift
		return c, err
	}
	c.Bond.Blocked = false // nobody is told before they write
	mine, theirs, err := s.store.RequestsWith(ctx, by, id)
	if err != nil {
		return c, err
	}
	c.Asked = mine != nil
	if theirs != nil {
		c.Waiting, c.Asks = true, theirs.Message
	}
	if c.Common, err = s.store.CommonGroups(ctx, by, id, maxCommon); err != nil {
		return c, err
	}
	if c.Bond == (chat.Bond{}) && !c.Asked && !c.Waiting && len(c.Common) == 0 {
		err = s.admitFind(ctx, by) // or else all people of a server could be read one by one
	}
	return c, err
}

// sight tells of c whether they are here, or when they were, unless they hide that
// from by, or by is unseen.
func (s *Service) sight(ctx context.Context, by chat.UserID, c *Card, hides bool) error {
	mine, err := s.store.Profile(ctx, by)
	if err != nil || hides || mine.Unseen {
		return err
	}
	c.Online = len(s.poster.Here(ctx, by, c.ID)) > 0
	c.SeenAt, err = s.store.SeenAt(ctx, c.ID)
	return err
}

// AsksWaiting returns how many people wait for by to answer whether they are contacts.
func (s *Service) AsksWaiting(ctx context.Context, by chat.UserID) (int, error) {
	return s.store.Waiting(ctx, by)
}

// SaveProfile checks and stores what by says of themselves. avatar is the path of
// a picture, or empty.
func (s *Service) SaveProfile(ctx context.Context, by chat.UserID, nickname, avatar string, p chat.Profile) error {
	nickname = strings.TrimSpace(nickname)
	if err := checkNickname(nickname); err != nil {
		return err
	}
	if len(avatar) > 255 || avatar != "" && (!chat.SafeURL(avatar) || !strings.HasPrefix(avatar, "/")) {
		return chat.Refuse(chat.Invalid, "the picture must be a path here")
	}
	p.Signature = strings.Join(strings.Fields(p.Signature), " ")
	p.Email, p.Phone = strings.TrimSpace(p.Email), strings.NewReplacer(" ", "", "-", "", "(", "", ")", "").Replace(p.Phone)
	if err := cmp.Or(checkSignature(p.Signature), checkBirthday(p.Birthday, s.now()), checkEmail(p.Email), checkPhone(p.Phone)); err != nil {
		return err
	}
	if !slices.Contains([]string{"", "female", "male", "other"}, p.Gender) {
		return chat.Refuse(chat.Invalid, "there is no such gender here")
	}
	was, err := s.store.Profile(ctx, by)
	if err != nil {
		return err
	}
	if err := s.store.SaveProfile(ctx, by, nickname, avatar, p, s.now().UnixMilli()); err != nil || was.Unseen == p.Unseen {
		return err
	}
	return s.poster.Unsee(ctx, by, p.Unseen)
}

// Profile returns what by says of themselves.
func (s *Service) Profile(ctx context.Context, by chat.UserID) (chat.Profile, error) {
	return s.store.Profile(ctx, by)
}

func checkSignature(t string) error {
	if utf8.RuneCountInString(t) > chat.MaxSignature {
		return chat.Refuse(chat.TooLong, "a signature has at most 255 characters")
	}
	if !utf8.ValidString(t) || strings.ContainsFunc(t, unicode.IsControl) || strings.ContainsFunc(t, turns) {
		return chat.Refuse(chat.Invalid, "the signature has characters that can't be shown")
	}
	return nil
}

func checkBirthday(t string, now time.Time) error {
	if t == "" {
		return nil
	}
	d, err := time.Parse(time.DateOnly, t)
	if err != nil || d.Year() < 1900 || d.After(now) {
		return chat.Refuse(chat.Invalid, "that is no birthday")
	}
	return nil
}

func checkEmail(t string) error {
	if t == "" {
		return nil
	}
	a, err := mail.ParseAddress(t)
	if err != nil || a.Address != t || len(t) > chat.MaxEmail || strings.ContainsFunc(t, unicode.IsControl) {
		return chat.Refuse(chat.Invalid, "that is no e-mail address")
	}
	return nil
}

func checkPhone(t string) error {
	digits := strings.TrimPrefix(t, "+")
	if t == "" {
		return nil
	}
	if len(t) > chat.MaxPhone || len(digits) < 5 || strings.ContainsFunc(digits, func(r rune) bool { return r < '0' || r > '9' }) {
		return chat.Refuse(chat.Invalid, "that is no phone number")
	}
	return nil
}
