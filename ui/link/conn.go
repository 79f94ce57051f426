package link

import (
	"context"

	"github.com/coder/websocket"
)

// maxRead is the largest WebSocket message taken from the server, in bytes.
const maxRead = 8 << 20

// A conn is a Conn over coder/websocket. How it closes differs in the browser.
type conn struct{ ws *websocket.Conn }

func (c conn) Read(ctx context.Context) ([]byte, error) {
	_, p, err := c.ws.Read(ctx)
	return p, err
}

func (c conn) Write(ctx context.Context, p []byte) error {
	return c.ws.Write(ctx, websocket.MessageText, p)
}
