// Package pushtest is the other side of Web Push, for tests alone: a browser that
// opens what it is sent, by an implementation of RFC 8291 of its own, and a push
// service on this machine.
package pushtest

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
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var b64 = base64.RawURLEncoding

// A Browser subscribes, and opens what it is sent.
type Browser struct {
	key  *ecdh.PrivateKey
	auth []byte
}

// NewBrowser returns a browser with keys of its own.
func NewBrowser(t testing.TB) Browser {
	t.Helper()
	k, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	auth := make([]byte, 16)
	rand.Read(auth)
	return Browser{k, auth}
}

// KnownBrowser returns a browser with keys that are known, in base64url.
func KnownBrowser(t testing.TB, private, auth string) Browser {
	t.Helper()
	raw, err := b64.DecodeString(private)
	if err != nil {
		t.Fatal(err)
	}
	k, err := ecdh.P256().NewPrivateKey(raw)
	if err != nil {
		t.Fatal(err)
	}
	b := Browser{key: k}
	if b.auth, err = b64.DecodeString(auth); err != nil {
		t.Fatal(err)
	}
	return b
}

// Keys are what a browser subscribes with, in base64url.
func (b Browser) Keys() (p256dh, auth string) {
	return b64.EncodeToString(b.key.PublicKey().Bytes()), b64.EncodeToString(b.auth)
}

func mac(key []byte, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, key)
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// Open decrypts a body of one record, as section 3.4 of RFC 8291 writes it.
func (b Browser) Open(body []byte) ([]byte, error) {
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

// CheckVapid verifies an Authorization header as in RFC 8292: made with key, the
// public one, for a push service at the origin aud, and still good.
func CheckVapid(header, key, aud string, now time.Time) error {
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
	raws, err := b64.DecodeString(key)
	if err != nil {
		return err
	}
	pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), raws)
	if err != nil || len(raw[2]) != 64 {
		return fmt.Errorf("key %q, signature of %d bytes", key, len(raw[2]))
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	r, s := new(big.Int).SetBytes(raw[2][:32]), new(big.Int).SetBytes(raw[2][32:])
	until := time.Unix(claims.Exp, 0).Sub(now)
	switch {
	case !ecdsa.Verify(pub, sum[:], r, s):
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

// A Request is what a push service was sent.
type Request struct {
	Path   string
	Header http.Header
	Body   []byte
}

// A Gate is a push service that answers as it is told, at the endpoints below its URL.
type Gate struct {
	*httptest.Server
	mu     sync.Mutex
	got    []Request
	answer func(r Request) (status int, retryAfter string) // nil: 201
}

// NewGate returns a push service that takes everything, until the test ends.
func NewGate(t testing.TB) *Gate {
	g := &Gate{}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		q := Request{r.URL.Path, r.Header, body}
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

// Answer has the gate answer so from now on.
func (g *Gate) Answer(f func(r Request) (status int, retryAfter string)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.answer = f
}

// Requests are what came so far.
func (g *Gate) Requests() []Request {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.got)
}
