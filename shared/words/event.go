package words

import "strings"

// A Change is how a conversation changed, with names in the place of ids: what
// chat.Change says.
type Change struct {
	What  string
	By    string   // who did it
	Who   []string // to whom
	Self  bool     // who did it, and nobody else, is whom it is about
	Asked bool     // who joined had asked to
	Name  string   // the text that is new
	Until string   // when it ends; empty: it does not

	Joining  string // the rules, where it is about them
	Slow     int
	Announce bool
}

// Event says how a conversation changed.
func Event(l Lang, c Change) string {
	who := Names(l, c.Who)
	switch c.What {
	case "joined", "left":
		switch {
		case c.Self:
			return Say(l, "event."+c.What, c.By)
		case c.What == "left":
			return Say(l, "event.removed", c.By, who)
		case c.Asked:
			return Say(l, "event.letin", c.By, who)
		}
		return Say(l, "event.added", c.By, who)
	case "made", "renamed":
		return Say(l, "event."+c.What, c.By, c.Name)
	case "notice":
		if c.Name == "" {
			return Say(l, "event.unnoticed", c.By)
		}
		return Say(l, "event.notice", c.By, c.Name)
	case "hushed":
		if c.Until != "" {
			return Say(l, "event.until", c.By, who, c.Until)
		}
		return Say(l, "event.hushed", c.By, who)
	case "promoted", "demoted", "handed", "heard":
		return Say(l, "event."+c.What, c.By, who)
	case "ruled":
		rules := []string{Say(l, "rule."+c.Joining)}
		if c.Announce {
			rules = append(rules, Say(l, "rule.announce"))
		}
		if c.Slow > 0 {
			rules = append(rules, Say(l, "rule.slow", c.Slow))
		}
		return Say(l, "event.ruled", c.By, strings.Join(rules, " · "))
	case "picture", "dismissed", "disabled", "enabled", "contacts":
		return Say(l, "event."+c.What, c.By)
	}
	return Say(l, "event.changed")
}

// most is how many names are said.
const most = 4

// Names joins names; of many it says the first ones and how many there are besides.
func Names(l Lang, names []string) string {
	join := Say(l, "names.join")
	if len(names) <= most+1 {
		return strings.Join(names, join)
	}
	return Say(l, "names.more", strings.Join(names[:most], join), len(names)-most)
}
