package redis_test

import (
	"fmt"
	"testing"

	"kamachat/server/redis"
	"kamachat/server/room"
	"kamachat/server/room/roomtest"
	"kamachat/server/servicetest"
)

func TestLookingIsAPresenceOfItsOwn(t *testing.T) {
	s := servicetest.Redis(t)
	n := 0
	fresh := func(t *testing.T, prefix string) room.Presence {
		c, _ := node(t, s, prefix)
		p := redis.NewLooking(c, 0)
		t.Cleanup(p.Close)
		return p
	}
	roomtest.Presence(t, func(t *testing.T) room.Presence {
		n++
		return fresh(t, fmt.Sprint("look", n, ":"))
	})
	roomtest.PresenceNodes(t, func(t *testing.T) (a, b room.Presence) { return fresh(t, "looks:"), fresh(t, "looks:") })

	// Beside the other one, asked by another node.
	c, _ := node(t, s, "both:")
	other, _ := node(t, s, "both:")
	on, looking := redis.NewPresence(c, 0), redis.NewLooking(c, 0)
	defer on.Close()
	defer looking.Close()
	askOn, askLooking := redis.NewPresence(other, 0), redis.NewLooking(other, 0)
	defer askOn.Close()
	defer askLooking.Close()
	if err := on.Touch(t.Context(), "Ua", "S1"); err != nil {
		t.Fatal(err)
	}
	if err := looking.Touch(t.Context(), "Ub", "S2"); err != nil {
		t.Fatal(err)
	}
	for who, p := range map[string]*redis.Presence{"Ua": askOn, "Ub": askLooking} {
		got, err := p.Online(t.Context(), "Ua", "Ub")
		if err != nil || fmt.Sprint(got) != "map["+who+":true]" {
			t.Errorf("got %v, %v, want %s alone", got, err, who)
		}
	}
	if seen, err := askOn.LastSeen(t.Context(), "Ua", "Ub"); err != nil || seen["Ua"] == 0 || seen["Ub"] != 0 {
		t.Errorf("last seen: %v, %v", seen, err)
	}
}
