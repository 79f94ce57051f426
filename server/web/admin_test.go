package web

import (
	"strings"
	"testing"

	"kamachat/shared/chat"
)

// boss makes an administrator.
func (h *house) boss() chat.Person {
	h.t.Helper()
	key, err := h.accounts.SetupKey(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	p, err := h.accounts.Setup(h.t.Context(), key, "boss", "password1", "Boss")
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

func TestTheAdministrationIsNowhereForOthers(t *testing.T) {
	h := open(t)
	boss := h.boss()
	nowhere := h.do(h.signedIn(h.ann), "GET", "/nowhere", nil)
	for _, path := range []string{"/admin", "/admin/people", "/admin/nowhere"} {
		if got := h.do(h.browser(), "GET", path, nil); got.status != 303 || !strings.HasPrefix(got.header.Get("Location"), "/login?next=%2Fadmin") {
			t.Errorf("%s as nobody: %d to %q", path, got.status, got.header.Get("Location"))
		}
		if got := h.do(h.signedIn(h.ann), "GET", path, nil); got.status != 404 || got.body != nowhere.body {
			t.Errorf("%s as somebody: %d %s", path, got.status, got.body)
		}
		if got := h.do(h.browser(), "GET", path, nil, bearerOf(h.token(boss))...); got.status != 404 {
			t.Errorf("%s with a program's token: %d", path, got.status)
		}
	}
}
