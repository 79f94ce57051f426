// Package local is what the browser keeps over a reload and without a network:
// a replica of the person's conversations, what they are writing, and the posts
// that wait. Keeper decides what to write; a Store writes it. In the browser
// the Store is IndexedDB, by way of static/idb.js.
//
// All is in one table of records by key:
//
//	me                     {"v": 1, "me": person, "whole": bool, "epoch": of the server's database}
//	c/CONV                 state.Line
//	d/CONV                 the draft, a JSON string
//	o/REF                  {"tab": who sends it, "u": state.Unsent}
//	p/CONV/PAGE            the entries with Seq PAGE·50+1 to PAGE·50+50 that are known, in rising order
//	u/USER                 chat.Person
//
// PAGE has eight hexadecimal digits, so that keys sort as entries do.
package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"kamachat/shared/chat"
	"kamachat/ui/state"
)

// Version is of the form of the records, and rises. Records of another version
// are not read, but removed: only posts and drafts, whose form does not change, stay.
const Version = 1

// PageSize is how many entries one record holds at most.
const PageSize = 50

var (
	// ErrNone says that this browser keeps nothing.
	ErrNone = errors.New("nothing can be kept here")
	// ErrFull says that there is no room for what was to be written.
	ErrFull = errors.New("no room is left")
	// ErrLost says that what was there before is not there any more, and that
	// nothing was written: all has to be written again.
	ErrLost = errors.New("what was kept is lost")
)

// A Record is one record to write.
type Record struct {
	Key   string `json:"k"`
	Value string `json:"v"`           // JSON
	Merge bool   `json:"m,omitempty"` // a page: entries to be added to those there
}

// A Batch is written in one transaction: all of it or nothing.
type Batch struct {
	Who   chat.UserID `json:"who,omitempty"` // whose it is: written for nobody else
	V     int         `json:"v,omitempty"`   // of which Version; 0: of none, it only deletes
	Epoch string      `json:"epoch,omitempty"`
	Turns bool        `json:"turns,omitempty"` // the server has said that it is in Epoch: records of another go
	// Gone, where it is there, is done to the entries of all pages afterwards.
	Gone   *chat.Expired `json:"gone,omitempty"`
	Put    []Record      `json:"put"`
	Delete []string      `json:"del"`
}

// Own returns what the person wrote of b, and who that is.
func (b Batch) Own() (o Batch) {
	o.Who, o.V, o.Epoch, o.Turns = b.Who, b.V, b.Epoch, b.Turns
	for _, r := range b.Put {
		if own(r.Key) {
			o.Put = append(o.Put, r)
		}
	}
	for _, key := range b.Delete {
		if own(key) {
			o.Delete = append(o.Delete, key)
		}
	}
	return o
}

func own(key string) bool {
	return key == "me" || strings.HasPrefix(key, "o/") || strings.HasPrefix(key, "d/")
}

// pages returns the keys of the pages in b.
func (b Batch) pages() (keys []string) {
	for _, r := range b.Put {
		if r.Merge {
			keys = append(keys, r.Key)
		}
	}
	return keys
}

// without returns b without the pages named by keys.
func (b Batch) without(keys []string) Batch {
	b.Put = slices.DeleteFunc(slices.Clone(b.Put), func(r Record) bool { return slices.Contains(keys, r.Key) })
	return b
}

// Empty reports whether there is nothing to write.
func (b Batch) Empty() bool { return len(b.Put) == 0 && len(b.Delete) == 0 && b.Gone == nil }

// A Store keeps records. Errors are ErrNone, ErrFull, or of the browser.
type Store interface {
	// Begin returns all but the pages, as state.Kept in JSON, with the version
	// as "v" and whose it is as "who"; of the posts it takes those over that
	// nobody else sends.
	Begin(ctx context.Context) ([]byte, error)
	// Adopt takes the posts of others who are gone over, and returns all that
	// this page sends: also those of an Adopt before whose answer was lost. It
	// is an error where the records are not who's.
	Adopt(ctx context.Context, who chat.UserID) ([]state.Unsent, error)
	// Pages returns the values of the last n records of the pages of conv up to page.
	Pages(ctx context.Context, conv chat.ConvID, page, n int) ([][]chat.Message, error)
	// Search returns pages that may hold entries in whose texts all terms occur,
	// at most so many.
	Search(ctx context.Context, terms []string, most int) ([][]chat.Message, error)
	// PageKeys returns the keys of all pages.
	PageKeys(ctx context.Context) ([]string, error)
	// Write writes b. Where there are records of an older Version, or none at
	// all, all but posts and drafts are removed first, if b has "me" in it, and
	// else it is ErrLost. So are records of another Epoch, where b turns them. Where
	// they are of a newer Version, or it does not, only posts and drafts are written. gone are the keys of pages that others have removed since
	// the last Write.
	Write(ctx context.Context, b Batch) (gone []string, err error)
	// Wipe forgets everything of this account.
	Wipe(ctx context.Context) error
	// Leave does so unless posts wait. all says that nothing is left.
	Leave(ctx context.Context) (all bool, err error)
}

