package files

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"kamachat/shared/chat"
)

// A Folder keeps bytes under ids, on one disk, or on one that several nodes
// mount. Ids are made here (chat.ValidUpload): no name of a client's ever
// becomes a path. Its methods are safe for concurrent use.
type Folder struct{ root *os.Root }

// arriving is where bytes are until all of them are there.
const arriving = "arriving"

// OpenFolder returns the folder at dir, which it makes where there is none.
func OpenFolder(dir string) (*Folder, error) {
	if err := os.MkdirAll(filepath.Join(dir, arriving), 0o700); err != nil {
		return nil, fmt.Errorf("folder for files: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("folder for files: %w", err)
	}
	return &Folder{root}, nil
}

// Close gives the folder up.
func (f *Folder) Close() error { return f.root.Close() }

// place is where the bytes of id are: in one of 1,024 folders, so that none gets too full.
func place(id string) (dir, path string) { return id[:2], id[:2] + "/" + id }

// Put keeps all of r under id, or nothing: after a nil error it is on the disk,
// whatever happens to the machine. It returns how many bytes that are. What
// the disk has no room for is refused as chat.Full; an error of r comes back as it is.
func (f *Folder) Put(id string, r io.Reader) (n int64, err error) {
	if !chat.ValidUpload(id) {
		return 0, fmt.Errorf("%q is no id of a file", id)
	}
	part := arriving + "/" + id
	w, err := f.root.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, full(err)
	}
	src := &source{r: r}
	n, err = io.Copy(w, src)
	if err == nil {
		err = w.Sync()
	}
	err = errors.Join(err, w.Close())
	if err == nil {
		err = f.settle(id, part)
	}
	if err == nil {
		return n, nil
	}
	_ = f.root.Remove(part)
	if src.err != nil {
		return 0, src.err
	}
	return 0, full(err)
}

// settle moves a part to where it stays.
func (f *Folder) settle(id, part string) error {
	dir, path := place(id)
	if err := f.root.Mkdir(dir, 0o700); err == nil {
		f.sync(".")
	} else if !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := f.root.Rename(part, path); err != nil {
		return err
	}
	f.sync(dir)
	return nil
}

// sync writes a folder's names to the disk. Not all systems can or need to.
func (f *Folder) sync(dir string) {
	if d, err := f.root.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}

// Open returns the bytes kept under id.
func (f *Folder) Open(id string) (io.ReadSeekCloser, error) {
	if !chat.ValidUpload(id) {
		return nil, fmt.Errorf("%q is no id of a file", id)
	}
	_, path := place(id)
	return f.root.Open(path)
}

// Remove removes what is kept under id, and what has come of it so far. None is fine.
func (f *Folder) Remove(id string) error {
	if !chat.ValidUpload(id) {
		return fmt.Errorf("%q is no id of a file", id)
	}
	_, path := place(id)
	for _, p := range []string{path, arriving + "/" + id} {
		if err := f.root.Remove(p); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// A source remembers what is wrong with a reader, as opposed to the disk.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// full makes of an error that says that the disk is full one that people may be told.
func full(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return noRoom
	}
	return err
}

var noRoom = chat.Refuse(chat.Full, "the server has no room for files")
