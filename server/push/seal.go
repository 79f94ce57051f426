package push

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
)

// maxPlain is the longest text that fits into the 4,096 bytes that every push
// service takes (RFC 8291, section 4): less the header, the delimiter and the tag.
const maxPlain = 4096 - headerLen - 1 - 16

// headerLen is salt, record size, length of the key, and our public key.
const headerLen = 16 + 4 + 1 + 65

// padTo is to what multiple texts are padded: their length tells less.
const padTo = 512

// base64url in either form, as browsers write it.
func decode(s string) ([]byte, error) {
	return base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
}

// receiver are a browser's keys.
type receiver struct {
	key  *ecdh.PublicKey
	auth []byte // 16 bytes
}

// readKeys reads the keys of a subscription, or says what is wrong with them.
func readKeys(p256dh, auth string) (r receiver, err error) {
	raw, err := decode(p256dh)
	if err != nil {
		return r, fmt.Errorf("p256dh: %w", err)
	}
	if r.key, err = ecdh.P256().NewPublicKey(raw); err != nil {
		return r, fmt.Errorf("p256dh: %w", err)
	}
	if r.auth, err = decode(auth); err != nil || len(r.auth) != 16 {
		return r, fmt.Errorf("auth: want 16 bytes in base64url")
	}
	return r, nil
}

// words are the keys as a subscription holds them.
func (r receiver) words() (p256dh, auth string) {
	return base64.RawURLEncoding.EncodeToString(r.key.Bytes()), base64.RawURLEncoding.EncodeToString(r.auth)
}

// seal encrypts plain for one browser alone, as the content coding aes128gcm:
// RFC 8188, with the keys of RFC 8291.
func seal(to receiver, plain []byte) ([]byte, error) {
	if len(plain) > maxPlain {
		return nil, fmt.Errorf("%d bytes are too long, at most %d fit", len(plain), maxPlain)
	}
	ours, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	salt := make([]byte, 16)
	rand.Read(salt) // never fails
	return sealWith(to, plain, ours, salt)
}

func sealWith(to receiver, plain []byte, ours *ecdh.PrivateKey, salt []byte) ([]byte, error) {
	shared, err := ours.ECDH(to.key)
	if err != nil {
		return nil, err
	}
	// RFC 8291, section 3.3 and 3.4.
	derive := func(secret, salt []byte, info string, n int) (k []byte) {
		if err == nil {
			k, err = hkdf.Key(sha256.New, secret, salt, info, n)
		}
		return k
	}
	pub := ours.PublicKey().Bytes()
	ikm := derive(shared, to.auth, "WebPush: info\x00"+string(to.key.Bytes())+string(pub), 32)
	key := derive(ikm, salt, "Content-Encoding: aes128gcm\x00", 16)
	nonce := derive(ikm, salt, "Content-Encoding: nonce\x00", 12)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	padded := make([]byte, min((len(plain)/padTo+1)*padTo, maxPlain+1))
	copy(padded, plain)
	padded[len(plain)] = 2 // the last record: text, 2, zeros

	out := make([]byte, 0, headerLen+len(padded)+gcm.Overhead())
	out = append(out, salt...)
	out = binary.BigEndian.AppendUint32(out, 4096)
	out = append(out, byte(len(pub)))
	out = append(out, pub...)
	return gcm.Seal(out, nonce, padded, nil), nil
}
