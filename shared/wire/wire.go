// Package wire is the protocol that client and server share: frames, their
// bodies, and the native dialect V1.
//
// The flow. A client opens a WebSocket at /ws with the subprotocol
// "kamachat.v1" and says hello. The server answers welcome: who the client is
// and its newest conversations with their last Seq, marks and unread counts, or
// only those that differ from what the client holds, where hello says that.
// From then on the server sends posted for every entry committed to a
// conversation of the client's.
//
// list asks for the rest of the conversations page by page, for the lines of
// some, or for whatever differs from what the client holds; it is answered with
// listed. Word of anything may be lost on its way between servers, so a client
// asks for what differs every minute or so, and for the line of a conversation
// that it hears of and does not know. Then its list is whole again.
//
// A client posts with a Ref of its own making and keeps the draft until it
// sees posted with that Ref (stored) or refused with it. refused with a
// retry-after means: send the same post again, later; without one: never.
// Posting again is always safe, (author, Ref) is stored once.
//
// Every conversation is a log with a gapless Seq from 1. A client that sees a
// hole, or a welcome with a higher last Seq than it has, asks resume and gets
// pages until it has everything or the page says where the log ends; before
// asks backwards. Both are answered with history. Edits, recalls and reactions
// are posts and entries, too; pages have messages as they are by then, and
// chat.Amend folds what comes later. seen tells how far the client
// got (delivered) and how far its person read; the server answers with seen for
// others' marks. line changes the person's own line of a conversation, which all
// of the person's clients are told as lined. typing and online pass by and are never stored. bye comes
// before the server closes.
//
// One WebSocket text message holds one frame, or a JSON array of frames when
// several had queued up, at most MaxFrames. Both ends read both forms.
//
// Version history: v1 is the first, and not released yet: until then it may
// change in place. So far it has: welcome held up to 500 conversations and
// nothing asked for more; now it holds 100, and there are list, listed, the sums
// in hello, and the marks of the others in history. A client can say whether it
// is looked at. There are content kinds that amend. line and lined are new, and
// lines and sums have what the person made of a conversation: pinned, archived,
// deleted up to an entry. Groups change by entries, and who is removed is told by
// parted; turned says that other rules have changed. welcome names the epoch of the
// database, and welcome and listed tell what the server keeps no longer. lines and
// sums have mutes and marks as unread, and asked says that somebody waits for an answer.
package wire

import (
	"kamachat/shared/chat"
)

// MaxFrame is the largest native WebSocket message a client may send, in bytes.
const MaxFrame = 64 << 10

// MaxFrames is how many frames one message holds at most, either way.
const MaxFrames = 512

// A Frame is one thing said over a connection.
type Frame struct {
	Ref  string // the client's own name for what it asked, echoed in the answer; at most chat.MaxRef bytes
	Body Body
}

// A Body is what a Frame says. The set is closed.
type Body interface{ kind() string }

// Client to server.
type (
	// Hello opens a native session.
	Hello struct {
		Device string `json:"device,omitempty"` // a stable name of this browser or device
		Build  string `json:"build,omitempty"`
		// Sums are chat.Sums of the conversations that the client holds, where it
		// holds all: Welcome then has only those that differ.
		Sums []uint32 `json:"sums,omitempty"`
	}
	// Post asks to store Content in Conv. The frame's Ref names the draft.
	Post struct {
		Conv    chat.ConvID  `json:"conv"`
		Content chat.Content `json:"c"`
	}
	// Resume asks for the entries after a Seq, oldest first; answered by History
	// with the same Ref. When more than chat.MaxPage entries are missing
	// the newest come (the page starts later than After+1); the rest is asked for
	// with Before.
	Resume struct {
		Conv  chat.ConvID `json:"conv"`
		After int64       `json:"after"`
	}
	// Before asks for at most Limit entries before a Seq (0: the end); answered
	// by History with the same Ref.
	Before struct {
		Conv  chat.ConvID `json:"conv"`
		Seq   int64       `json:"seq"`
		Limit int         `json:"limit"` // 1 to chat.MaxPage; 0 means 50
	}
	// List asks for lines of the conversation list; answered by Listed with the
	// same Ref. It asks for one of three things: the lines of IDs; with Sums,
	// those that differ from what the client holds; else a page, latest first.
	List struct {
		IDs   []chat.ConvID `json:"ids,omitempty"`   // at most chat.MaxList
		Sums  []uint32      `json:"sums,omitempty"`  // chat.Sums of what the client holds, at most chat.MaxSums
		After string        `json:"after,omitempty"` // a Listed.Next: the page begins there; empty: at the latest
		Limit int           `json:"limit,omitempty"` // of the page: 1 to chat.MaxList; 0 means that
	}
	// Look says whether the person can see the client: Hidden is true while its
	// page is in the background. One that has not said so since its Hello is seen.
	// Whose clients are all hidden is told by notifications, too. Not answered.
	Look struct {
		Hidden bool `json:"hidden"`
	}
	// Line changes what the person has made of Conv in the list; answered by Lined
	// with the same Ref. The same again does no harm.
	Line struct {
		Conv chat.ConvID `json:"conv"`
		chat.LineChange
	}
	// Who asks for people; answered by People with the same Ref.
	Who struct {
		IDs []chat.UserID `json:"ids"` // at most 100
	}
)

