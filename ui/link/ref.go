package link

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
)

// crockford spells five bits per character so that names sort like their bytes.
var crockford = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// NewRef returns a name never used before: 48 bits of time, so that names of
// one author sort by age, which keeps the server's index small, and 72 random
// bits. 24 characters; the idea is ULID's (github.com/ulid/spec).
func NewRef(now int64) string {
	var b [15]byte
	binary.BigEndian.PutUint64(b[:8], uint64(now)<<16)
	rand.Read(b[6:])
	return crockford.EncodeToString(b[:])
}
