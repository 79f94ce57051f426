package account_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"kamachat/server/account"
	"kamachat/server/store"
	"kamachat/server/store/storetest"
	"kamachat/shared/chat"
)

// poster remembers what was posted.
type poster struct{ drafts []chat.Draft }

func (p *poster) PostWait(_ context.Context, d chat.Draft) (chat.Message, error) {
	p.drafts = append(p.drafts, d)
	return chat.Message{Conv: d.Conv, Seq: 1, Content: d.Content}, nil
}

func (p *poster) Renew(context.Context, chat.ConvID, ...chat.UserID) error { return nil }

func (p *poster) Unsee(context.Context, chat.UserID, bool) error { return nil }

func (p *poster) Here(context.Context, chat.UserID, ...chat.UserID) []chat.UserID { return nil }

func open(t *testing.T) *store.DB {
	t.Helper()
	return storetest.Open(t, storetest.Lite(t), store.Options{})
}

func service(t *testing.T, change ...func(*account.Config)) *account.Service {
	t.Helper()
	c := account.Config{
		Store: open(t), IDs: chat.NewIDs(0, func() int64 { return time.Now().UnixMilli() }),
		Poster: &poster{}, Cheap: true, Limits: account.NoLimits,
	}
	for _, f := range change {
		f(&c)
	}
	return account.New(c)
}

func register(t *testing.T, s *account.Service, username string) chat.Person {
	t.Helper()
	p, err := s.Register(t.Context(), username, "password1", "")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// code returns the code of a refusal, "" for no error.
func code(err error) chat.Code {
	if err == nil {
		return ""
	}
	return chat.AsRefusal(err).Code
}

func TestRegisterAppliesTheRules(t *testing.T) {
	s := service(t)
	register(t, s, "taken")
	for name, c := range map[string]struct {
		username, password, nickname string
		want                         chat.Code
	}{
		"plain":                 {"ann", "password1", "", ""},
		"any script":            {"小明", "password1", "小明同学", ""},
		"signs":                 {"a_b.c-9", "password1", "", ""},
		"in other case":         {"TAKEN", "password1", "", chat.Taken},
		"too short":             {"a", "password1", "", chat.Invalid},
		"too long":              {strings.Repeat("a", 33), "password1", "", chat.Invalid},
		"space inside":          {"a b", "password1", "", chat.Invalid},
		"emoji":                 {"a😀", "password1", "", chat.Invalid},
		"not UTF-8":             {"ab\xff", "password1", "", chat.Invalid},
		"short password":        {"pw1", "seven77", "", chat.Invalid},
		"long password":         {"pw2", strings.Repeat("x", 257), "", chat.Invalid},
		"long nickname":         {"nick", "password1", strings.Repeat("名", 65), chat.TooLong},
		"control in a nickname": {"nick", "password1", "a\nb", chat.Invalid},
		"turned nickname":       {"nick", "password1", "ann\u202egpj", chat.Invalid},
		"unseen nickname":       {"nick", "password1", "\u3164\u200b", chat.Invalid},
		"family as a nickname":  {"family", "password1", "👨\u200d👩\u200d👧", ""},
		"Cyrillic а in ann":     {"\u0430nn", "password1", "", chat.Invalid},
		"all Cyrillic":          {"анна", "password1", "", ""},
		"Latin and Chinese":     {"ann小明", "password1", "", ""},
		"unseen letter":         {"ann\u3164", "password1", "", chat.Invalid},
		"full width":            {"ａｎｎ", "password1", "", chat.Invalid},
		"mathematical":          {"𝐚𝐧𝐧", "password1", "", chat.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.Register(t.Context(), c.username, c.password, c.nickname)
			if got := code(err); got != c.want {
				t.Errorf("got %q (%v), want %q", got, err, c.want)
			}
		})
	}
}

func TestNicknameDefaultsToTheUsernameAsTyped(t *testing.T) {
	p := register(t, service(t), "Ann")
	if p.Username != "ann" || p.Nickname != "Ann" || !p.ID.Valid() {
		t.Errorf("got %+v", p)
	}
}

