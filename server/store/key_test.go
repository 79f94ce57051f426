package store_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kamachat/server/servicetest"
	"kamachat/server/store"
	"kamachat/shared/chat"
)

// device is a sign-in of person 1 or 2 that is stored as hash.
func device(hash string, u chat.UserID, at int64) chat.SignIn {
	return chat.SignIn{Hash: hash, ID: "login-" + hash, User: u, Kind: chat.Browser, Agent: "Firefox", Addr: "192.0.2.1", CreatedAt: at, SeenAt: at}
}

// devicesOf are what is stored of the sign-ins of u, last used first.
func devicesOf(t *testing.T, db *store.DB, u chat.UserID) (hashes []string) {
	t.Helper()
	ds, err := db.Devices(t.Context(), u)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range ds {
		hashes = append(hashes, d.Hash)
	}
	return hashes
}

// signedIn is a database in which two people are signed in: 1 with the cookies a
// and b and the token c, 2 with the cookie x.
func signedIn(t *testing.T, dsn string) *store.DB {
	t.Helper()
	db := openAt(t, dsn)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range 2 {
		must(db.AddUser(t.Context(), person(i+1), "hash", 1))
	}
	for i, hash := range []string{"a", "b", "x"} {
		must(db.Logins().CommitCtx(t.Context(), hash, []byte("data"), time.Now().Add(time.Hour)))
		must(db.AddDevice(t.Context(), device(hash, map[bool]chat.UserID{true: "U2", false: "U1"}[hash == "x"], int64(i))))
	}
	must(db.AddToken(t.Context(), "c", "U1", 1))
	must(db.AddDevice(t.Context(), device("c", "U1", 9)))
	for _, hash := range []string{"a", "b", "c", "x"} {
		u := chat.UserID("U1")
		if hash == "x" {
			u = "U2"
		}
		must(db.AddSubscription(t.Context(), chat.Subscription{User: u, Login: "login-" + hash, Endpoint: "https://push.example/" + hash}, 9))
	}
	return db
}

// left are which of the sign-ins that signedIn makes are still good.
func left(t *testing.T, db *store.DB) (good []string) {
	t.Helper()
	in, _, err := db.Lasting(t.Context(), []string{"a", "b", "c", "x"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for h, ok := range in {
		if ok {
			good = append(good, h)
		}
	}
	slices.Sort(good)
	return good
}

func TestDevicesEndWithTheirSignIns(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		for name, c := range map[string]struct {
			end  func(db *store.DB) error
			want []string
		}{
			"nothing":        {func(*store.DB) error { return nil }, []string{"a", "b", "c", "x"}},
			"sign-out":       {func(db *store.DB) error { return db.Logins().DeleteCtx(t.Context(), "a") }, []string{"b", "c", "x"}},
			"revoked token":  {func(db *store.DB) error { return db.DeleteToken(t.Context(), "c") }, []string{"a", "b", "x"}},
			"ended":          {func(db *store.DB) error { return db.EndDevice(t.Context(), "U1", "login-b") }, []string{"a", "c", "x"}},
			"somebody elses": {func(db *store.DB) error { return want(db.EndDevice(t.Context(), "U1", "login-x"), chat.ErrNotFound) }, []string{"a", "b", "c", "x"}},
			"unknown":        {func(db *store.DB) error { return want(db.EndDevice(t.Context(), "U1", "login-\x00"), chat.ErrNotFound) }, []string{"a", "b", "c", "x"}},
			"others": {func(db *store.DB) error {
				ended, err := db.EndOthers(t.Context(), "U1", device("c", "U1", 0))
				slices.Sort(ended)
				if !slices.Equal(ended, []string{"login-a", "login-b"}) {
					t.Errorf("ended %v", ended)
				}
				return err
			}, []string{"c", "x"}},
			"password changed": {func(db *store.DB) error {
				_, err := db.ChangePassword(t.Context(), "U1", "hash", "new", device("a", "U1", 0))
				if _, hash, _ := db.UserByName(t.Context(), "user1"); hash != "new" {
					t.Errorf("the password is %q", hash)
				}
				return err
			}, []string{"a", "x"}},
			"password was another": {func(db *store.DB) error {
				_, err := db.ChangePassword(t.Context(), "U1", "other", "new", device("a", "U1", 0))
				return want(err, &chat.Refusal{Code: chat.Taken})
			}, []string{"a", "b", "c", "x"}},
		} {
			t.Run(name, func(t *testing.T) {
				db := signedIn(t, fresh(t, dsn))
				if err := c.end(db); err != nil {
					t.Fatal(err)
				}
				if got := left(t, db); !slices.Equal(got, c.want) {
					t.Errorf("still good are %v, want %v", got, c.want)
				}
				if got := append(devicesOf(t, db, "U1"), devicesOf(t, db, "U2")...); !slices.Equal(sorted(got), c.want) {
					t.Errorf("listed are %v, want %v", got, c.want)
				}
				if name == "sign-out" || name == "revoked token" {
					return // what is told to it is for who calls it
				}
				var told []string
				for _, u := range []chat.UserID{"U1", "U2"} {
					subs, err := db.Subscriptions(t.Context(), u)
					if err != nil {
						t.Fatal(err)
					}
					for _, s := range subs {
						told = append(told, s.Login[len("login-"):])
					}
				}
				if !slices.Equal(sorted(told), c.want) {
					t.Errorf("notified are %v, want %v", told, c.want)
				}
			})
		}
	})
}

