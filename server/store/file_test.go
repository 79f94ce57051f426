package store_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"kamachat/server/store"
	"kamachat/shared/chat"
)

const plenty = 1 << 40 // bytes a day

var gone = &chat.Refusal{Code: chat.NoFile}

// uploaded is a file of u that has come at a time.
func uploaded(t *testing.T, db *store.DB, u chat.UserID, at int64) chat.Upload {
	t.Helper()
	up := chat.Upload{ID: rand.Text(), Owner: u, Name: "图 1.png", Size: 1000, Width: 40, Height: 30, At: at}
	if err := db.BeginUpload(t.Context(), up, 0, plenty, 100); err != nil {
		t.Fatal(err)
	}
	up.Type, up.Size = "image/png", 7
	if err := db.EndUpload(t.Context(), up); err != nil {
		t.Fatal(err)
	}
	return up
}

// posting is a post of up by an author who lies about it.
func posting(author chat.UserID, conv chat.ConvID, ref string, up chat.Upload) chat.Draft {
	f := chat.File{URL: "/files/" + up.ID + "/evil.html", Name: "evil.html", Type: "text/html", Size: "1", Width: 30_000, Height: 1}
	return chat.Draft{Conv: conv, Author: author, Ref: ref, Content: chat.Content{Kind: chat.FileK, File: &f}}
}

// readers are those of the four who may read a file.
func readers(t *testing.T, db *store.DB, id string) (us []chat.UserID) {
	t.Helper()
	for _, u := range []chat.UserID{ann, bob, cat, dan} {
		switch _, err := db.UploadFor(t.Context(), id, u); {
		case err == nil:
			us = append(us, u)
		case !errors.Is(err, chat.ErrNotFound):
			t.Fatal(err)
		}
	}
	return us
}

func TestFileIsReadByItsOwnerAndWhereItWasPosted(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := withPeople(t, dsn)
		up := uploaded(t, db, ann, 5)
		if got, err := db.UploadFor(t.Context(), up.ID, ann); err != nil || got != up {
			t.Errorf("the owner reads %+v, %v, want %+v", got, err, up)
		}
		// Nobody else can give it out, whoever knows its address.
		rs := appendAll(t, db, posting(bob, group, "r1", up), posting(dan, chat.Direct(dan, bob), "r2", up), text(bob, group, "r3", "beside it"))
		for _, r := range rs[:2] {
			if !errors.Is(r.Err, gone) {
				t.Errorf("posted by another: %+v", r)
			}
		}
		if rs[2].Err != nil || rs[2].Message.Seq != 1 {
			t.Errorf("the text beside it: %+v", rs[2])
		}
		if got := readers(t, db, up.ID); !slices.Equal(got, []chat.UserID{ann}) {
			t.Errorf("before it is posted %v read it", got)
		}
		r := appendAll(t, db, posting(ann, chat.Direct(ann, bob), "r1", up))[0]
		if want := up.File(); r.Err != nil || *r.Message.Content.File != want {
			t.Errorf("posted as %+v, %v, want %+v", r.Message.Content.File, r.Err, want)
		}
		page, err := db.Before(t.Context(), chat.Direct(ann, bob), 0, 10)
		if err != nil || len(page.Entries) != 1 || *page.Entries[0].Content.File != up.File() {
			t.Errorf("the log has %+v, %v", page.Entries, err)
		}
		if got := readers(t, db, up.ID); !slices.Equal(got, []chat.UserID{ann, bob}) {
			t.Errorf("posted to bob, %v read it", got)
		}
		// Who reads it may pass it on; twice to the same place is fine.
		for _, r := range appendAll(t, db, posting(bob, group, "r4", up), posting(bob, group, "r5", up), posting(bob, group, "r4", up)) {
			if r.Err != nil {
				t.Errorf("passed on: %+v", r)
			}
		}
		if got := readers(t, db, up.ID); !slices.Equal(got, []chat.UserID{ann, bob, cat}) {
			t.Errorf("passed on to the group, %v read it", got)
		}
	})
}

// The file of a message that is unsent is gone with it, where nobody posted it elsewhere.
func TestUnsentMessageGivesItsFileUp(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := withPeople(t, dsn)
		up := uploaded(t, db, ann, 1)
		direct := chat.Direct(ann, bob)
		recall := func(author chat.UserID, conv chat.ConvID, ref string, seq int64) chat.Draft {
			return chat.Draft{Conv: conv, Author: author, Ref: ref, Content: chat.Content{Kind: chat.Recall, Of: seq}}
		}
		for _, r := range appendAll(t, db, posting(ann, group, "r1", up), posting(ann, group, "r2", up), posting(ann, direct, "r3", up)) {
			if r.Err != nil {
				t.Fatal(r.Err)
			}
		}
		is := func(what string, want ...chat.UserID) {
			t.Helper()
			if got := readers(t, db, up.ID); !slices.Equal(got, want) {
				t.Errorf("%s %v read it, want %v", what, got, want)
			}
			if stale, err := db.StaleUploads(t.Context(), 0, 10); err != nil || len(stale) > 0 {
				t.Errorf("%s stale are %v, %v", what, stale, err)
			}
		}
		// Another's is not unsent, and neither is one of two.
		rs := appendAll(t, db, recall(bob, group, "x1", 1), recall(ann, group, "x2", 1))
		if rs[0].Err == nil || rs[1].Err != nil {
			t.Errorf("unsent: %+v", rs)
		}
		is("once unsent", ann, bob, cat)
		if r := appendAll(t, db, recall(ann, group, "x3", 2), recall(ann, group, "x4", 2)); r[0].Err != nil {
			t.Error(r[0].Err)
		}
		is("unsent in the group", ann, bob)
		// Posted and unsent at once.
		if r := appendAll(t, db, posting(ann, direct, "r4", up), recall(ann, direct, "x5", 2), recall(ann, direct, "x6", 1)); r[0].Err != nil || r[1].Err != nil || r[2].Err != nil {
			t.Errorf("posted and unsent: %+v", r)
		}
		is("unsent everywhere", ann)
		if stale, err := db.StaleUploads(t.Context(), 10, 10); err != nil || !slices.Equal(stale, []string{up.ID}) {
			t.Errorf("then stale are %v, %v", stale, err)
		}
	})
}