func TestSignInNeedsTheRightPassword(t *testing.T) {
	s := service(t)
	ann := register(t, s, "ann")
	if p, err := s.SignIn(t.Context(), "a", " ANN ", "password1"); err != nil || p.ID != ann.ID {
		t.Errorf("got %v %v", p, err)
	}
	for name, c := range map[string][2]string{
		"wrong password": {"ann", "password2"},
		"no password":    {"ann", ""},
		"unknown person": {"bob", "password1"},
		"dummy password": {"bob", "nobody's password"},
	} {
		if _, err := s.SignIn(t.Context(), "a", c[0], c[1]); code(err) != chat.SignedOut {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestSignInIsLimitedByAddressAndByName(t *testing.T) {
	now := time.Now()
	s := service(t, func(c *account.Config) {
		c.Limits = account.Limits{Address: 1, AddressBurst: 5, Name: 0.1, NameBurst: 2, Anywhere: 0.2, AnywhereMost: 4}
		c.Now = func() time.Time { return now }
	})
	register(t, s, "ann")
	try := func(addr, name, password string) chat.Code {
		_, err := s.SignIn(t.Context(), addr, name, password)
		if r := chat.AsRefusal(err); err != nil && r.Code == chat.RateLimited && r.RetryAfter <= 0 {
			t.Errorf("no retry-after in %v", r)
		}
		return code(err)
	}
	try("1", "ann", "wrong")
	try("1", "ann", "wrong")
	for range 20 {
		if got := try("1", "ann", "password1"); got != chat.RateLimited {
			t.Errorf("third try of one name from one address: got %q", got)
		}
	}
	if got := try("2", "ann", "password1"); got != "" {
		t.Errorf("the owner, whom a stranger must not lock out: got %q", got)
	}
	for i := range 4 {
		try(fmt.Sprint("many", i), "ann", "wrong")
	}
	if got := try("3", "ann", "password1"); got != chat.RateLimited {
		t.Errorf("fifth try of one name from all addresses: got %q", got)
	}
	now = now.Add(10 * time.Second)
	if got := try("3", "ann", "password1"); got != "" {
		t.Errorf("after a while: got %q", got)
	}
	if got := try("3", "ann", "wrong"); got != chat.SignedOut {
		t.Errorf("a success starts the count anew: got %q", got)
	}
	for i := range 5 {
		try("9", fmt.Sprint("name", i), "wrong")
	}
	if got := try("9", "other", "wrong"); got != chat.RateLimited {
		t.Errorf("sixth try of one address: got %q", got)
	}
}

func TestRevokedTokenIsRefused(t *testing.T) {
	s := service(t)
	ann := register(t, s, "ann")
	token, err := s.IssueToken(t.Context(), ann.ID)
	if err != nil {
		t.Fatal(err)
	}
	if p, _, err := s.UserByToken(t.Context(), token); err != nil || p.ID != ann.ID {
		t.Errorf("got %v %v", p, err)
	}
	if _, _, err := s.UserByToken(t.Context(), token+"x"); code(err) != chat.SignedOut {
		t.Errorf("another token: got %v", err)
	}
	if err := s.RevokeToken(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.UserByToken(t.Context(), token); code(err) != chat.SignedOut {
		t.Errorf("after revocation: got %v", err)
	}
}

func TestSearchFindsByPrefix(t *testing.T) {
	s := service(t)
	ann := register(t, s, "ann")
	for _, n := range []string{"anna", "Annika", "bob", "an_x", "an%x"[:2] + "y"} {
		register(t, s, n)
	}
	if _, err := s.Register(t.Context(), "zed", "password1", "Änne"); err != nil {
		t.Fatal(err)
	}
	for q, want := range map[string]string{
		"ann": "anna annika", "ANNI": "annika", "an_": "an_x", "änn": "zed", "%": "", "": "", "nn": "",
	} {
		ps, err := s.Search(t.Context(), ann.ID, q)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range ps {
			got = append(got, p.Username)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: got %v, want %q", q, got, want)
		}
	}
}

func TestGroupIsMadeAndAnnounced(t *testing.T) {
	var p poster
	s := service(t, func(c *account.Config) { c.Poster = &p })
	ann, bob := register(t, s, "ann"), register(t, s, "bob")
	conv, err := s.MakeGroup(t.Context(), ann.ID, account.NewGroup{Name: " Tea ", Members: []chat.UserID{bob.ID, ann.ID, bob.ID}})
	if err != nil {
		t.Fatal(err)
	}
	if !conv.Valid() || !conv.IsGroup() || len(p.drafts) != 1 {
		t.Fatalf("got %q and %d drafts", conv, len(p.drafts))
	}
	d := p.drafts[0]
	if e := d.Content.Event; d.Conv != conv || d.Author != ann.ID || d.Ref != "made-"+string(conv) || e.Name != "Tea" || len(e.Who) != 2 {
		t.Errorf("announced %+v %+v", d, e)
	}
	for name, c := range map[string]struct {
		name    string
		members []chat.UserID
		want    chat.Code
	}{
		"no name":          {" ", nil, chat.Invalid},
		"long name":        {strings.Repeat("茶", 65), nil, chat.TooLong},
		"unknown member":   {"x", []chat.UserID{"Unobody"}, chat.NotFound},
		"too many members": {"x", make([]chat.UserID, chat.MaxMembers+1), chat.TooLong},
	} {
		if _, err := s.MakeGroup(t.Context(), ann.ID, account.NewGroup{Name: c.name, Members: c.members}); code(err) != c.want {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}

func TestSetupLinkWorksOnce(t *testing.T) {
	s := service(t)
	old, err := s.SetupKey(t.Context())
	if err != nil || old == "" {
		t.Fatal(old, err)
	}
	key, err := s.SetupKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []string{"", "guess", old} {
		if _, err := s.Setup(t.Context(), k, "admin", "password1", ""); code(err) != chat.Forbidden {
			t.Errorf("key %q: got %v", k, err)
		}
	}
	var wg sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		wg.Go(func() { _, errs[i] = s.Setup(t.Context(), key, fmt.Sprint("admin", i), "password1", "") })
	}
	wg.Wait()
	made := 0
	for _, err := range errs {
		if err == nil {
			made++
		} else if code(err) != chat.Forbidden {
			t.Error(err)
		}
	}
	if made != 1 {
		t.Errorf("%d administrators were made", made)
	}
	if key, err := s.SetupKey(t.Context()); err != nil || key != "" {
		t.Errorf("with an administrator: got key %q, %v", key, err)
	}
}

func TestSetupKeySurvivesATakenName(t *testing.T) {
	s := service(t)
	register(t, s, "ann")
	key, _ := s.SetupKey(t.Context())
	if _, err := s.Setup(t.Context(), key, "ann", "password1", ""); code(err) != chat.Taken {
		t.Fatalf("got %v", err)
	}
	if p, err := s.Setup(t.Context(), key, "root", "password1", ""); err != nil || !p.Admin {
		t.Errorf("got %+v %v", p, err)
	}
}

func TestImportOf5000RowsIsFast(t *testing.T) {
	s := service(t)
	in := bytes.NewBufferString("\ufeffusername,nickname\n")
	for i := range 5000 {
		fmt.Fprintf(in, "user%d,User %d\n", i, i)
	}
	var out bytes.Buffer
	start := time.Now()
	if err := s.Import(t.Context(), chat.Deed{}, in, &out); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("took %v", d)
	}
	recs, err := csv.NewReader(&out).ReadAll()
	if err != nil || len(recs) != 5001 || strings.Join(recs[0], ",") != "username,id,token" {
		t.Fatal(len(recs), err)
	}
	p, _, err := s.UserByToken(t.Context(), recs[5000][2])
	if err != nil || p.Username != "user4999" || string(p.ID) != recs[5000][1] {
		t.Errorf("got %+v %v", p, err)
	}
	if _, err := s.SignIn(t.Context(), "a", "user1", ""); code(err) != chat.SignedOut {
		t.Errorf("signed in without a password: %v", err)
	}
}

func TestImportIsAllOrNothingAndNamesLines(t *testing.T) {
	s := service(t)
	register(t, s, "ann")
	for name, c := range map[string]struct{ in, want string }{
		"header":       {"name,nick\nx1,\n", "line 1: the header"},
		"empty":        {"", "line 1: the header"},
		"bad username": {"username,nickname\nbob,\na b,\n", "line 3: a username has letters"},
		"twice":        {"username,nickname\nbob,\nBOB,\n", `line 3: the username "bob" is on line 2 already`},
		"taken":        {"username,nickname\nbob,\nAnn,\n", `line 3: the username "ann" is in use`},
		"columns":      {"username,nickname\nbob\n", "line 2: want 2 columns, got 1"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			err := s.Import(t.Context(), chat.Deed{}, strings.NewReader(c.in), &out)
			var ie *account.ImportError
			if !errors.As(err, &ie) || !strings.Contains(err.Error(), c.want) || out.Len() > 0 {
				t.Errorf("got %v and output %q, want %q", err, out.String(), c.want)
			}
			if ps, _ := s.Search(t.Context(), "", "bob"); len(ps) > 0 {
				t.Errorf("bob was stored")
			}
		})
	}
}

func TestChangesAreLimitedByPerson(t *testing.T) {
	now := time.Now()
	s := service(t, func(c *account.Config) {
		c.Limits = account.NoLimits
		c.Limits.Person, c.Limits.PersonBurst = 1, 3
		c.Now = func() time.Time { return now }
	})
	for i := range 4 {
		if got, want := code(s.AdmitChange("U1")), map[bool]chat.Code{true: chat.RateLimited}[i == 3]; got != want {
			t.Errorf("change %d: %q, want %q", i, got, want)
		}
	}
	if err := s.AdmitChange("U2"); err != nil {
		t.Errorf("another person: %v", err)
	}
	now = now.Add(time.Second)
	if err := s.AdmitChange("U1"); err != nil {
		t.Errorf("a second later: %v", err)
	}
}

// A group costs its maker as much as so many changes, and never more than can be paid.
func TestLargeGroupCountsAsManyChanges(t *testing.T) {
	var p poster
	s := service(t, func(c *account.Config) {
		c.Poster = &p
		c.Limits = account.NoLimits
		c.Limits.Person, c.Limits.PersonBurst = 1, 10
	})
	ann := register(t, s, "ann")
	members := make([]chat.UserID, 120)
	for i := range members {
		members[i] = register(t, s, fmt.Sprint("member", i)).ID
	}
	left := func(u chat.UserID) (n int) {
		for s.AdmitChange(u) == nil {
			n++
		}
		return n
	}
	for i, c := range []struct{ members, left int }{{1, 9}, {40, 9}, {120, 7}} {
		maker := members[i]
		if err := s.AdmitChange(maker); err != nil { // as the API does
			t.Fatal(err)
		}
		if _, err := s.MakeGroup(t.Context(), maker, account.NewGroup{Name: "x", Members: members[:c.members]}); err != nil {
			t.Errorf("of %d: %v", c.members, err)
		}
		if n := left(maker); n != c.left {
			t.Errorf("a group of %d leaves %d of 10 changes, want %d", c.members, n, c.left)
		}
	}
	strangers := make([]chat.UserID, 9_000)
	for i := range strangers {
		strangers[i] = chat.UserID(fmt.Sprint("Ustranger", i))
	}
	_ = s.AdmitChange(ann.ID)
	if _, err := s.MakeGroup(t.Context(), ann.ID, account.NewGroup{Name: "x", Members: strangers}); code(err) != chat.NotFound {
		t.Errorf("the largest is never allowed: %v", err)
	}
	if n := left(ann.ID); n != 0 {
		t.Errorf("the largest leaves %d changes", n)
	}
	if _, err := s.MakeGroup(t.Context(), ann.ID, account.NewGroup{Name: "x", Members: members}); code(err) != chat.RateLimited {
		t.Errorf("another: %v, want that it is too much", err)
	}
}

func TestOneLargeGroupIsMadeAtATime(t *testing.T) {
	p := &slowPoster{came: make(chan struct{}), ends: make(chan struct{})}
	s := service(t, func(c *account.Config) { c.Poster, c.Limits = p, account.NoLimits })
	ann := register(t, s, "ann")
	members := make([]chat.UserID, account.Large+1)
	for i := range members {
		members[i] = register(t, s, fmt.Sprint("member", i)).ID
	}
	first := make(chan error)
	go func() {
		_, err := s.MakeGroup(t.Context(), ann.ID, account.NewGroup{Name: "first", Members: members})
		first <- err
	}()
	<-p.came
	if _, err := s.MakeGroup(t.Context(), ann.ID, account.NewGroup{Name: "second", Members: members}); code(err) != chat.Busy {
		t.Errorf("the second: %v, want busy", err)
	}
	close(p.ends)
	if err := <-first; err != nil {
		t.Error(err)
	}
	go func() { <-p.came }()
	if _, err := s.MakeGroup(t.Context(), ann.ID, account.NewGroup{Name: "third", Members: members}); err != nil {
		t.Errorf("when the first is made: %v", err)
	}
}

// slowPoster posts when it is told to.
type slowPoster struct{ came, ends chan struct{} }

func (p *slowPoster) PostWait(context.Context, chat.Draft) (chat.Message, error) {
	p.came <- struct{}{}
	<-p.ends
	return chat.Message{}, nil
}

func (p *slowPoster) Renew(context.Context, chat.ConvID, ...chat.UserID) error { return nil }

func (p *slowPoster) Unsee(context.Context, chat.UserID, bool) error { return nil }

func (p *slowPoster) Here(context.Context, chat.UserID, ...chat.UserID) []chat.UserID { return nil }

func TestOneAddressMakesSoManyRequests(t *testing.T) {
	now := time.Now()
	s := service(t, func(c *account.Config) {
		c.Limits.Request, c.Limits.RequestBurst = 2, 3
		c.Now = func() time.Time { return now }
	})
	for i, want := range []chat.Code{"", "", "", chat.RateLimited} {
		if got := code(s.AdmitRequest("1")); got != want {
			t.Errorf("request %d: got %q, want %q", i, got, want)
		}
	}
	if err := s.AdmitRequest("2"); err != nil {
		t.Errorf("another address: %v", err)
	}
	now = now.Add(time.Second)
	if err := s.AdmitRequest("1"); err != nil {
		t.Errorf("a second later: %v", err)
	}
}