// fresh is another empty database like the one at dsn.
func fresh(t *testing.T, dsn string) string {
	t.Helper()
	if strings.HasPrefix(dsn, "sqlite:") {
		return "sqlite:" + t.TempDir() + "/kamachat.db"
	}
	return servicetest.SharedDatabase(t)
}

func sorted(s []string) []string {
	s = slices.Clone(s)
	slices.Sort(s)
	return s
}

// want is nil where err is what it should be.
func want(err, is error) error {
	if errors.Is(err, is) {
		return nil
	}
	return errors.Join(errors.New("another error, or none"), err)
}

func TestUsesOfSignInsAreNotedNowAndThen(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := signedIn(t, dsn)
		if err := db.AddToken(t.Context(), "old", "U1", 1); err != nil {
			t.Fatal(err)
		}
		saw := func(hash string, u chat.UserID, at int64, addr string) chat.SignIn {
			return chat.SignIn{Hash: hash, ID: "login-" + hash, User: u, Kind: chat.Program, Addr: addr, CreatedAt: at, SeenAt: at}
		}
		if err := db.SawDevices(t.Context(), []chat.SignIn{
			saw("a", "U1", 500, "192.0.2.5"), saw("b", "", 1500, ""), saw("old", "U1", 2000, "192.0.2.6"), saw("gone", "U1", 2000, ""), saw("x", "U1", 5, ""),
		}, 1000); err != nil {
			t.Fatal(err)
		}
		ds, err := db.Devices(t.Context(), "U1")
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int64{}
		for _, d := range ds {
			got[d.Hash] = d.SeenAt
		}
		if got["a"] != 0 || got["b"] != 1500 || got["old"] != 2000 || len(got) != 4 {
			t.Errorf("last seen: %v", got)
		}
	})
}

func TestExpiredSignInsAreNotListed(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := signedIn(t, dsn)
		if err := db.Logins().CommitCtx(t.Context(), "a", []byte("data"), time.Now().Add(-time.Second)); err != nil {
			t.Fatal(err)
		}
		if got := devicesOf(t, db, "U1"); !slices.Equal(got, []string{"c", "b"}) {
			t.Errorf("listed are %v", got)
		}
		if n, err := db.Logins().DeleteExpired(t.Context()); n != 1 || err != nil {
			t.Errorf("swept %d, %v", n, err)
		}
		if ss, err := db.SignIns(t.Context(), "U1", 9); len(ss) != 2 || err != nil {
			t.Errorf("after the sweep: %v %v", ss, err)
		}
	})
}

