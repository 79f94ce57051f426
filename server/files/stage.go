package files

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"

	"kamachat/shared/chat"
)

// staged is where a restore keeps files until their database is there. The file
// stagedNames in it says which of them may have got their places already.
const (
	staged      = "restoring"
	stagedNames = staged + "/names"
)

// Stage keeps all of r beside the files, for Settle.
func (f *Folder) Stage(id string, r io.Reader) error {
	if !chat.ValidUpload(id) {
		return fmt.Errorf("%q is no id of a file", id)
	}
	if err := f.root.MkdirAll(staged, 0o700); err != nil {
		return err
	}
	w, err := f.root.OpenFile(staged+"/"+id, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	if err == nil {
		err = w.Sync()
	}
	return errors.Join(err, w.Close())
}

// Settle puts what was staged under ids in its place. Unsettled tells of them from then on.
func (f *Folder) Settle(ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	w, err := f.root.OpenFile(stagedNames, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err == nil {
			_, err = fmt.Fprintln(w, id)
		}
	}
	if err == nil {
		err = w.Sync()
	}
	if err := errors.Join(err, w.Close()); err != nil {
		return err
	}
	f.sync(staged)
	for _, id := range ids {
		if err := f.settle(id, staged+"/"+id); err != nil {
			return err
		}
	}
	return nil
}

// Unsettled returns the ids that a Settle, after which Unstage was not called,
// had begun to put in their places.
func (f *Folder) Unsettled() ([]string, error) {
	r, err := f.root.Open(stagedNames)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var ids []string
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		if id := lines.Text(); chat.ValidUpload(id) { // cut short where nothing was put in place
			ids = append(ids, id)
		}
	}
	return ids, lines.Err()
}

// Unstage removes what is staged, and what Unsettled tells.
func (f *Folder) Unstage() error { return f.root.RemoveAll(staged) }

// IDs yields what is kept, in no order, until there is an error.
func (f *Folder) IDs() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		dirs, err := fs.ReadDir(f.root.FS(), ".")
		if err != nil {
			yield("", err)
			return
		}
		for _, d := range dirs {
			if !d.IsDir() || len(d.Name()) != 2 {
				continue
			}
			there, err := fs.ReadDir(f.root.FS(), d.Name())
			if err != nil {
				yield("", err)
				return
			}
			for _, e := range there {
				if !chat.ValidUpload(e.Name()) || e.Name()[:2] != d.Name() {
					continue
				}
				if !yield(e.Name(), nil) {
					return
				}
			}
		}
	}
}
