// Command fill makes a large database to measure on:
//
//	go run ./tools/fill -db sqlite:PATH -users FILE [-messages 10000000] [-conversations 10000]
//
// The database must hold none of its people yet. Everything goes through the
// store's own methods, as if the messages had been posted during the last year,
// so that what is printed for each million also tells whether a message costs
// the same however many there are. FILE gets the people's tokens as "kamachat
// bench --users-file" reads them, once everything is there.
package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"time"

	"kamachat"
	"kamachat/server/account"
	"kamachat/server/store"
	"kamachat/shared/chat"
)

// batchSize is how many messages one commit holds: more than a server's, since
// nobody waits for them.
const batchSize = 2_048

// burst is how many messages in a row are said in one conversation, on average:
// people talk for a while.
const burst = 8

// year is the time that the messages are spread over.
const year = 365 * 24 * time.Hour

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "fill:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("fill", flag.ContinueOnError)
	dsn := flags.String("db", "", "the database, sqlite:PATH or mysql://user:pass@host:port/db")
	users := flags.String("users", "", "file for the people's tokens")
	messages := flags.Int64("messages", 10_000_000, "how many messages")
	conversations := flags.Int("conversations", 10_000, "how many conversations, at least 100")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *dsn == "" || *users == "" || *messages < 0 || *conversations < 100 {
		return errors.New("want -db and -users, and at least 100 conversations")
	}
	f := &filler{out: out, total: *messages, begin: time.Now().Add(-year), plan: newPlan(*conversations, rand.New(rand.NewPCG(1, 1)))}
	f.ids = chat.NewIDs(chat.MaxNode, func() int64 { return f.clock().UnixMilli() })
	var err error
	if f.db, err = store.Open(ctx, *dsn, store.Options{Now: f.clock, ID: f.ids.Next}); err != nil {
		return err
	}
	tokens, err := f.fill(ctx)
	if err = errors.Join(err, f.db.Close()); err != nil {
		return err
	}
	if err := os.WriteFile(*users+".part", tokens, 0o600); err != nil {
		return err
	}
	return os.Rename(*users+".part", *users) // there at all only when everything is
}

// A filler fills one database.
type filler struct {
	out   io.Writer
	db    *store.DB
	ids   *chat.IDs
	plan  plan
	total int64
	begin time.Time // when the first message was written
	said  atomic.Int64

	people []chat.UserID
	convs  []chat.ConvID
	last   []int64 // of each conversation; each belongs to one writer
}

// clock is the time in the year of the messages.
func (f *filler) clock() time.Time {
	return f.begin.Add(time.Duration(float64(f.said.Load()) / float64(max(f.total, 1)) * float64(year)))
}

func (f *filler) fill(ctx context.Context) (tokens []byte, err error) {
	files, err := fs.Sub(kamachat.Migrations, "migrations")
	if err != nil {
		return nil, err
	}
	if _, err := f.db.Migrate(ctx, files); err != nil {
		return nil, err
	}
	if tokens, err = f.addPeople(ctx); err != nil {
		return nil, err
	}
	if err := f.addConversations(ctx); err != nil {
		return nil, err
	}
	if err := f.say(ctx); err != nil {
		return nil, err
	}
	return tokens, f.read(ctx)
}

// addPeople makes the accounts and returns their tokens as CSV.
func (f *filler) addPeople(ctx context.Context) ([]byte, error) {
	people := account.New(account.Config{Store: f.db, IDs: f.ids})
	var in, tokens bytes.Buffer
	fmt.Fprintln(&in, "username,nickname")
	for i := range f.plan.people {
		fmt.Fprintf(&in, "fill%d,Person %d\n", i, i)
	}
	if err := people.Import(ctx, chat.Deed{ByName: "fill", Addr: "tools/fill"}, &in, &tokens); err != nil {
		return nil, fmt.Errorf("make people (is the database empty?): %w", err)
	}
	rows, err := csv.NewReader(bytes.NewReader(tokens.Bytes())).ReadAll()
	if err != nil {
		return nil, err
	}
	for _, row := range rows[1:] {
		f.people = append(f.people, chat.UserID(row[1]))
	}
	return tokens.Bytes(), nil
}

