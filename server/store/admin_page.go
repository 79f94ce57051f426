package store

import (
	"encoding/base64"
	"encoding/json"

	"github.com/uptrace/bun"

	"kamachat/shared/chat"
)

// A place is where a page of a list ended: the list goes on behind it. Lists that
// change meanwhile lose and repeat nothing else than what moved.
type place struct {
	Part int    `json:"p,omitempty"` // of a list that comes from several indexes
	Num  int64  `json:"n,omitempty"`
	Key  string `json:"k,omitempty"`
	ID   string `json:"i"`
}

// String is the place as clients carry it.
func (p place) String() string {
	b, _ := json.Marshal(p) // can't fail
	return base64.RawURLEncoding.EncodeToString(b)
}

// placeOf reads what String made; empty is the beginning, nil.
func placeOf(s string) (*place, error) {
	if s == "" {
		return nil, nil
	}
	var p place
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err == nil {
		err = json.Unmarshal(b, &p)
	}
	if err != nil || len(b) > 1000 || !storable(p.Key+p.ID) {
		return nil, chat.Refuse(chat.Invalid, "there is no such place in the list")
	}
	return &p, nil
}

// A run is an order that an index has: by col and then by id. behind is where the
// page begins, nil for the beginning.
type run struct {
	col    string // "" where the order is by id alone
	one    bool   // each value of col is there once: there is no order by id
	desc   bool
	index  string // of col and id; "" where it has few equal values, or few rows are wanted
	behind *place
	num    bool // col holds numbers: place.Num
}

// readRun reads at most limit rows of r. base makes the question without order and
// place; it is asked twice, since neither database walks an index from the middle
// of equal values in one.
func (d *DB) readRun(r run, base func() *bun.SelectQuery, limit int, into func(q *bun.SelectQuery) (rows int, err error)) error {
	way, beyond := " ASC", " > ?"
	if r.desc {
		way, beyond = " DESC", " < ?"
	}
	id, col := bun.Ident("id"), bun.Ident(r.col)
	order := func(q *bun.SelectQuery) *bun.SelectQuery {
		if r.col != "" {
			q = q.OrderExpr("?"+way, col)
		}
		if !r.one {
			q = q.OrderExpr("?"+way, id)
		}
		return q.Limit(int64(limit))
	}
	if r.behind == nil {
		_, err := into(order(base()))
		return err
	}
	if r.col == "" {
		_, err := into(order(base().Where("?"+beyond, id, r.behind.ID)))
		return err
	}
	var at any = r.behind.Key
	if r.num {
		at = r.behind.Num
	}
	if !r.one {
		equal := base().Where("? = ?", col, at).Where("?"+beyond, id, r.behind.ID)
		if d.mysql && r.index != "" { // left alone, MariaDB walks through all that are equal and before
			equal = equal.ForceIndex(r.index)
		}
		n, err := into(order(equal))
		if err != nil || n >= limit {
			return err
		}
		limit -= n
	}
	_, err := into(order(base().Where("?"+beyond, col, at)))
	return err
}
