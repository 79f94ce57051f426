package account_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"kamachat/server/account"
	"kamachat/shared/chat"
)

// A device is an authenticator with one passkey.
type device struct {
	key  *ecdsa.PrivateKey
	id   []byte
	uses uint32
}

// deviceOf is a device whose passkey is stored as u's.
func deviceOf(t *testing.T, store account.Store, u chat.UserID) *device {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	d := &device{key: key, id: []byte("device of " + u)}
	point, err := key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		t.Fatal(err)
	}
	// COSE: EC2, ES256, P-256.
	cose := slices.Concat([]byte{0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32}, point[1:33], []byte{0x22, 0x58, 32}, point[33:])
	data, err := json.Marshal(webauthn.Credential{ID: d.id, PublicKey: cose, Flags: webauthn.CredentialFlags{UserPresent: true, UserVerified: true}})
	if err == nil {
		err = store.AddPasskey(t.Context(), u, chat.Passkey{ID: base64.RawURLEncoding.EncodeToString(d.id), Name: "d", CreatedAt: 1, Data: data}, 9)
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// answers is what a browser at origin sends back of options, where the device did, or
// did not, verify its person.
func (d *device) answers(t *testing.T, options any, origin string, verified bool) []byte {
	t.Helper()
	o := options.(protocol.PublicKeyCredentialRequestOptions)
	client, err := json.Marshal(map[string]any{"type": "webauthn.get", "challenge": o.Challenge.String(), "origin": origin})
	if err != nil {
		t.Fatal(err)
	}
	flags := byte(1)
	if verified {
		flags |= 4
	}
	d.uses++
	site := sha256.Sum256([]byte(o.RelyingPartyID))
	auth := binary.BigEndian.AppendUint32(append(site[:], flags), d.uses)
	hash := sha256.Sum256(client)
	sum := sha256.Sum256(append(slices.Clone(auth), hash[:]...))
	sig, err := ecdsa.SignASN1(rand.Reader, d.key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	out, err := json.Marshal(map[string]any{"id": b64(d.id), "rawId": b64(d.id), "type": "public-key", "response": map[string]string{
		"clientDataJSON": b64(client), "authenticatorData": b64(auth), "signature": b64(sig),
	}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAPasskeyProvesOnceAndInOneSignInWhoSomebodyIs(t *testing.T) {
	const origin = "https://chat.example.org"
	at := account.Site{Host: "chat.example.org", Origins: []string{origin}}
	c := newClock()
	var store account.Store
	s := service(t, func(cfg *account.Config) { cfg.Now, cfg.Limits, store = c.now, account.NoLimits, cfg.Store })
	ann, bob := register(t, s, "ann"), register(t, s, "bob")
	if _, _, err := s.BeginProof(t.Context(), at, ann, "here"); code(err) != chat.Forbidden {
		t.Errorf("without a passkey: %v", err)
	}
	key, other := deviceOf(t, store, ann.ID), deviceOf(t, store, bob.ID)
	if has, err := s.HasPasskey(t.Context(), ann.ID); !has || err != nil {
		t.Errorf("ann has one: %v %v", has, err)
	}
	begin := func(p chat.Person) (any, string) {
		t.Helper()
		o, state, err := s.BeginProof(t.Context(), at, p, "here")
		if err != nil {
			t.Fatal(err)
		}
		return o, state
	}
	for name, try := range map[string]func(options any, state string) error{
		"in another sign-in": func(o any, state string) error {
			return s.Prove(t.Context(), "a", at, ann, "there", state, key.answers(t, o, origin, true))
		},
		"of somebody else": func(o any, state string) error {
			return s.Prove(t.Context(), "a", at, bob, "here", state, key.answers(t, o, origin, true))
		},
		"by the key of somebody else": func(o any, state string) error {
			return s.Prove(t.Context(), "a", at, ann, "here", state, other.answers(t, o, origin, true))
		},
		"by a device that did not verify": func(o any, state string) error {
			return s.Prove(t.Context(), "a", at, ann, "here", state, key.answers(t, o, origin, false))
		},
		"from another site": func(o any, state string) error {
			return s.Prove(t.Context(), "a", at, ann, "here", state, key.answers(t, o, "https://evil.example", true))
		},
		"with the answer to another question": func(any, string) error {
			o, _ := begin(ann)
			_, state := begin(ann)
			return s.Prove(t.Context(), "a", at, ann, "here", state, key.answers(t, o, origin, true))
		},
		"too late": func(o any, state string) error {
			c.move(6 * time.Minute)
			return s.Prove(t.Context(), "a", at, ann, "here", state, key.answers(t, o, origin, true))
		},
		"with the state of a sign-in": func(any, string) error {
			o, state, err := s.BeginPasskeySignIn(t.Context(), at, "")
			if err != nil {
				t.Fatal(err)
			}
			return s.Prove(t.Context(), "a", at, ann, "here", state, key.answers(t, o, origin, true))
		},
		"with nothing": func(_ any, state string) error {
			return s.Prove(t.Context(), "a", at, ann, "here", state, []byte("{}"))
		},
	} {
		o, state := begin(ann)
		if err := try(o, state); code(err) != chat.Forbidden {
			t.Errorf("%s: %v, want it refused", name, err)
		}
	}
	o, state := begin(ann)
	if _, err := s.PasskeySignIn(t.Context(), "a", at, state, key.answers(t, o, origin, true)); code(err) != chat.SignedOut {
		t.Errorf("a proof signs in: %v", err)
	}
	right := key.answers(t, o, origin, true)
	if err := s.Prove(t.Context(), "a", at, ann, "here", state, right); err != nil {
		t.Errorf("proven: %v", err)
	}
	if err := s.Prove(t.Context(), "a", at, ann, "here", state, right); code(err) != chat.Forbidden {
		t.Errorf("twice: %v", err)
	}
	o, state = begin(ann)
	key.uses = 0
	if err := s.Prove(t.Context(), "a", at, ann, "here", state, key.answers(t, o, origin, true)); code(err) != chat.Forbidden {
		t.Errorf("by a copy: %v", err)
	}
}

func TestTriesToProveAreLimitedByAddress(t *testing.T) {
	at := account.Site{Host: "chat.example.org", Origins: []string{"https://chat.example.org"}}
	s := service(t, func(cfg *account.Config) { cfg.Now, cfg.Limits = newClock().now, account.DefaultLimits })
	ann := register(t, s, "ann")
	for range 1000 {
		if err := s.Prove(t.Context(), "a", at, ann, "here", "x", nil); code(err) == chat.RateLimited {
			return
		}
	}
	t.Error("tries are not limited")
}
