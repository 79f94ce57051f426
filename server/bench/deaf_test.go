package bench

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/coder/websocket"

	"kamachat/shared/wire"
)

// One who waits for its welcome in vain is told so: by a server that goes away
// behind the handshake, and by the end of the run where the server says nothing.
func TestDeafDoesNotWaitForEver(t *testing.T) {
	for name, goes := range map[string]bool{"the server goes": true, "the run ends": false} {
		t.Run(name, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{wire.V1.Name()}})
				if err != nil {
					return
				}
				defer ws.CloseNow()
				_, _, _ = ws.Read(ctx) // hello
				if goes {
					return
				}
				stop()
				_, _, _ = ws.Read(context.Background()) // until the client goes
			}))
			defer server.Close()
			d := &deaf{run: &run{Config: Config{URL: server.URL}}}
			s, err := d.come(ctx)
			if s != nil || err == nil || errors.Is(err, context.Canceled) == goes {
				t.Errorf("got %v, %v", s, err)
			}
		})
	}
}
