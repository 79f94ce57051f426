package link

import (
	"context"

	"github.com/coder/websocket"

	"kamachat/shared/wire"
)

// dialer returns a Dial over the browser's WebSocket, which sends the cookie
// and no headers.
//
// coder/websocket ends a browser socket with close codes that browsers refuse,
// when a context ends: it would stay open. So an attempt is left to the
// browser, which bounds it, and what opens too late is closed here.
func dialer(string) func(context.Context, string) (Conn, error) {
	return func(ctx context.Context, url string) (Conn, error) {
		type result struct {
			ws  *websocket.Conn
			err error
		}
		done := make(chan result, 1)
		go func() {
			ws, _, err := websocket.Dial(context.WithoutCancel(ctx), url, &websocket.DialOptions{Subprotocols: []string{wire.V1.Name()}})
			done <- result{ws, err}
		}()
		select {
		case <-ctx.Done():
			go func() { // ends when the browser has opened the socket or given it up
				if r := <-done; r.err == nil {
					r.ws.Close(websocket.StatusNormalClosure, "")
				}
			}()
			return nil, ctx.Err()
		case r := <-done:
			if r.err != nil {
				return nil, r.err
			}
			r.ws.SetReadLimit(maxRead)
			return conn{r.ws}, nil
		}
	}
}

// Close starts the closing handshake; the browser ends it, or gives up, by itself.
func (c conn) Close(code int, reason string) error {
	go c.ws.Close(websocket.StatusCode(code), reason)
	return nil
}
