//go:build !js

package link

import (
	"context"
	"fmt"
	"net/http"

	"github.com/coder/websocket"

	"kamachat/shared/wire"
)

// maxRead is the largest WebSocket message taken from the server, in bytes.
const maxRead = 8 << 20

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

// A conn is a Conn over coder/websocket.
type conn struct{ ws *websocket.Conn }

func (c conn) Read(ctx context.Context) ([]byte, error) {
	_, p, err := c.ws.Read(ctx)
	return p, err
}

func (c conn) Write(ctx context.Context, p []byte) error {
	return c.ws.Write(ctx, websocket.MessageText, p)
}

func (c conn) Close(int, string) error { return c.ws.CloseNow() }
