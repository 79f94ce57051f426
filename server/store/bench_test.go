package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"kamachat/shared/chat"
)

// BenchmarkAppend commits batches of texts over 200 direct conversations, as
// the carrier hands them over. ns/op is per message.
func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{1, 8, 32, 128, 256} {
		b.Run(fmt.Sprint("batch=", size), func(b *testing.B) {
			db := openAt(b, "sqlite:"+b.TempDir()+"/kamachat.db")
			var people []chat.Person
			for i := range 400 {
				people = append(people, chat.Person{ID: chat.UserID(fmt.Sprintf("U1wnr%07d", i)), Username: fmt.Sprint("u", i), Nickname: "x"})
			}
			hashes := make([]string, len(people))
			for i := range hashes {
				hashes[i] = fmt.Sprint("h", i)
			}
			if err := db.AddUsers(context.Background(), people, hashes, 1); err != nil {
				b.Fatal(err)
			}
			n := 0
			b.ResetTimer()
			for n < b.N {
				ds := make([]chat.Draft, size)
				for i := range ds {
					p := 2 * (n % 200)
					ref := fmt.Sprintf("%012x%08d", time.Now().UnixMilli(), n)
					ds[i] = text(people[p].ID, chat.Direct(people[p].ID, people[p+1].ID), ref, "a text of about one hundred and twenty-eight bytes, which is what people write to each other on an ordinary working day, more or less")
					n++
				}
				if _, err := db.Append(context.Background(), ds); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
