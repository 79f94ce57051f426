// Package classic is the seed's dialect: the frames that KamaChat clients spoke
// before the native protocol. Its codec is made per session, since a frame of
// the seed names both ends of a message and the session is one of them.
package classic

import (
	"encoding/json"
	"time"
	"unicode/utf8"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// What the seed's clients are told in words.
const (
	Greeting = "欢迎来到kama聊天服务器"
	Farewell = "已退出登录"
	Busy     = "由于目前同一时间过多用户发送消息，消息发送失败，请稍后重试"
	NoClient = "clientId获取失败"
)

// Types of the seed's messages.
const (
	typeText = 1
	typeFile = 2
	typeCall = 3
)

// incoming is a frame from a client.
type incoming struct {
	Type      *int   `json:"type"`
	Content   string `json:"content"`
	URL       string `json:"url"`
	SendID    string `json:"send_id"`
	ReceiveID string `json:"receive_id"`
	FileSize  string `json:"file_size"`
	FileType  string `json:"file_type"`
	FileName  string `json:"file_name"`
	AVData    string `json:"av_data"`
}

// outgoing is a frame to a client.
type outgoing struct {
	SendID     string `json:"send_id"`
	SendName   string `json:"send_name"`
	SendAvatar string `json:"send_avatar"`
	ReceiveID  string `json:"receive_id"`
	Type       int    `json:"type"`
	Content    string `json:"content"`
	URL        string `json:"url"`
	FileType   string `json:"file_type"`
	FileName   string `json:"file_name"`
	FileSize   string `json:"file_size"`
	CreatedAt  string `json:"created_at"`
	AVData     string `json:"av_data,omitempty"`
}

// avData is what the seed packs, as a JSON string, into av_data.
type avData struct {
	MessageID   string          `json:"messageId"`
	Type        string          `json:"type,omitempty"`
	MessageData json.RawMessage `json:"messageData,omitempty"`
}

// Codec is the seed's dialect for one session.
type Codec struct {
	me   chat.UserID
	ref  func() string
	zone *time.Location
}

var _ wire.Codec = Codec{}

// New returns the codec of me's session. ref makes a Ref for each message,
// since the seed's clients have none. zone is that of created_at.
func New(me chat.UserID, ref func() string, zone *time.Location) Codec {
	return Codec{me: me, ref: ref, zone: zone}
}

// Name returns "": the seed's clients ask for no subprotocol.
func (Codec) Name() string { return "" }

// Parse reads one frame.
func (c Codec) Parse(p []byte) ([]wire.Frame, error) {
	if !utf8.Valid(p) {
		return nil, chat.Refuse(chat.Invalid, "the frame is not valid UTF-8")
	}
	var in incoming
	if err := json.Unmarshal(p, &in); err != nil {
		return nil, chat.Refuse(chat.Invalid, "the frame is not JSON of the right form")
	}
	b, err := c.body(in)
	if err != nil {
		return nil, err
	}
	return []wire.Frame{{Ref: c.ref(), Body: b}}, nil
}

func (c Codec) body(in incoming) (wire.Body, error) {
	if in.SendID != "" && in.SendID != string(c.me) {
		return nil, chat.Refuse(chat.Forbidden, "send_id is not who is signed in")
	}
	conv, err := c.conv(in.ReceiveID)
	if err != nil {
		return nil, err
	}
	if in.Type == nil {
		return nil, chat.Refuse(chat.Invalid, "the frame has no type")
	}
	switch *in.Type {
	case 0, typeText:
		return wire.Post{Conv: conv, Content: chat.TextContent(in.Content)}, nil
	case typeFile:
		f := chat.File{URL: in.URL, Name: in.FileName, Type: in.FileType, Size: in.FileSize}
		return wire.Post{Conv: conv, Content: chat.Content{Kind: chat.FileK, File: &f}}, nil
	case typeCall:
		var av avData
		if err := json.Unmarshal([]byte(in.AVData), &av); err != nil {
			return nil, chat.Refuse(chat.Invalid, "av_data is not JSON of the right form")
		}
		return wire.Signal{Conv: conv, Call: chat.Call{ID: av.MessageID, What: av.Type, Data: av.MessageData}}, nil
	}
	return nil, chat.Refuse(chat.Invalid, "unknown type of message")
}

func (c Codec) conv(receive string) (chat.ConvID, error) {
	if u := chat.UserID(receive); u.Valid() && u != c.me {
		return chat.Direct(c.me, u), nil
	}
	if g := chat.ConvID(receive); g.IsGroup() && g.Valid() {
		return g, nil
	}
	return "", chat.Refuse(chat.NotFound, "receive_id is not a person or group")
}

// Append writes a frame for the client. The dialect has words for messages,
// call signals and refusals, and none for the rest. A message reads the same for
// each receiver.
func (c Codec) Append(dst []byte, f wire.Frame) ([]byte, bool, error) {
	var v any
	switch b := f.Body.(type) {
	case wire.Posted:
		out, ok := c.message(b)
		if !ok {
			return dst, false, nil
		}
		v = out
	case wire.Signal:
		out := outgoing{SendID: string(b.From), ReceiveID: receiver(b.Conv, b.From), Type: typeCall, AVData: pack(&b.Call)}
		v = out
	case wire.Refused:
		v = struct {
			Code int    `json:"code"`
			Msg  string `json:"msg"`
		}{Number(b.Code), b.Words}
	default:
		return dst, false, nil
	}
	p, err := json.Marshal(v)
	return append(dst, p...), err == nil, err
}

func (c Codec) message(b wire.Posted) (outgoing, bool) {
	out := outgoing{
		SendID: string(b.Author), SendName: b.By.Name(), SendAvatar: b.By.Avatar, ReceiveID: receiver(b.Conv, b.Author),
		CreatedAt: time.UnixMilli(b.At).In(c.zone).Format(time.DateTime),
	}
	if !b.Content.Whole() {
		return out, false
	}
	switch b.Content.Kind {
	case chat.Text:
		out.Type, out.Content = typeText, b.Content.Text
	case chat.FileK:
		f := b.Content.File
		out.Type, out.URL, out.FileName, out.FileType, out.FileSize = typeFile, f.URL, f.Name, f.Type, f.Size
	case chat.CallK:
		out.Type, out.AVData = typeCall, pack(b.Content.Call)
	default:
		return out, false
	}
	return out, true
}

// receiver is who a message of author in conv goes to, in the seed's words.
func receiver(conv chat.ConvID, author chat.UserID) string {
	if peer, ok := conv.Peer(author); ok {
		return string(peer)
	}
	return string(conv)
}

func pack(c *chat.Call) string {
	p, err := json.Marshal(avData{MessageID: c.ID, Type: c.What, MessageData: c.Data})
	if err != nil {
		return "{}"
	}
	return string(p)
}

// Number is the seed's number for a code.
func Number(c chat.Code) int {
	switch c {
	case chat.Invalid:
		return 400
	case chat.SignedOut:
		return 401
	case chat.Forbidden:
		return 403
	case chat.NotFound:
		return 404
	case chat.TooLong:
		return 413
	case chat.Busy, chat.RateLimited:
		return 429
	}
	return 500
}