// Load returns what s has of who in an epoch, or, where who is "", of whom this browser
// is in the one that it is in.
// It is an error where the browser is somebody else's by now. Records of another
// Version are removed; where that fails k is good all the same.
func Load(ctx context.Context, s Store, who chat.UserID, epoch string) (k state.Kept, err error) {
	p, err := s.Begin(ctx)
	if err != nil || len(p) == 0 {
		return k, err
	}
	k, same, err := parse(p, epoch)
	switch {
	case err != nil:
		return k, err
	case who != "" && k.Me.ID != who:
		return state.Kept{}, fmt.Errorf("%w: it is of %s, not of %s", ErrNone, k.Me.ID, who)
	case !same:
		_, err = s.Write(ctx, Batch{Who: k.Me.ID, V: Version, Epoch: epoch, Turns: true, Put: []Record{me(k.Me, false, epoch)}})
	}
	return k, err
}

// me is the record by which a page knows whose the others are, and of which Version
// and epoch.
func me(p chat.Person, whole bool, epoch string) Record {
	v, _ := json.Marshal(struct {
		V     int         `json:"v"`
		Me    chat.Person `json:"me"`
		Whole bool        `json:"whole"`
		Epoch string      `json:"epoch,omitempty"`
	}{Version, p, whole, epoch})
	return Record{Key: "me", Value: string(v)}
}

// parse reads what Store.Begin returned. same says that it is of this Version, and
// of the epoch where one is said; else only what the person wrote is read. Whose it is is known in any case:
// nobody else may send it.
func parse(p []byte, epoch string) (k state.Kept, same bool, err error) {
	var v struct {
		V   int         `json:"v"`
		Who chat.UserID `json:"who"`
		state.Kept
	}
	err = json.Unmarshal(p, &v)
	k, same = v.Kept, v.V == Version && (epoch == "" || v.Epoch == epoch)
	if !same { // the rest may have any form
		var own struct {
			Who    chat.UserID            `json:"who"`
			Drafts map[chat.ConvID]string `json:"drafts"`
			Unsent []state.Unsent         `json:"unsent"`
		}
		err = json.Unmarshal(p, &own)
		k, v.Who = state.Kept{Epoch: epoch, Drafts: own.Drafts, Unsent: own.Unsent}, own.Who
	}
	if err != nil {
		return state.Kept{}, false, fmt.Errorf("read what was kept: %w", err)
	}
	if k.Me.ID != v.Who {
		k.Me = chat.Person{ID: v.Who}
	}
	Order(k.Unsent)
	return k, same, nil
}

// Order puts posts into the order in which they were written.
func Order(us []state.Unsent) {
	for i := range us { // there are few, and a sort of their own would make the program larger
		for j := i; j > 0 && (us[j].N < us[j-1].N || us[j].N == us[j-1].N && us[j].Ref < us[j-1].Ref); j-- {
			us[j], us[j-1] = us[j-1], us[j]
		}
	}
}

// PageOf returns the number of the page that holds seq.
func PageOf(seq int64) int { return int((seq - 1) / PageSize) }

// PageName is the last part of the key of a page.
func PageName(page int) string { return fmt.Sprintf("%08x", page) }

func pageKey(conv chat.ConvID, page int) string { return "p/" + string(conv) + "/" + PageName(page) }

// splitPage is the reverse of pageKey.
func splitPage(key string) (conv chat.ConvID, page int64, ok bool) {
	rest, ok := strings.CutPrefix(key, "p/")
	id, hex, found := strings.Cut(rest, "/")
	page, err := strconv.ParseInt(hex, 16, 64)
	return chat.ConvID(id), page, ok && found && err == nil
}

// Before returns, of pages in rising order, the run of entries without a gap
// that ends right before seq; seq 0 means at the newest entry.
func Before(pages [][]chat.Message, seq int64) []chat.Message {
	var es []chat.Message
	for _, p := range pages {
		es = append(es, p...)
	}
	if seq > 0 {
		n := len(es)
		for n > 0 && es[n-1].Seq >= seq {
			n--
		}
		es = es[:n]
		if n == 0 || es[n-1].Seq != seq-1 {
			return nil
		}
	}
	from := len(es)
	for from > 0 && (from == len(es) || es[from-1].Seq == es[from].Seq-1) {
		from--
	}
	return es[from:]
}

// around returns the run of entries without a gap that has seq in it.
func around(pages [][]chat.Message, seq int64) []chat.Message {
	var es []chat.Message
	for _, p := range pages {
		es = append(es, p...)
	}
	for at, m := range es {
		if m.Seq != seq {
			continue
		}
		from, to := at, at+1
		for from > 0 && es[from-1].Seq == es[from].Seq-1 {
			from--
		}
		for to < len(es) && es[to].Seq == es[to-1].Seq+1 {
			to++
		}
		return es[from:to]
	}
	return nil
}
