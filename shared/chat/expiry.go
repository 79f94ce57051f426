package chat

// An Expiry says what is no longer kept: entries of Kinds, out of Text, FileK and
// Edit, that were stored at From or later and before Until, Unix milliseconds.
type Expiry struct {
	Kinds       []Kind
	From, Until int64
}

// Expired says what a server keeps no longer, whoever has a copy of it: messages that were
// stored before one time, and messages with files that were before another, both in Unix
// milliseconds.
type Expired struct {
	Messages int64 `json:"messages,omitempty"`
	Files    int64 `json:"files,omitempty"`
}

// Apply makes of m, a copy of an entry, what the server has left of it, and
// reports whether that changed it.
func (x Expired) Apply(m *Message) bool {
	switch c := m.Content; {
	case c.Kind == Edit && m.At < x.Messages && c.Text != "":
		m.Content.Text = ""
	case c.Kind.amendable() && (m.At < x.Messages || c.Kind == FileK && m.At < x.Files):
		m.Content = Lapsed(m.Seq)
	default:
		return false
	}
	return true
}

// Lapsed is what is left of the entry seq that a server keeps no longer.
func Lapsed(seq int64) Content {
	return Content{Kind: Gone, Fate: &Fate{Recalled: seq, To: seq, Expired: true}}
}
