package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"kamachat/server/account"
	"kamachat/server/config"
	"kamachat/server/session"
	"kamachat/shared/chat"
)

// codeSender sends codes to phones as --codes says, or is nil.
func codeSender(cfg config.Config, log *slog.Logger) account.CodeSender {
	switch cfg.Codes {
	case "off", "":
		return nil
	case "log":
		log.Warn("codes that are for phones go to this log: whoever reads it can sign in as others (--codes log is for development)")
		return logSender{log}
	}
	return webhookSender{cfg.Codes, &http.Client{
		Timeout: 10 * time.Second,
		// A code goes nowhere but where the operator said.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// logSender writes codes into the log. For development alone.
type logSender struct{ log *slog.Logger }

func (s logSender) SendCode(_ context.Context, phone, code string) error {
	s.log.Info("code for a phone", "phone", phone, "code", code)
	return nil
}

// webhookSender has another program send codes: POST url {"phone":…,"code":…},
// which answers with a status of 200 to 299.
type webhookSender struct {
	url    string
	client *http.Client
}

func (s webhookSender) SendCode(ctx context.Context, phone, code string) error {
	body, err := json.Marshal(map[string]any{"phone": phone, "code": code, "minutes": 5})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return errWebhook("its address can't be used")
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := s.client.Do(req)
	if err != nil {
		return errWebhook("it can't be reached")
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection can be used again
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return errWebhook(fmt.Sprint("it answered ", res.StatusCode))
	}
	return nil
}

// errWebhook says what is wrong with the webhook. Its address, which may hold a
// password, is left out.
func errWebhook(why string) error { return fmt.Errorf("the webhook of --codes: %s", why) }

// seenBy notes for people which sign-ins have live sockets, on the way of finding
// out whether they last.
func seenBy(people *account.Service, lasting session.Rights) session.Rights {
	return func(ctx context.Context, logins []string, us []chat.UserID) (map[string]bool, map[chat.UserID]bool, error) {
		in, able, err := lasting(ctx, logins, us)
		people.SawLogins(in)
		return in, able, err
	}
}
