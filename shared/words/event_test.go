package words

import "testing"

func TestEventSaysWhatChanged(t *testing.T) {
	for want, c := range map[string]Change{
		"Ann made the group “Tea”":               {What: "made", By: "Ann", Who: []string{"Ann", "Bob"}, Name: "Tea"},
		"Ann joined":                             {What: "joined", By: "Ann", Self: true},
		"Ann added Bob, Cai":                     {What: "joined", By: "Ann", Who: []string{"Bob", "Cai"}},
		"Ann let Bob in":                         {What: "joined", By: "Ann", Who: []string{"Bob"}, Asked: true},
		"Ann added 1, 2, 3, 4 and 2 others":      {What: "joined", By: "Ann", Who: []string{"1", "2", "3", "4", "5", "6"}},
		"Ann left":                               {What: "left", By: "Ann", Self: true},
		"Ann removed Bob":                        {What: "left", By: "Ann", Who: []string{"Bob"}},
		"Ann renamed the group “{1}”":            {What: "renamed", By: "Ann", Name: "{1}"},
		"Ann set the notice: at six":             {What: "notice", By: "Ann", Name: "at six"},
		"Ann removed the notice":                 {What: "notice", By: "Ann"},
		"Ann changed the group's picture":        {What: "picture", By: "Ann", Name: "/files/x"},
		"Ann made Bob an administrator":          {What: "promoted", By: "Ann", Who: []string{"Bob"}},
		"Ann took Bob off the administrators":    {What: "demoted", By: "Ann", Who: []string{"Bob"}},
		"Ann handed the group over to Bob":       {What: "handed", By: "Ann", Who: []string{"Bob"}},
		"Ann muted Bob":                          {What: "hushed", By: "Ann", Who: []string{"Bob"}},
		"Ann muted Bob until noon":               {What: "hushed", By: "Ann", Who: []string{"Bob"}, Until: "noon"},
		"Ann let Bob speak again":                {What: "heard", By: "Ann", Who: []string{"Bob"}},
		"Ann set the rules: by invitation only":  {What: "ruled", By: "Ann", Joining: "invite"},
		"Ann dismissed the group":                {What: "dismissed", By: "Ann"},
		"Root disabled the group for the server": {What: "disabled", By: "Root"},
		"Root enabled the group again":           {What: "enabled", By: "Root"},
		"You are contacts now":                   {What: "contacts", By: "Ann"},
		"The group has changed":                  {What: "of tomorrow", By: "Ann"},
		"Ann set the rules: anybody may join · only administrators write · one message every 9 s": {What: "ruled", By: "Ann", Joining: "direct", Announce: true, Slow: 9},
	} {
		if got := Event(EN, c); got != want {
			t.Errorf("%+v: %q, want %q", c, got, want)
		}
		if got := Event(ZH, c); got == "" || got == want {
			t.Errorf("%+v in Chinese: %q", c, got)
		}
	}
}