// at once runs f several times and counts how often it says true.
func atOnce(t *testing.T, f func() (bool, error)) int64 {
	t.Helper()
	var n atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			ok, err := f()
			if err != nil {
				t.Error(err)
			}
			if ok {
				n.Add(1)
			}
		})
	}
	all.Wait()
	return n.Load()
}

func TestEachCodeIsUsedByOne(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := openAt(t, dsn)
		ctx := t.Context()
		if err := db.BeginTOTP(ctx, "U1", "SECRET", 1); err != nil {
			t.Fatal(err)
		}
		if ok, err := db.UseStep(ctx, "U1", 7); ok || err != nil {
			t.Errorf("not confirmed, and a code was used: %v %v", ok, err)
		}
		if n := atOnce(t, func() (bool, error) { return db.ConfirmTOTP(ctx, "U1", "SECRET", 7, []string{"r1", "r2", "r3"}) }); n != 1 {
			t.Errorf("confirmed %d times", n)
		}
		if err := db.BeginTOTP(ctx, "U1", "OTHER", 1); !errors.Is(err, &chat.Refusal{Code: chat.Taken}) {
			t.Errorf("begun again: %v", err)
		}
		for name, c := range map[string]struct {
			use  func() (bool, error)
			want int64
		}{
			"step":          {func() (bool, error) { return db.UseStep(ctx, "U1", 9) }, 1},
			"step before":   {func() (bool, error) { return db.UseStep(ctx, "U1", 7) }, 0},
			"recovery":      {func() (bool, error) { return db.UseRecovery(ctx, "U1", "r2") }, 1},
			"empty":         {func() (bool, error) { return db.UseRecovery(ctx, "U1", "") }, 0},
			"several":       {func() (bool, error) { return db.UseRecovery(ctx, "U1", "r1 r3") }, 0},
			"spent":         {func() (bool, error) { return db.Spend(ctx, "name", 5) }, 1},
			"somebody else": {func() (bool, error) { return db.UseStep(ctx, "U2", 9) }, 0},
		} {
			if n := atOnce(t, c.use); n != c.want {
				t.Errorf("%s: used %d times, want %d", name, n, c.want)
			}
		}
		if f, err := db.TOTP(ctx, "U1"); err != nil || f.LastStep != 9 || !slices.Equal(f.Recovery, []string{"r1", "r3"}) || f.Secret != "SECRET" {
			t.Errorf("left is %+v %v", f, err)
		}
		if err := db.EndTOTP(ctx, "U1"); err != nil {
			t.Fatal(err)
		}
		if _, err := db.TOTP(ctx, "U1"); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("ended, and there: %v", err)
		}
	})
}

func TestSentCodesAreTriedSoOftenAndUsedOnce(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := openAt(t, dsn)
		ctx := t.Context()
		for _, hash := range []string{"first", "second"} {
			if err := db.SaveCode(ctx, "n", hash, 1000); err != nil {
				t.Fatal(err)
			}
		}
		for name, c := range map[string]struct {
			name string
			now  int64
		}{"another name": {"m", 0}, "too old": {"n", 1000}, "zero byte": {"n\x00", 0}} {
			if _, err := db.TryCode(ctx, c.name, 3, c.now); !errors.Is(err, chat.ErrNotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		n := atOnce(t, func() (bool, error) {
			hash, err := db.TryCode(ctx, "n", 3, 999)
			if errors.Is(err, chat.ErrNotFound) {
				return false, nil
			}
			return hash == "second", err
		})
		if n != 3 {
			t.Errorf("tried %d times", n)
		}
		if ok, _ := db.UseCode(ctx, "n", "first"); ok {
			t.Error("the code before was used")
		}
		if n := atOnce(t, func() (bool, error) { return db.UseCode(ctx, "n", "second") }); n != 1 {
			t.Errorf("used %d times", n)
		}
	})
}

