package board

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"kamachat/shared/chat"
)

// Bounds of an invitation.
const (
	MaxNote = 100   // runes
	MaxMost = 10000 // accounts
	MaxDays = 366
)

// Invitations returns the invitations there are, the newest first.
func (s *Service) Invitations(ctx context.Context) ([]chat.Invitation, error) {
	return s.Store.Invitations(ctx)
}

// Invite makes a link for most accounts, 0 for any number, that ends after days,
// 0 for never.
func (s *Service) Invite(ctx context.Context, by chat.Deed, note string, most, days int) (chat.Invitation, error) {
	note = strings.TrimSpace(note)
	switch {
	case !utf8.ValidString(note) || strings.ContainsFunc(note, unicode.IsControl):
		return chat.Invitation{}, chat.Refuse(chat.Invalid, "the note has characters that can't be shown")
	case utf8.RuneCountInString(note) > MaxNote:
		return chat.Invitation{}, chat.Refuse(chat.TooLong, "a note has at most 100 characters")
	case most < 0 || most > MaxMost || days < 0 || days > MaxDays:
		return chat.Invitation{}, chat.Refuse(chat.Invalid, "an invitation is for at most 10,000 accounts and 366 days")
	}
	now := s.Now()
	i := chat.Invitation{Code: rand.Text(), By: by.By, Note: note, Most: most, CreatedAt: now.UnixMilli()}
	if days > 0 {
		i.ExpiresAt = now.Add(time.Duration(days) * 24 * time.Hour).UnixMilli()
	}
	by.What, by.Target, by.Detail = chat.ActInvite, hint(i.Code), note
	if err := s.Store.AddInvitation(ctx, by, i); err != nil {
		return chat.Invitation{}, fmt.Errorf("invite: %w", err)
	}
	return i, nil
}

// Uninvite ends an invitation.
func (s *Service) Uninvite(ctx context.Context, by chat.Deed, code string) error {
	by.What, by.Target = chat.ActUninvite, hint(code)
	return s.Store.DeleteInvitation(ctx, by, code)
}

// hint is what the audit log tells of a code: not enough to use it.
func hint(code string) string { return code[:min(len(code), 6)] + "…" }
