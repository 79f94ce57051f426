package admin

import (
	"context"

	"kamachat/shared/chat"
	"kamachat/shared/wire"
)

// Leave deletes the account of who, who asks for it: as DeleteAccount does, and
// noted likewise. The last administrator's is refused.
func (s *Service) Leave(ctx context.Context, who Who, erase bool) error {
	by := who.deed(chat.ActDelete, who.Name)
	if erase {
		by.Detail += " (with messages)"
	}
	if err := s.Store.DeleteAccount(ctx, by, who.ID, erase); err != nil {
		return err
	}
	s.Log.Info("left", "user", who.ID, "from", who.Addr)
	if erase {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
	if s.Sockets != nil {
		if err := s.Sockets.CloseUser(ctx, who.ID, wire.ByeSignedOut); err != nil {
			s.Log.Warn("sockets were not closed, they end when their rights are looked up", "user", who.ID, "err", err)
		}
	}
	s.leaveNow(ctx)
	return nil
}
