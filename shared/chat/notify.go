package chat

// Forever is the time until which somebody wants no notifications who wants
// none until further notice.
const Forever = -1

// A Subscription is where one browser of a person is told what it missed, by
// Web Push (RFC 8030). It ends with the login that made it.
type Subscription struct {
	User     UserID
	Login    string // what it was signed in with
	Endpoint string // URL; who knows it can write to the browser
	P256dh   string // the browser's public key, base64url
	Auth     string // what it shares with us, base64url
	Site     string // the origin that the person uses us at
	Lang     string // of what it is told
	Until    int64  // when the login ends, Unix milliseconds; 0: not known
}

// A Listener is a member of a conversation who has a Subscription.
type Listener struct {
	Marks
	Muted int64 // until when the member has muted Conv: 0, Unix milliseconds, or Forever
}

// A Mute is a conversation of which a person wants no notifications.
type Mute struct {
	Conv  ConvID `json:"conv"`
	Until int64  `json:"until"` // Unix milliseconds, or Forever; 0: not muted
}

// Quiet is when a person wants no notifications at all.
type Quiet struct {
	Until int64  `json:"until"` // Unix milliseconds, or Forever; 0: now they are wanted
	From  string `json:"from"`  // and daily from this time, HH:MM; empty: not daily
	To    string `json:"to"`    // to this one, on the next day where it is the earlier
	Zone  string `json:"zone"`  // of both, e.g. Europe/Berlin; empty: UTC
}