func TestOtherAddressesAreTheSendersOwnAffair(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := withPeople(t, dsn)
		for i, u := range []string{"/static/files/a.pdf", "https://elsewhere.example/a.pdf", "/files/a.pdf"} {
			f := chat.File{URL: u, Name: "a.pdf", Type: "application/pdf", Size: "12 kB"}
			r := appendAll(t, db, chat.Draft{Conv: group, Author: ann, Ref: fmt.Sprint("r", i), Content: chat.Content{Kind: chat.FileK, File: &f}})[0]
			if r.Err != nil || *r.Message.Content.File != f {
				t.Errorf("%s: %+v", u, r)
			}
		}
	})
}

func TestFilesNobodyPostedAreRemoved(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := withPeople(t, dsn)
		posted, left, young := uploaded(t, db, ann, 1), uploaded(t, db, ann, 2), uploaded(t, db, ann, 50)
		half := chat.Upload{ID: rand.Text(), Owner: ann, Size: 1, At: 3}
		if err := db.BeginUpload(t.Context(), half, 0, plenty, 100); err != nil {
			t.Fatal(err)
		}
		if got := readers(t, db, half.ID); len(got) > 0 {
			t.Errorf("half a file is read by %v", got)
		}
		if r := appendAll(t, db, posting(ann, group, "r1", posted), posting(ann, group, "r2", half)); r[0].Err != nil || !errors.Is(r[1].Err, gone) {
			t.Errorf("posting a whole and a half file: %+v", r)
		}
		stale, err := db.StaleUploads(t.Context(), 10, 100)
		slices.Sort(stale)
		want := []string{left.ID, half.ID}
		slices.Sort(want)
		if err != nil || !slices.Equal(stale, want) {
			t.Errorf("stale are %v, %v, want %v", stale, err, want)
		}
		// It can't be had any more, and comes up until it is forgotten.
		if r := appendAll(t, db, posting(ann, group, "r3", left))[0]; !errors.Is(r.Err, gone) || len(readers(t, db, left.ID)) > 0 {
			t.Errorf("a marked file: %+v", r)
		}
		if err := db.EndUpload(t.Context(), half); err == nil {
			t.Error("a marked upload came to its end")
		}
		for _, id := range []string{left.ID, half.ID, posted.ID, young.ID} {
			if err := db.ForgetUpload(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
		if again, err := db.StaleUploads(t.Context(), 10, 100); err != nil || len(again) > 0 {
			t.Errorf("then stale are %v, %v", again, err)
		}
		for _, up := range []chat.Upload{posted, young} {
			if got := readers(t, db, up.ID); !slices.Contains(got, ann) {
				t.Errorf("the file of %d is lost", up.At)
			}
		}
	})
}

// Either it is posted and stays, or it is marked and the post refused.
func TestPostingAndRemovingAtOnce(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := withPeople(t, dsn)
		var wg sync.WaitGroup
		for i := range 20 {
			up := uploaded(t, db, ann, 1)
			var r chat.Receipt
			wg.Go(func() {
				rs, err := db.Append(t.Context(), []chat.Draft{posting(ann, group, fmt.Sprint("r", i), up)})
				if err != nil {
					t.Error(err)
					return
				}
				r = rs[0]
			})
			wg.Go(func() {
				if _, err := db.StaleUploads(t.Context(), 10, 100); err != nil {
					t.Error(err)
				}
			})
			wg.Wait()
			stale, err := db.StaleUploads(t.Context(), 0, 100)
			if err != nil {
				t.Fatal(err)
			}
			if marked := slices.Contains(stale, up.ID); marked != (r.Err != nil) {
				t.Errorf("marked: %v, posted: %+v", marked, r)
			}
			if r.Err == nil && len(readers(t, db, up.ID)) != 3 {
				t.Error("it was posted and can't be read")
			}
		}
	})
}

func TestUploadsOfADayAreBounded(t *testing.T) {
	each(t, func(t *testing.T, dsn string) {
		db := withPeople(t, dsn)
		begin := func(u chat.UserID, size, at, since int64) error {
			return db.BeginUpload(t.Context(), chat.Upload{ID: rand.Text(), Owner: u, Size: size, At: at}, since, 100, 3)
		}
		full := &chat.Refusal{Code: chat.RateLimited}
		for _, c := range []struct {
			who             chat.UserID
			size, at, since int64
			refused         bool
		}{
			{ann, 60, 10, 0, false}, {ann, 41, 11, 0, true}, {ann, 40, 11, 0, false}, {bob, 100, 11, 0, false},
			{ann, 40, 12, 10, false}, {ann, 1, 13, 0, true}, // the first is of the day before; three of one day
			{cat, 0, 1, 0, false}, {cat, 0, 1, 0, false}, {cat, 0, 1, 0, false}, {cat, 0, 1, 0, true},
		} {
			err := begin(c.who, c.size, c.at, c.since)
			if errors.Is(err, full) != c.refused || err != nil && !c.refused {
				t.Errorf("%+v: %v", c, err)
			}
		}
	})
}
