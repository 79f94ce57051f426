package files

import (
	"errors"
	"io"
	"os"
	"syscall"
	"testing"
)

func TestFullDiskIsToldInWords(t *testing.T) {
	for err, want := range map[error]error{
		&os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}: noRoom,
		&os.PathError{Op: "write", Path: "x", Err: syscall.EDQUOT}: noRoom,
		io.ErrUnexpectedEOF: io.ErrUnexpectedEOF,
	} {
		if got := full(err); !errors.Is(got, want) {
			t.Errorf("%v is told as %v", err, got)
		}
	}
}
