package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

// Second factors are set up by programs with a full sign-in, that know the password,
// and by no others.
func TestSecondFactorsAreSetUpByTheAPI(t *testing.T) {
	h := open(t)
	bot, err := h.accounts.MakeBot(t.Context(), h.ann, "helper", "Helper")
	if err != nil {
		t.Fatal(err)
	}
	scoped, _, err := h.accounts.MakeToken(t.Context(), h.ann.ID, bot.ID, "one", []string{"people:read"})
	if err != nil {
		t.Fatal(err)
	}
	ann := bearerOf(h.token(h.ann))
	do := func(method, path, body string, as []string, want int) reply {
		t.Helper()
		got := h.do(http.DefaultClient, method, "/api/v1/me/"+path, strings.NewReader(body), as...)
		if got.status != want {
			t.Errorf("%s %s: %d %s, want %d", method, path, got.status, got.body, want)
		}
		return got
	}
	const pw = `{"password":"password1"}`
	with := func(code string) string { return fmt.Sprintf(`{"password":"password1","code":%q}`, code) }
	for _, path := range []string{"totp", "totp/confirm", "totp/remove", "passkeys/x/remove"} {
		body := with("123456")
		if path == "totp" || path == "passkeys/x/remove" {
			body = pw
		}
		do("POST", path, body, nil, 401)
		do("POST", path, body, bearerOf(scoped), 403)
		do("POST", path, strings.Replace(body, "password1", "wrong", 1), ann, 403)
	}
	do("GET", "factors", "", nil, 401)
	do("GET", "factors", "", bearerOf(scoped), 403)

	begun := decode[secretAnswer](t, do("POST", "totp", pw, ann, 200))
	code := func(steps int) string {
		c, err := totp.GenerateCode(begun.Secret, time.Now().Add(time.Duration(steps)*30*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if f := decode[factorsAnswer](t, do("GET", "factors", "", ann, 200)); f.TOTP {
		t.Errorf("begun is not confirmed: %+v", f)
	}
	codes := decode[recoveryAnswer](t, do("POST", "totp/confirm", with(code(0)), ann, 200)).Recovery
	if f := decode[factorsAnswer](t, do("GET", "factors", "", ann, 200)); !f.TOTP || f.Recovery != len(codes) || len(codes) == 0 {
		t.Errorf("confirmed: %+v, %d codes", f, len(codes))
	}
	do("POST", "passkeys/x/remove", pw, ann, 404)
	do("POST", "totp/remove", with(codes[0]), ann, 204)
	if f := decode[factorsAnswer](t, do("GET", "factors", "", ann, 200)); f.TOTP {
		t.Errorf("removed: %+v", f)
	}
}
