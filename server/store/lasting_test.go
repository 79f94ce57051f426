package store_test

import (
	"fmt"
	"testing"
	"time"

	"kamachat/shared/chat"
)

func TestWhoMayStay(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		ctx, db := t.Context(), openAt(t, dsn)
		for i, disabled := range []bool{false, true} {
			p := chat.Person{ID: chat.UserID(fmt.Sprint("U", i)), Username: fmt.Sprint("u", i), Disabled: disabled}
			if err := db.AddUser(ctx, p, "h", 1); err != nil {
				t.Fatal(err)
			}
		}
		logins := []string{"gone", "old"}
		for i := range 1200 { // more than one statement names
			l := fmt.Sprint("token", i)
			if err := db.AddToken(ctx, l, "U0", 1); err != nil {
				t.Fatal(err)
			}
			logins = append(logins, l)
		}
		for l, until := range map[string]time.Duration{"cookie": time.Hour, "old": -time.Hour, "gone": time.Hour} {
			if err := db.Logins().CommitCtx(ctx, l, []byte("x"), time.Now().Add(until)); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Logins().DeleteCtx(ctx, "gone"); err != nil {
			t.Fatal(err)
		}
		if err := db.DeleteToken(ctx, "token7"); err != nil {
			t.Fatal(err)
		}
		in, able, err := db.Lasting(ctx, append(logins, "cookie"), []chat.UserID{"U0", "U1", "Unobody"})
		if err != nil {
			t.Fatal(err)
		}
		if len(in) != 1200 || !in["cookie"] || !in["token1199"] || in["token7"] || in["old"] || in["gone"] {
			t.Errorf("%d logins last: cookie %v, token7 %v, old %v, gone %v", len(in), in["cookie"], in["token7"], in["old"], in["gone"])
		}
		if len(able) != 1 || !able["U0"] {
			t.Errorf("able: %v", able)
		}
		if in, able, err := db.Lasting(ctx, nil, nil); err != nil || len(in)+len(able) > 0 {
			t.Errorf("of nobody: %v, %v, %v", in, able, err)
		}
	})
}