// Both ways.
type (
	// Seen carries marks: the client's own, or from the server the client's own
	// from another device (User set) or how far everybody else is (User empty).
	Seen struct {
		chat.Marks
	}
	// Typing says that someone writes just now. Clients send it at most every
	// 3 s and forget it after 6 s. The server fills in User.
	Typing struct {
		Conv chat.ConvID `json:"conv"`
		User chat.UserID `json:"user,omitempty"`
	}
	// Signal is a call signal to the other person of a direct conversation.
	// Never echoed to the sender. The server fills in From.
	Signal struct {
		Conv chat.ConvID `json:"conv"`
		From chat.UserID `json:"from,omitempty"`
		Call chat.Call   `json:"call"`
	}
)

// Server to client.
type (
	// Welcome answers Hello.
	Welcome struct {
		Me      chat.Person `json:"me"`
		Session string      `json:"session"`
		Now     int64       `json:"now"` // the server's clock, Unix milliseconds
		Build   string      `json:"build"`
		// Epoch names the life of the server's database. Where it is another than the
		// one that a client holds entries of, a backup was restored, and Seqs may be
		// given once more: all that is held is to be read anew. Empty: not said.
		Epoch  string         `json:"epoch,omitempty"`
		Convs  []chat.Summary `json:"convs"`  // latest first, at most chat.MaxList
		People []chat.Person  `json:"people"` // whom Convs name
		// Online are those who are online among the other people of the latest
		// direct conversations, listed here or not.
		Online []chat.UserID `json:"online"`
		// Unknown says that of others it is not known whether they are: see Presence.
		Unknown bool   `json:"unknown,omitempty"`
		Next    string `json:"next,omitempty"` // as in Listed
		// Known says that Convs are what differs from the sums in Hello, and Differ
		// and More are as in Listed. Otherwise Convs are the first page of the list.
		Known  bool  `json:"known,omitempty"`
		Differ []int `json:"differ,omitempty"`
		More   bool  `json:"more,omitempty"`
		// Expired is what the server keeps no longer: clients don't, either.
		Expired chat.Expired `json:"expired,omitzero"`
	}
	// Listed answers List, latest conversation first.
	//
	// IDs asked for and not among Convs are not the person's. With sums, so are
	// conversations of a part in Differ that are not among Convs. Where too much
	// differs to be told by parts, Differ is empty and a first page comes instead.
	Listed struct {
		Convs  []chat.Summary `json:"convs"`
		People []chat.Person  `json:"people,omitempty"` // whom Convs name
		Online []chat.UserID  `json:"online,omitempty"` // who is online among the other people of direct Convs
		Next   string         `json:"next,omitempty"`   // where the next page begins; empty: there is none
		Differ []int          `json:"differ,omitempty"` // the parts whose sums differ and whose lines are all here
		More   bool           `json:"more,omitempty"`   // other parts differ, too: ask again
		// Expired is as in Welcome, in the answer to sums.
		Expired chat.Expired `json:"expired,omitzero"`
	}
	// Lined says what the person has made of Conv in the list: to the client that
	// asked for it, with the Ref, and to the person's others without.
	Lined struct {
		Conv chat.ConvID `json:"conv"`
		chat.Line
	}
	// Posted is one committed entry. The author's copy has the frame's Ref: echo
	// and acknowledgement in one.
	Posted struct {
		chat.Message
		By chat.Person `json:"-"` // the author, for dialects that name the sender in each message
	}
	// History answers Resume and Before.
	History struct {
		chat.Page
	}
	// People answers Who.
	People struct {
		People []chat.Person `json:"people"`
	}
	// Online says that someone came or went.
	Online struct {
		User   chat.UserID `json:"user"`
		Online bool        `json:"online"`
	}
	// Presence says anew who of the other people is online: nobody else is, or, where
	// that is not known, others may be, until it is said again.
	Presence struct {
		Known  bool          `json:"known"`
		Online []chat.UserID `json:"online,omitempty"`
	}
	// Opened says that a conversation is new in the person's list.
	Opened struct {
		Summary chat.Summary  `json:"conv"`
		People  []chat.Person `json:"people"`
	}
	// Parted says that the person is no longer in a group.
	Parted struct {
		Conv chat.ConvID `json:"conv"`
	}
	// Turned says that what decides who may do what in a conversation has changed
	// otherwise than by an entry of its log: who asked for something of it, ask again.
	Turned struct {
		Conv chat.ConvID `json:"conv"`
	}
	// Asked says that those who wait for the person's answer are others now: who wants
	// to come into the group Conv, or, where it is empty, to be a contact. How many they
	// are is to be asked of /api/v1/requests/waiting.
	Asked struct {
		Conv chat.ConvID `json:"conv"`
	}
	// Refused answers the frame with the same Ref.
	Refused struct {
		Code       chat.Code `json:"code"`
		RetryAfter int64     `json:"retry_after,omitempty"` // milliseconds; 0: do not try again
		Words      string    `json:"words"`
	}
	// Bye comes before the server closes the connection.
	Bye struct {
		Reason    string `json:"reason"`               // one of the Bye… below
		ComeAfter int64  `json:"come_after,omitempty"` // milliseconds; when to reconnect
	}
)

