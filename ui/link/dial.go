//go:build !js

package link

import (
	"context"
	"fmt"
	"net/http"

	"github.com/coder/websocket"

	"kamachat/shared/wire"
)

// dialer returns a Dial over coder/websocket that signs in with token.
func dialer(token string) func(context.Context, string) (Conn, error) {
	return func(ctx context.Context, url string) (Conn, error) {
		h := http.Header{}
		if token != "" {
			h.Set("Authorization", "Bearer "+token)
		}
		ws, resp, err := websocket.Dial(ctx, url, &websocket.DialOptions{
			Subprotocols: []string{wire.V1.Name()}, HTTPHeader: h, CompressionMode: websocket.CompressionDisabled,
		})
		if resp != nil && resp.StatusCode == http.StatusUnauthorized {
			return nil, fmt.Errorf("%w: %w", ErrSignedOut, err)
		}
		if err != nil {
			return nil, err
		}
		ws.SetReadLimit(maxRead)
		return conn{ws}, nil
	}
}

func (c conn) Close(int, string) error { return c.ws.CloseNow() }
