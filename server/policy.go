package main

import (
	"kamachat/server/account"
	"kamachat/server/settings"
)

// policy is what accounts go by of what administrators set.
func policy(set *settings.Service) func() account.Policy {
	return func() account.Policy {
		v := set.Get()
		return account.Policy{Registration: v.Registration, MaxGroup: v.MaxGroup}
	}
}
