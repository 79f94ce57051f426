package main

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"kamachat/shared/chat"
	"kamachat/ui/local"
	"kamachat/ui/state"
)

// beginIn is how long the page waits for what was kept before it begins without:
// it is a matter of milliseconds, unless the machine is very busy.
const beginIn = 15 * time.Second

// A browserStore is local.Store by way of static/idb.js.
type browserStore struct{}

func kamaStore() app.Value { return app.Window().Get("kamaStore") }

// ask calls a function of static/idb.js and waits for the text it promises.
func (browserStore) ask(ctx context.Context, name string, args ...any) ([]byte, error) {
	js := kamaStore()
	if !js.Truthy() {
		return nil, local.ErrNone
	}
	v, err := await(ctx, js.Call(name, args...))
	var t *thrown
	switch {
	case errors.As(err, &t) && t.name == "QuotaExceededError":
		return nil, local.ErrFull
	case errors.As(err, &t) && t.name == "NotFoundError":
		return nil, local.ErrLost
	case errors.As(err, &t):
		return nil, errors.Join(local.ErrNone, err)
	case err != nil:
		return nil, err
	}
	if v.Type() != app.TypeString {
		return nil, nil
	}
	return []byte(v.String()), nil
}

func (b browserStore) Begin(ctx context.Context) ([]byte, error) { return b.ask(ctx, "begin") }

func (b browserStore) Adopt(ctx context.Context, who chat.UserID) (us []state.Unsent, err error) {
	p, err := b.ask(ctx, "adopt", string(who))
	if err == nil {
		err = json.Unmarshal(p, &us)
	}
	return us, err
}

func (b browserStore) Pages(ctx context.Context, conv chat.ConvID, page, n int) (pages [][]chat.Message, err error) {
	end := ""
	if page >= 0 {
		end = local.PageName(page)
	}
	p, err := b.ask(ctx, "pages", string(conv), end, n)
	if err == nil {
		err = json.Unmarshal(p, &pages)
	}
	return pages, err
}

func (b browserStore) Search(ctx context.Context, terms []string, most int) (pages [][]chat.Message, err error) {
	want, err := json.Marshal(terms)
	if err != nil {
		return nil, err
	}
	p, err := b.ask(ctx, "search", string(want), most)
	if err == nil {
		err = json.Unmarshal(p, &pages)
	}
	return pages, err
}

func (b browserStore) PageKeys(ctx context.Context) (keys []string, err error) {
	p, err := b.ask(ctx, "keys")
	if err == nil {
		err = json.Unmarshal(p, &keys)
	}
	return keys, err
}

func (b browserStore) Write(ctx context.Context, batch local.Batch) (gone []string, err error) {
	p, err := json.Marshal(batch)
	if err == nil {
		p, err = b.ask(ctx, "write", string(p))
	}
	if err == nil {
		err = json.Unmarshal(p, &gone)
	}
	return gone, err
}

// use says who is signed in. fresh says that this browser was not known to be theirs.
func (b browserStore) use(ctx context.Context, me chat.UserID) (fresh bool, err error) {
	p, err := b.ask(ctx, "use", string(me))
	return string(p) == "new", err
}

func (b browserStore) Wipe(ctx context.Context) error {
	_, err := b.ask(ctx, "wipe")
	return err
}

func (b browserStore) Leave(ctx context.Context) (all bool, err error) {
	p, err := b.ask(ctx, "leave")
	return string(p) == "all", err
}

// begin returns what was kept for me in an epoch, or, without me, for whom this browser
// is, of the one that it is in.
func begin(me chat.UserID, epoch string) (k state.Kept, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), beginIn)
	defer cancel()
	b := browserStore{}
	if me != "" {
		if _, err := b.use(ctx, me); err != nil {
			return k, err
		}
	}
	return local.Load(ctx, b, me, epoch)
}