// addConversations makes the groups; direct conversations begin with their first message.
func (f *filler) addConversations(ctx context.Context) error {
	f.last = make([]int64, len(f.plan.convs))
	for i, t := range f.plan.convs {
		if !t.group {
			f.convs = append(f.convs, chat.Direct(f.people[t.members[0]], f.people[t.members[1]]))
			continue
		}
		members := make([]chat.UserID, len(t.members))
		for j, m := range t.members {
			members[j] = f.people[m]
		}
		conv := f.ids.NewGroup()
		if err := f.db.CreateGroup(ctx, conv, fmt.Sprint("Group ", i), members[0], members, f.begin.UnixMilli()); err != nil {
			return err
		}
		f.convs = append(f.convs, conv)
	}
	return nil
}

// say writes the messages, several writers where the database likes that, each
// with conversations of its own.
func (f *filler) say(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	lines := make(chan int64, 1) // how many messages are there
	step := max(min(f.total/10, 1_000_000), 1)
	writers := f.db.Committers()
	for w := range writers {
		wg.Go(func() {
			if err := f.write(ctx, w, writers, step, lines); err != nil {
				cancel(err)
			}
		})
	}
	go func() { wg.Wait(); close(lines) }()
	began, before, told := time.Now(), time.Now(), int64(0)
	for n := range lines {
		now := time.Now()
		fmt.Fprintf(f.out, "%d messages, %.1f s; the last %d took %.1f µs each\n",
			n, now.Sub(began).Seconds(), n-told, float64(now.Sub(before).Microseconds())/float64(max(n-told, 1)))
		before, told = now, n
	}
	return context.Cause(ctx)
}

// write writes the share of one writer in batches, and tells each time that
// another step of all is done.
func (f *filler) write(ctx context.Context, me, writers int, step int64, lines chan<- int64) error {
	r := rand.New(rand.NewPCG(2, uint64(me)))
	words := texts(2_000, r)
	ds, at := make([]chat.Draft, 0, batchSize), make([]int, 0, batchSize)
	for share := (f.total + int64(me)) / int64(writers); share > 0; {
		ds, at = ds[:0], at[:0]
		for i := -1; len(ds) < int(min(batchSize, share)); {
			if i < 0 || r.IntN(burst) == 0 {
				for i = f.plan.draw(r); i%writers != me; {
					i = f.plan.draw(r)
				}
			}
			c := f.plan.convs[i]
			ref := fmt.Sprintf("%012x-%02x%08x", f.clock().UnixMilli(), me, share-int64(len(ds)))
			ds = append(ds, chat.Draft{
				Conv: f.convs[i], Author: f.people[c.members[r.IntN(len(c.members))]], Ref: ref, Content: chat.TextContent(words[r.IntN(len(words))]),
			})
			at = append(at, i)
		}
		receipts, err := f.db.Append(ctx, ds)
		if err != nil {
			return err
		}
		for i, got := range receipts {
			if got.Err != nil {
				return got.Err
			}
			f.last[at[i]] = got.Message.Seq
		}
		n := int64(len(ds))
		share -= n
		if all := f.said.Add(n); all/step != (all-n)/step {
			lines <- all
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// read marks what has been read: most people everything, some not the last few.
func (f *filler) read(ctx context.Context) error {
	r := rand.New(rand.NewPCG(3, 3))
	var marks []chat.Marks
	flush := func() error {
		err := f.db.SaveMarks(ctx, marks)
		marks = marks[:0]
		return err
	}
	for i, c := range f.plan.convs {
		for _, m := range c.members {
			unread := int64(0)
			if r.IntN(10) == 0 {
				unread = r.Int64N(20)
			}
			seq := max(f.last[i]-unread, 0)
			if marks = append(marks, chat.Marks{Conv: f.convs[i], User: f.people[m], Delivered: f.last[i], Read: seq}); len(marks) == 1_000 {
				if err := flush(); err != nil {
					return err
				}
			}
		}
	}
	return flush()
}
