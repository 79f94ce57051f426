package account

import "context"

// SendNext sends the code that was asked for first, or fails where none was.
func (s *Service) SendNext(ctx context.Context) error {
	select {
	case j := <-s.factor.sending.queue:
		return s.sendCode(ctx, j)
	default:
		return context.Canceled
	}
}
