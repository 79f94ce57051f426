package redis

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// dial makes a client of what u names. It does not connect.
func dial(u string) (goredis.UniversalClient, int, error) {
	bad := func(err error) error {
		// A URL may hold a password: what is wrong is told without it.
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err
		}
		return fmt.Errorf("redis address: %w", err)
	}
	u, who, err := plain(u)
	if err != nil {
		return nil, 0, bad(err)
	}
	at, err := url.Parse(u)
	if err != nil {
		return nil, 0, bad(err)
	}
	off := &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	switch q := at.Query(); {
	case q.Has("master_name"):
		o, err := goredis.ParseFailoverURL(u)
		if err != nil {
			return nil, 0, bad(err)
		}
		if who != nil {
			o.Username = who.Username()
			o.Password, _ = who.Password()
		}
		shorten(&o.DialTimeout, &o.ReadTimeout, &o.WriteTimeout, &o.PoolTimeout)
		o.MaxRetries, o.DialerRetries, o.ContextTimeoutEnabled, o.DisableIdentity, o.PipelinePoolSize = -1, 1, true, true, -1
		return goredis.NewFailoverClient(o), o.DB, nil
	case q.Has("addr"):
		o, err := goredis.ParseClusterURL(u)
		if err != nil {
			return nil, 0, bad(err)
		}
		shorten(&o.DialTimeout, &o.ReadTimeout, &o.WriteTimeout, &o.PoolTimeout)
		o.MaxRetries, o.DialerRetries, o.ContextTimeoutEnabled, o.DisableIdentity, o.PipelinePoolSize = -1, 1, true, true, -1
		o.MaintNotificationsConfig = off
		return goredis.NewClusterClient(o), 0, nil
	default:
		o, err := goredis.ParseURL(u)
		if err != nil {
			return nil, 0, bad(err)
		}
		shorten(&o.DialTimeout, &o.ReadTimeout, &o.WriteTimeout, &o.PoolTimeout)
		o.MaxRetries, o.DialerRetries, o.ContextTimeoutEnabled, o.DisableIdentity, o.PipelinePoolSize = -1, 1, true, true, -1
		o.MaintNotificationsConfig = off
		return goredis.NewClient(o), o.DB, nil
	}
}

// plain turns an address with several hosts into the one that go-redis reads. To
// Sentinels it is not told who we are: that is for the servers that they watch.
func plain(u string) (string, *url.Userinfo, error) {
	scheme, rest, _ := strings.Cut(u, "://")
	base, kind, several := strings.Cut(scheme, "+")
	if !several {
		return u, nil, nil
	}
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	user, hosts := "", rest[:end]
	if i := strings.LastIndexByte(hosts, '@'); i >= 0 {
		user, hosts = hosts[:i+1], hosts[i+1:]
	}
	at, err := url.Parse(base + "://" + user + "h" + rest[end:])
	if err != nil {
		return "", nil, err
	}
	addrs := strings.Split(hosts, ",")
	q := at.Query()
	for _, a := range addrs {
		if a == "" {
			return "", nil, errors.New("a host is empty")
		}
		q.Add("addr", a)
	}
	who := at.User
	switch name, db, _ := strings.Cut(strings.Trim(at.Path, "/"), "/"); {
	case kind == "sentinel" && name != "":
		q.Set("master_name", name)
		at.Path, at.User = "/"+db, nil
	case kind == "sentinel":
		return "", nil, errors.New("the name of the master is missing")
	case kind == "cluster" && name == "":
		at.Path, who = "", nil
	case kind == "cluster":
		return "", nil, errors.New("a cluster has no databases")
	default:
		return "", nil, errors.New("unknown kind of address")
	}
	at.Host, at.RawQuery = addrs[0], q.Encode()
	return at.String(), who, nil
}

// shorten brings timeouts down to bound.
func shorten(ds ...*time.Duration) {
	for _, d := range ds {
		if *d <= 0 || *d > bound {
			*d = bound
		}
	}
}
