package account

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"kamachat/shared/chat"
)

// Bots keeps bots: accounts of programs, each of a person.
type Bots interface {
	// AddBot stores a bot of by, who has at most most of them, or answers chat.Taken or chat.Full.
	AddBot(ctx context.Context, p chat.Person, by chat.UserID, most int, at int64) error
	// BotsOf returns the bots of by that are in use, by username.
	BotsOf(ctx context.Context, by chat.UserID) ([]chat.Person, error)
	// EndBot disables a bot for good and forgets its tokens.
	EndBot(ctx context.Context, bot chat.UserID) error
	// AddBotToken stores a token of a bot, which has at most most of them, or answers chat.Full.
	AddBotToken(ctx context.Context, bot chat.UserID, t chat.Token, most int) error
	// BotTokens returns the tokens of a bot, oldest first.
	BotTokens(ctx context.Context, bot chat.UserID) ([]chat.Token, error)
	// DeleteBotToken forgets a token of a bot; one that is not there is fine.
	DeleteBotToken(ctx context.Context, bot chat.UserID, id string) error
}

// MakeBot makes a bot of by. Bots have no password: they act by their tokens.
// chat.Forbidden where by is a bot itself.
func (s *Service) MakeBot(ctx context.Context, by chat.Person, username, nickname string) (chat.Person, error) {
	return s.makeBot(ctx, by, username, nickname, false)
}

// MakeHookBot makes the bot of an incoming webhook, which has a username of its own
// and no tokens.
func (s *Service) MakeHookBot(ctx context.Context, by chat.Person, nickname string) (chat.Person, error) {
	return s.makeBot(ctx, by, "hook-"+strings.ToLower(rand.Text()[:12]), nickname, true)
}

func (s *Service) makeBot(ctx context.Context, by chat.Person, username, nickname string, hook bool) (chat.Person, error) {
	if by.Bot {
		return chat.Person{}, chat.Refuse(chat.Forbidden, "a bot has no bots")
	}
	p, err := s.named(username, nickname)
	if err != nil {
		return p, err
	}
	p.Bot, p.BotOf, p.Hook = true, by.ID, hook
	if err := s.store.AddBot(ctx, p, by.ID, chat.MaxBots, s.now().UnixMilli()); err != nil {
		return chat.Person{}, fmt.Errorf("make bot: %w", err)
	}
	s.log.Info("bot made", "user", by.ID, "bot", p.ID)
	return p, nil
}

// Bots returns the bots of by that are in use.
func (s *Service) Bots(ctx context.Context, by chat.UserID) ([]chat.Person, error) {
	return s.store.BotsOf(ctx, by)
}

// bot returns a bot of by, or chat.ErrNotFound.
func (s *Service) bot(ctx context.Context, by, id chat.UserID) (chat.Person, error) {
	p, err := s.Person(ctx, id)
	if err == nil && (p.BotOf != by || p.Disabled) {
		err = chat.Refuse(chat.NotFound, "no such bot")
	}
	return p, err
}

// EndBot ends a bot of by for good. What it said stays.
func (s *Service) EndBot(ctx context.Context, by, id chat.UserID) error {
	if _, err := s.bot(ctx, by, id); err != nil {
		return err
	}
	return s.store.EndBot(ctx, id)
}

// MakeToken makes a token of a bot of by, bound to some of chat.Scopes. The token
// itself is returned this once; only its SHA-256 is stored.
func (s *Service) MakeToken(ctx context.Context, by, id chat.UserID, name string, scopes []string) (string, chat.Token, error) {
	b, err := s.bot(ctx, by, id)
	if err != nil {
		return "", chat.Token{}, err
	}
	if b.Hook { // it is a member of a group, where its maker may be no longer
		return "", chat.Token{}, chat.Refuse(chat.Forbidden, "the bot of a webhook has no tokens")
	}
	name = strings.TrimSpace(name)
	if name != "" && checkNickname(name) != nil || utf8.RuneCountInString(name) > chat.MaxTokenTag {
		return "", chat.Token{}, chat.Refuse(chat.Invalid, "a token's name has at most 64 characters")
	}
	if len(scopes) == 0 || slices.ContainsFunc(scopes, func(sc string) bool { return !slices.Contains(chat.Scopes, sc) }) {
		return "", chat.Token{}, chat.Refuse(chat.Invalid, "a token is bound to some of the scopes that there are")
	}
	slices.Sort(scopes)
	secret := newSecret()
	t := chat.Token{ID: digest(secret), Name: name, Scopes: slices.Compact(scopes), At: s.now().UnixMilli()}
	if err := s.store.AddBotToken(ctx, id, t, chat.MaxTokens); err != nil {
		return "", chat.Token{}, fmt.Errorf("make token: %w", err)
	}
	return secret, t, nil
}

// Tokens returns the tokens of a bot of by.
func (s *Service) Tokens(ctx context.Context, by, id chat.UserID) ([]chat.Token, error) {
	if _, err := s.bot(ctx, by, id); err != nil {
		return nil, err
	}
	return s.store.BotTokens(ctx, id)
}

// EndToken forgets a token of a bot of by; one that is not there is fine.
func (s *Service) EndToken(ctx context.Context, by, id chat.UserID, token string) error {
	if _, err := s.bot(ctx, by, id); err != nil {
		return err
	}
	return s.store.DeleteBotToken(ctx, id, token)
}

// mayAct answers chat.SignedOut for a bot whose owner may not be here any more.
func (s *Service) mayAct(ctx context.Context, p chat.Person) error {
	if !p.Bot {
		return nil
	}
	owner, err := s.Person(ctx, p.BotOf)
	if err == nil && owner.Disabled {
		err = chat.ErrNotFound
	}
	if chat.AsRefusal(err).Code == chat.NotFound && err != nil {
		return chat.Refuse(chat.SignedOut, "the token is not valid")
	}
	return err
}