func TestAPhoneIsOfOneWhoStillHasIt(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := openAt(t, dsn)
		ctx := t.Context()
		whose := func(phone string) string {
			u, err := db.PersonByPhone(ctx, phone)
			if err != nil && !errors.Is(err, chat.ErrNotFound) {
				t.Fatal(err)
			}
			return string(u)
		}
		for _, u := range []chat.UserID{"U1", "U2"} {
			if err := db.ConfirmPhone(ctx, u, "+491", 1); err != nil {
				t.Fatal(err)
			}
			if got := whose("+491"); got != string(u) {
				t.Errorf("it is of %q, want %q", got, u)
			}
		}
		if phone, ok, err := db.PhoneOf(ctx, "U1"); phone != "+491" || ok || err != nil {
			t.Errorf("who had it before: %q %v %v", phone, ok, err)
		}
		if err := db.ConfirmPhone(ctx, "U2", "", 2); err != nil {
			t.Fatal(err)
		}
		for _, phone := range []string{"+491", "", "\x00"} {
			if got := whose(phone); got != "" {
				t.Errorf("%q is of %q", phone, got)
			}
		}
	})
}

func TestPasskeysAreOfOnePerson(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := openAt(t, dsn)
		ctx := t.Context()
		key := func(id string) chat.Passkey {
			return chat.Passkey{ID: id, Name: "手机", CreatedAt: 1, Data: []byte("was")}
		}
		if err := db.AddPasskey(ctx, "U1", key("k1"), 2); err != nil {
			t.Fatal(err)
		}
		if err := db.AddPasskey(ctx, "U2", key("k1"), 2); !errors.Is(err, &chat.Refusal{Code: chat.Taken}) {
			t.Errorf("of another: %v", err)
		}
		if err := db.AddPasskey(ctx, "U1", key("k2"), 1); !errors.Is(err, &chat.Refusal{Code: chat.Forbidden}) {
			t.Errorf("too many: %v", err)
		}
		n := atOnce(t, func() (bool, error) {
			return db.UsePasskey(ctx, "U1", chat.Passkey{ID: "k1", UsedAt: 5, Data: []byte("is")}, []byte("was"))
		})
		if n != 1 {
			t.Errorf("used %d times", n)
		}
		if ok, _ := db.UsePasskey(ctx, "U2", chat.Passkey{ID: "k1", UsedAt: 6}, []byte("is")); ok {
			t.Error("used by another")
		}
		if err := db.DeletePasskey(ctx, "U2", "k1"); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("removed by another: %v", err)
		}
		if ks, err := db.Passkeys(ctx, "U1"); err != nil || len(ks) != 1 || string(ks[0].Data) != "is" || ks[0].UsedAt != 5 || ks[0].Name != "手机" {
			t.Errorf("there are %+v %v", ks, err)
		}
		if err := db.DeletePasskey(ctx, "U1", "k1"); err != nil {
			t.Errorf("removed: %v", err)
		}
	})
}

func TestAResetPasswordTakesFactorsAway(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := signedIn(t, dsn)
		ctx := t.Context()
		if err := db.BeginTOTP(ctx, "U1", "SECRET", 1); err != nil {
			t.Fatal(err)
		}
		if err := db.AddPasskey(ctx, "U1", chat.Passkey{ID: "k", Name: "k", Data: []byte("x")}, 9); err != nil {
			t.Fatal(err)
		}
		if err := db.ResetPassword(ctx, chat.Deed{What: chat.ActReset}, "U1", "new"); err != nil {
			t.Fatal(err)
		}
		if _, err := db.TOTP(ctx, "U1"); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("one-time codes: %v", err)
		}
		if ks, _ := db.Passkeys(ctx, "U1"); len(ks) != 0 {
			t.Errorf("passkeys: %v", ks)
		}
		if got := left(t, db); !slices.Equal(got, []string{"x"}) {
			t.Errorf("still good are %v", got)
		}
	})
}
