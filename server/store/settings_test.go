package store_test

import (
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"

	"kamachat/shared/chat"
)

func TestSettingsAreChangedTogetherAndEachChangeIsNoted(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := openAt(t, dsn)
		was := func(name string) string { return map[string]string{"a": "1", "b": "2"}[name] }
		boss := chat.Deed{By: "Uboss", ByName: "boss", What: chat.ActSet, Addr: "10.0.0.1"}
		for _, values := range []map[string]string{{"a": "1", "b": "3"}, {"a": "4", "b": "3"}} {
			if err := db.ChangeSettings(t.Context(), boss, values, was); err != nil {
				t.Fatal(err)
			}
		}
		got, err := db.SettingsOf(t.Context(), "a", "b", "c")
		if want := map[string]string{"a": "4", "b": "3"}; err != nil || !maps.Equal(got, want) {
			t.Errorf("got %v %v, want %v", got, err, want)
		}
		deeds, _, err := db.Deeds(t.Context(), chat.DeedAsk{Limit: 10})
		if err != nil || len(deeds) != 2 {
			t.Fatalf("%d deeds are noted, %v, want 2", len(deeds), err)
		}
		for i, want := range []string{"a 1 → 4", "b 2 → 3"} {
			if d := deeds[i]; d.Target+" "+d.Detail != want || d.By != "Uboss" || d.What != chat.ActSet || d.Addr != "10.0.0.1" {
				t.Errorf("noted %+v, want %s", d, want)
			}
		}
	})
}

func TestAnInvitationIsGoodForAsManyAsItSaysHoweverManyCome(t *testing.T) {
	const most, came = 3, 20
	each(t, func(t *testing.T, dsn string) {
		db := openAt(t, dsn)
		if err := db.AddInvitation(t.Context(), chat.Deed{By: "Uboss", What: chat.ActInvite}, chat.Invitation{Code: "c", By: "Uboss", Most: most}); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		errs := make([]error, came)
		for i := range came {
			wg.Go(func() {
				p := chat.Person{ID: chat.UserID(fmt.Sprint("U", i)), Username: fmt.Sprint("u", i)}
				errs[i] = db.AddInvited(t.Context(), p, "", "c", 5)
			})
		}
		wg.Wait()
		in := 0
		for i, err := range errs {
			_, _, missing := db.UserByName(t.Context(), fmt.Sprint("u", i))
			if (err == nil) != (missing == nil) {
				t.Errorf("%d was answered %v, and looking for them %v", i, err, missing)
			}
			switch {
			case err == nil:
				in++
			case !errors.Is(err, &chat.Refusal{Code: chat.Forbidden}):
				t.Errorf("%d: %v, want a refusal", i, err)
			}
		}
		if i, err := db.Invitation(t.Context(), "c"); in != most || err != nil || i.Uses != most {
			t.Errorf("%d came in, the invitation says %+v %v, want %d", in, i, err, most)
		}
	})
}

func TestAnInvitationEnds(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := withPeople(t, dsn)
		by := chat.Deed{By: "Uboss", What: chat.ActInvite}
		for code, i := range map[string]chat.Invitation{"old": {ExpiresAt: 10}, "lasting": {}, "taken": {Most: 1}, "gone": {}} {
			i.Code = code
			if err := db.AddInvitation(t.Context(), by, i); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.DeleteInvitation(t.Context(), by, "gone"); err != nil {
			t.Fatal(err)
		}
		if err := db.DeleteInvitation(t.Context(), by, "gone"); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("what is gone was removed again: %v", err)
		}
		for _, c := range []struct {
			code, username string
			at             int64
			want           chat.Code // empty: let in
		}{
			{"old", "u1", 9, ""}, {"old", "u2", 10, chat.Forbidden}, {"lasting", "u3", 1 << 50, ""}, {"gone", "u4", 1, chat.Forbidden},
			{"none", "u5", 1, chat.Forbidden}, {"a\x00", "u6", 1, chat.Forbidden}, {"", "u7", 1, chat.Forbidden},
			{"taken", "uann", 1, chat.Taken}, {"taken", "u8", 1, ""}, {"taken", "u9", 1, chat.Forbidden},
		} {
			err := db.AddInvited(t.Context(), chat.Person{ID: chat.UserID("U1" + c.username), Username: c.username}, "", c.code, c.at)
			if got := chat.AsRefusal(err); err == nil && c.want != "" || err != nil && got.Code != c.want {
				t.Errorf("%s with %q at %d: %v, want %q", c.username, c.code, c.at, err, c.want)
			}
		}
		all, err := db.Invitations(t.Context())
		if err != nil || len(all) != 3 {
			t.Errorf("%d invitations are there, %v, want 3", len(all), err)
		}
	})
}
