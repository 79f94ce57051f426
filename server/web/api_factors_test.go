package web

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"kamachat/shared/chat"
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

// A passkey is removed by who has it and knows the password; for others it is not there.
func TestAPasskeyIsRemovedByTheAPI(t *testing.T) {
	h := open(t)
	ann, bob := bearerOf(h.token(h.ann)), bearerOf(h.token(h.bob))
	if err := h.db.AddPasskey(t.Context(), h.ann.ID, chat.Passkey{ID: "key1", Name: "Phone", CreatedAt: 1, Data: []byte("{}")}, 10); err != nil {
		t.Fatal(err)
	}
	names := func() (names []string) {
		for _, k := range decode[factorsAnswer](t, h.do(http.DefaultClient, "GET", "/api/v1/me/factors", nil, ann...)).Passkeys {
			names = append(names, k.Name)
		}
		return names
	}
	for _, c := range []struct {
		who          string
		as           []string
		id, password string
		status, left int
	}{
		{"nobody", nil, "key1", "password1", 401, 1},
		{"another", bob, "key1", "password1", 404, 1},
		{"without the password", ann, "key1", "wrong", 403, 1},
		{"of another name", ann, "key2", "password1", 404, 1},
		{"the owner", ann, "key1", "password1", 204, 0},
		{"the owner again", ann, "key1", "password1", 404, 0},
	} {
		got := h.do(http.DefaultClient, "POST", "/api/v1/me/passkeys/"+c.id+"/remove", strings.NewReader(fmt.Sprintf(`{"password":%q}`, c.password)), c.as...)
		if left := names(); got.status != c.status || len(left) != c.left {
			t.Errorf("%s: %d %s, want %d; left are %q, want %d", c.who, got.status, got.body, c.status, left, c.left)
		}
	}
}