// Reasons of Bye. Clients come back after all of them but ByeSignedOut.
const (
	ByeRestart   = "restart"    // the server ends, or could not welcome
	ByeSlow      = "slow"       // the client did not keep up: it resumes
	ByeSignedOut = "signed_out" // the sign-in has ended
	ByeIdle      = "idle"       // it never said hello
	ByeFlood     = "flood"      // it sent what no client sends
)

// Bad stands for a frame that could be told apart but not understood: the
// server answers it with Why, a client lets it pass (it comes from a newer server).
type Bad struct {
	Kind string
	Why  *chat.Refusal
}

func (b Bad) kind() string    { return b.Kind }
func (Hello) kind() string    { return "hello" }
func (Post) kind() string     { return "post" }
func (Resume) kind() string   { return "resume" }
func (Before) kind() string   { return "before" }
func (Who) kind() string      { return "who" }
func (Look) kind() string     { return "look" }
func (Line) kind() string     { return "line" }
func (Lined) kind() string    { return "lined" }
func (Seen) kind() string     { return "seen" }
func (Typing) kind() string   { return "typing" }
func (Signal) kind() string   { return "call" }
func (Welcome) kind() string  { return "welcome" }
func (List) kind() string     { return "list" }
func (Listed) kind() string   { return "listed" }
func (Posted) kind() string   { return "posted" }
func (History) kind() string  { return "history" }
func (People) kind() string   { return "people" }
func (Presence) kind() string { return "presence" }
func (Online) kind() string   { return "online" }
func (Opened) kind() string   { return "opened" }
func (Parted) kind() string   { return "parted" }
func (Turned) kind() string   { return "turned" }
func (Asked) kind() string    { return "asked" }
func (Refused) kind() string  { return "refused" }
func (Bye) kind() string      { return "bye" }

// A Codec is a dialect of the protocol.
type Codec interface {
	// Name is the WebSocket subprotocol that selects the dialect, "" the seed's.
	Name() string
	// Append appends the encoding of f to dst. ok is false where the dialect has no word for f.
	Append(dst []byte, f Frame) (out []byte, ok bool, err error)
	// Parse reads what one WebSocket message holds; a frame that can't be
	// understood becomes Bad. An error, a *chat.Refusal, means that not even
	// frames could be told apart.
	Parse(p []byte) ([]Frame, error)
}

// A Packet is a frame on its way to many receivers, encoded once per dialect.
// It is not safe for concurrent encoding: the hub encodes, sessions carry bytes.
type Packet struct {
	Frame Frame
	enc   []encoded
}

type encoded struct {
	name string
	data []byte
	ok   bool
}

// NewPacket returns a packet of f.
func NewPacket(f Frame) *Packet { return &Packet{Frame: f} }

// Bytes returns the frame in c's dialect, the same slice for everybody, and
// whether the dialect has a word for it. The bytes must not be changed.
func (p *Packet) Bytes(c Codec) ([]byte, bool) {
	for _, e := range p.enc {
		if e.name == c.Name() {
			return e.data, e.ok
		}
	}
	data, ok, err := c.Append(nil, p.Frame)
	ok = ok && err == nil
	p.enc = append(p.enc, encoded{c.Name(), data, ok})
	return data, ok
}
