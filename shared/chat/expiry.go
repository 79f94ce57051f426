package chat

// An Expiry says what is no longer kept: entries of Kinds, out of Text, FileK and
// Edit, that were stored at From or later and before Until, Unix milliseconds.
type Expiry struct {
	Kinds       []Kind
	From, Until int64
}
