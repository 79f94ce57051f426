package e2e

import (
	"fmt"
	"testing"
)

// TestWhoAsksShowsAtOnce: in the open program, on the other of two devices as well,
// and goes when somebody answers.
func TestWhoAsksShowsAtOnce(t *testing.T) {
	s := newServer(t, "--push", "off")
	mei, zhe, yu := join(t, s, "linmei", "Lin Mei"), join(t, s, "azhe", "Azhe"), join(t, s, "xiaoyu", "Xiao Yu")
	conv := mei.group("Weekend hike", zhe)
	mei.call("PATCH", "/api/v1/groups/"+string(conv), map[string]any{"joining": "approval"}, nil)
	p, other := browse(t, s, 1280, 800).as(mei), browse(t, s, 412, 900).as(mei)
	for _, x := range []*page{p, other} {
		x.goTo("/c/" + string(conv))
		x.live()
		x.until(`document.querySelector("#asks") && !document.querySelector("#offers .offer")`)
	}
	p.click(".acts button")
	p.until(`document.querySelector("#joins") && !document.querySelector("#joins .bd")`)

	zhe.call("PUT", "/api/v1/requests/"+string(mei.ID), map[string]any{"message": "It's me."}, nil)
	for _, x := range []*page{p, other} {
		x.until(`document.querySelector("#offers a[href='/contacts']") && document.querySelector("#asks .bd")?.textContent == "1"`)
	}
	yu.call("POST", "/api/v1/groups/"+string(conv)+"/join", map[string]any{"message": "Me, too"}, nil)
	to := fmt.Sprintf(`document.querySelector("#offers a[href='/g/%s/requests']")`, conv)
	for _, x := range []*page{p, other} {
		x.until(to)
	}
	p.until(`document.querySelector("#joins .bd")?.textContent == "1"`)
	p.shot("asks")
	other.shot("asks-phone")

	mei.call("POST", "/api/v1/groups/"+string(conv)+"/requests/"+string(yu.ID)+"/accept", nil, nil)
	mei.call("POST", "/api/v1/requests/"+string(zhe.ID)+"/accept", nil, nil)
	for _, x := range []*page{p, other} {
		x.until(`!document.querySelector("#offers .offer") && !document.querySelector("#asks .bd, #joins .bd")`)
	}
	p.quiet()
	other.quiet()
}
