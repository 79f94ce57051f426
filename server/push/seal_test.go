package push

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var b64 = base64.RawURLEncoding

// A browser subscribes, and opens what it is sent, by an implementation of RFC
// 8291 of its own.
type browser struct {
	key  *ecdh.PrivateKey
	auth []byte
}

func newBrowser(t *testing.T) browser {
	t.Helper()
	k, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	b := browser{k, make([]byte, 16)}
	rand.Read(b.auth)
	return b
}

func mac(key []byte, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, key)
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// open decrypts a body of one record, as the RFC's section 3.4 writes it.
func (b browser) open(body []byte) ([]byte, error) {
	if len(body) < 21 {
		return nil, errors.New("no header")
	}
	salt, size, n := body[:16], binary.BigEndian.Uint32(body[16:20]), int(body[20])
	if n != 65 || len(body) < 21+n || len(body)-21-n > int(size) || len(body) > 4096 {
		return nil, fmt.Errorf("%d bytes, key of %d, records of %d", len(body), n, size)
	}
	theirs := body[21 : 21+n]
	pub, err := ecdh.P256().NewPublicKey(theirs)
	if err != nil {
		return nil, err
	}
	shared, err := b.key.ECDH(pub)
	if err != nil {
		return nil, err
	}
	one := []byte{1}
	ikm := mac(mac(b.auth, shared), []byte("WebPush: info\x00"), b.key.PublicKey().Bytes(), theirs, one)
	prk := mac(salt, ikm)
	cek := mac(prk, []byte("Content-Encoding: aes128gcm\x00"), one)[:16]
	nonce := mac(prk, []byte("Content-Encoding: nonce\x00"), one)[:12]
	block, err := aes.NewCipher(cek)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	plain, err := gcm.Open(nil, nonce, body[21+n:], nil)
	if err != nil {
		return nil, err
	}
	plain = bytes.TrimRight(plain, "\x00")
	if len(plain) == 0 || plain[len(plain)-1] != 2 {
		return nil, errors.New("the last record does not end with 2")
	}
	return plain[:len(plain)-1], nil
}

// checkVapid verifies the header of RFC 8292 and returns the claims.
func checkVapid(header, key, aud string, now time.Time) error {
	rest, ok := strings.CutPrefix(header, "vapid t=")
	token, k, ok2 := strings.Cut(rest, ", k=")
	if !ok || !ok2 || k != key {
		return fmt.Errorf("header %q", header)
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return fmt.Errorf("token %q", token)
	}
	var raw [3][]byte
	for i, p := range parts {
		var err error
		if raw[i], err = b64.DecodeString(p); err != nil {
			return err
		}
	}
	var head struct{ Alg, Typ string }
	var claims struct {
		Aud, Sub string
		Exp      int64
	}
	if err := errors.Join(json.Unmarshal(raw[0], &head), json.Unmarshal(raw[1], &claims)); err != nil {
		return err
	}
	pub, err := b64.DecodeString(key)
	if err != nil {
		return err
	}
	x, y := new(big.Int).SetBytes(pub[1:33]), new(big.Int).SetBytes(pub[33:])
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	r, s := new(big.Int).SetBytes(raw[2][:32]), new(big.Int).SetBytes(raw[2][32:])
	until := time.Unix(claims.Exp, 0).Sub(now)
	switch {
	case !ecdsa.Verify(&ecdsa.PublicKey{Curve: elliptic.P256(), X: x, Y: y}, sum[:], r, s):
		return errors.New("the signature is wrong")
	case head.Alg != "ES256" || head.Typ != "JWT":
		return fmt.Errorf("header %+v", head)
	case claims.Aud != aud:
		return fmt.Errorf("for %q, want %q", claims.Aud, aud)
	case until <= 0 || until > 24*time.Hour:
		return fmt.Errorf("holds for %v", until)
	case !strings.HasPrefix(claims.Sub, "https://") && !strings.HasPrefix(claims.Sub, "mailto:"):
		return fmt.Errorf("contact %q", claims.Sub)
	}
	return nil
}

// A request is what a push service was sent.
type request struct {
	path   string
	header http.Header
	body   []byte
}

// gate is a push service that answers as it is told.
type gate struct {
	*httptest.Server
	mu     sync.Mutex
	got    []request
	answer func(r request) (status int, retryAfter string) // nil: 201
}

func newGate(t *testing.T) *gate {
	g := &gate{}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		q := request{r.URL.Path, r.Header, body}
		g.mu.Lock()
		g.got = append(g.got, q)
		answer := g.answer
		g.mu.Unlock()
		status, after := http.StatusCreated, ""
		if answer != nil {
			status, after = answer(q)
		}
		if after != "" {
			w.Header().Set("Retry-After", after)
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(g.Close)
	return g
}

func (g *gate) requests() []request {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]request(nil), g.got...)
}

func TestKnownTextIsOpened(t *testing.T) {
	raw := func(s string) []byte {
		b, err := b64.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	// RFC 8291, appendix A.
	key, err := ecdh.P256().NewPrivateKey(raw("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"))
	if err != nil {
		t.Fatal(err)
	}
	b := browser{key, raw("BTBZMqHH6r4Tts7J_aSIgg")}
	body := raw("DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN")
	if got, err := b.open(body); err != nil || string(got) != "When I grow up, I want to be a watermelon" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestSealedTextIsOpenedByItsBrowserAlone(t *testing.T) {
	b, other := newBrowser(t), newBrowser(t)
	to, err := readKeys(b64.EncodeToString(b.key.PublicKey().Bytes()), b64.EncodeToString(b.auth)+"==")
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
		if got, err := b.open(sealed); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d bytes: got %d, %v", n, len(got), err)
		}
		if _, err := other.open(sealed); err == nil {
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
	b := newBrowser(t)
	p256dh, auth := b64.EncodeToString(b.key.PublicKey().Bytes()), b64.EncodeToString(b.auth)
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
	at, err := readEndpoint("https://push.example:8443/x/y?z", false)
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
		if err := checkVapid(h, v.public, "https://push.example:8443", now); err != nil {
			t.Errorf("after %v more: %v", later, err)
		}
		if again := h == before; again != (later == 5*time.Hour) {
			t.Errorf("after %v more the same one: %v", later, again)
		}
		before = h
	}
}
