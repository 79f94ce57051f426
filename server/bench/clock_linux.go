package bench

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"time"
	"unsafe"
)

// newTicker returns a ticker by the kernel's clock. Go's own timers, in an idle
// program, are up to 1 ms late (epoll_wait counts in whole milliseconds), which
// is as much as a good server takes to answer.
func newTicker(every time.Duration) (*ticker, error) {
	const clockMonotonic = 1
	fd, _, no := syscall.Syscall(syscall.SYS_TIMERFD_CREATE, clockMonotonic, syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if no != 0 {
		return nil, fmt.Errorf("make a timer: %w", no)
	}
	step := syscall.NsecToTimespec(int64(max(every, 1)))
	spec := [2]syscall.Timespec{step, step} // interval and first
	if _, _, no := syscall.Syscall6(syscall.SYS_TIMERFD_SETTIME, fd, 0, uintptr(unsafe.Pointer(&spec)), 0, 0, 0); no != 0 {
		syscall.Close(int(fd))
		return nil, fmt.Errorf("set a timer: %w", no)
	}
	return &ticker{os.NewFile(fd, "timer")}, nil
}

type ticker struct{ file *os.File }

// wait returns at the next tick, or false when ctx has ended. Ticks that nobody
// waited for are one.
func (t *ticker) wait(ctx context.Context) bool {
	var count [8]byte
	_, err := t.file.Read(count[:])
	return err == nil && ctx.Err() == nil
}

func (t *ticker) stop() { t.file.Close() }
