package push

import (
	"bytes"
	"encoding/base64"
	"testing"
	"time"

	"go.uber.org/goleak"

	"kamachat/server/push/pushtest"

	"kamachat/server/outward"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var b64 = base64.RawURLEncoding

func TestKnownTextIsOpened(t *testing.T) {
	// RFC 8291, appendix A.
	b := pushtest.KnownBrowser(t, "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94", "BTBZMqHH6r4Tts7J_aSIgg")
	body, err := b64.DecodeString("DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := b.Open(body); err != nil || string(got) != "When I grow up, I want to be a watermelon" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestSealedTextIsOpenedByItsBrowserAlone(t *testing.T) {
	b, other := pushtest.NewBrowser(t), pushtest.NewBrowser(t)
	p256dh, auth := b.Keys()
	to, err := readKeys(p256dh, auth+"==")
	if err != nil {
		t.Fatal(err)
	}
	lengths := map[int]bool{}
	for _, n := range []int{0, 1, 300, 510, 511, 512, maxPlain - 1, maxPlain} {
		plain := bytes.Repeat([]byte("x"), n)
		sealed, err := seal(to, plain)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := b.Open(sealed); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d bytes: got %d, %v", n, len(got), err)
		}
		if _, err := other.Open(sealed); err == nil {
			t.Errorf("%d bytes: another could open it", n)
		}
		lengths[len(sealed)] = true
	}
	if len(lengths) != 3 {
		t.Errorf("eight texts have %d lengths, want 3: they are padded", len(lengths))
	}
	if _, err := seal(to, make([]byte, maxPlain+1)); err == nil {
		t.Error("a text that no push service takes was sealed")
	}
}

func TestBadKeysAreRefused(t *testing.T) {
	b := pushtest.NewBrowser(t)
	p256dh, auth := b.Keys()
	for name, c := range map[string][2]string{
		"no key": {"", auth}, "not base64": {"!", auth}, "no point": {b64.EncodeToString(append([]byte{4}, make([]byte, 64)...)), auth},
		"no auth": {p256dh, ""}, "short auth": {p256dh, auth[:10]},
	} {
		if _, err := readKeys(c[0], c[1]); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if _, err := readKeys(p256dh, auth); err != nil {
		t.Error(err)
	}
}

func TestSignatureIsMadeAnewInTime(t *testing.T) {
	private, err := newVapidKey()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	v, err := readVapid(private, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	usual, err := outward.ReadURL("https://Push.example:443/x", false)
	if err != nil {
		t.Fatal(err)
	}
	if h, err := v.authorization(usual, "mailto:me@chat.example"); err != nil || pushtest.CheckVapid(h, v.public, "https://push.example", now) != nil {
		t.Errorf("for the usual port: %q, %v", h, err)
	}
	at, err := outward.ReadURL("https://push.example:8443/x/y?z", false)
	if err != nil {
		t.Fatal(err)
	}
	var before string
	for _, later := range []time.Duration{0, 5 * time.Hour, 2 * time.Hour, 20 * time.Hour} {
		now = now.Add(later)
		h, err := v.authorization(at, "https://chat.example")
		if err != nil {
			t.Fatal(err)
		}
		if err := pushtest.CheckVapid(h, v.public, "https://push.example:8443", now); err != nil {
			t.Errorf("after %v more: %v", later, err)
		}
		if again := h == before; again != (later == 5*time.Hour) {
			t.Errorf("after %v more the same one: %v", later, again)
		}
		before = h
	}
}
