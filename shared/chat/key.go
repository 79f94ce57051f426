package chat

// TOTP is a second factor by one-time codes (RFC 6238).
type TOTP struct {
	Secret    string   // in base32
	Confirmed bool     // asked for at sign-in
	LastStep  int64    // time step of the last code that was used: none before it works
	Recovery  []string // SHA-256 hashes of codes that work once
}

// A Passkey is a WebAuthn credential.
type Passkey struct {
	ID        string // of the credential, in base64url
	Name      string // that its person gave it
	CreatedAt int64  // Unix milliseconds
	UsedAt    int64  // Unix milliseconds; 0: never
	Data      []byte // what is needed to check it
}

// MaxPasskeyName is the longest name of a passkey, in runes.
const MaxPasskeyName = 40
