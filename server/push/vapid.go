package push

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"
)

// signedFor is how long a signature holds: the RFC allows a day.
const signedFor = 12 * time.Hour

// maxSigned is how many signatures are kept for another use.
const maxSigned = 100

// vapid signs requests to push services (RFC 8292): whoever sends to a
// subscription is who it was made for.
type vapid struct {
	key    *ecdsa.PrivateKey
	public string // the key that browsers ask for, base64url
	now    func() time.Time

	mu     sync.Mutex
	signed map[[2]string]signature // by origin of the push service, and contact
}

type signature struct {
	header string
	until  time.Time // when a fresh one is due
}

// newVapidKey returns a new private key, in base64url.
func newVapidKey() (string, error) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", err
	}
	raw, err := k.Bytes()
	return base64.RawURLEncoding.EncodeToString(raw), err
}

func readVapid(private string, now func() time.Time) (*vapid, error) {
	raw, err := decode(private)
	if err != nil {
		return nil, err
	}
	k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), raw)
	if err != nil {
		return nil, err
	}
	pub, err := k.PublicKey.Bytes()
	if err != nil {
		return nil, err
	}
	return &vapid{key: k, public: base64.RawURLEncoding.EncodeToString(pub), now: now, signed: map[[2]string]signature{}}, nil
}

// authorization is the header for a request to endpoint. contact is whom the
// push service may turn to: a mailto: or https: URL.
func (v *vapid) authorization(endpoint *url.URL, contact string) (string, error) {
	aud := endpoint.Scheme + "://" + strings.ToLower(endpoint.Host)
	if endpoint.Scheme == "https" {
		aud = strings.TrimSuffix(aud, ":443") // an origin does not name it
	}
	id, now := [2]string{aud, contact}, v.now()
	v.mu.Lock()
	s, ok := v.signed[id]
	v.mu.Unlock()
	if ok && now.Before(s.until) {
		return s.header, nil
	}
	t, err := v.sign(aud, contact, now.Add(signedFor))
	if err != nil {
		return "", err
	}
	s = signature{"vapid t=" + t + ", k=" + v.public, now.Add(signedFor / 2)}
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.signed) >= maxSigned {
		clear(v.signed)
	}
	v.signed[id] = s
	return s.header, nil
}

// sign returns a JWT (RFC 7519) with an ES256 signature (RFC 7518, section 3.4).
func (v *vapid) sign(aud, sub string, exp time.Time) (string, error) {
	claims, err := json.Marshal(map[string]any{"aud": aud, "exp": exp.Unix(), "sub": sub})
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"typ":"JWT","alg":"ES256"}`)) + "." + base64.RawURLEncoding.EncodeToString(claims)
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, v.key, sum[:])
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	var rs [64]byte
	r.FillBytes(rs[:32])
	s.FillBytes(rs[32:])
	return text + "." + base64.RawURLEncoding.EncodeToString(rs[:]), nil
}
