package main

import (
	"math"
	"math/rand/v2"
	"sort"
	"strings"
)

// heavy is how many people are in a fifth of all conversations. They come first.
const heavy = 4

// A plan is who talks with whom, and how much. People are numbers from 0.
type plan struct {
	people int
	convs  []talk
	ends   []float64 // ends[i] is the weight of convs[:i+1] together
}

// A talk is one conversation: two people, or a group.
type talk struct {
	members []int
	group   bool
	weight  float64 // how much is said here, against the others
}

// newPlan plans n conversations, at least 100, of n/2 people: neighbours (0 and
// 1, 2 and 3, …) talk with each other; a tenth are groups of 3 to 200; four
// people are in a fifth of all conversations each. What is said follows Zipf:
// a few conversations hold much of it.
func newPlan(n int, r *rand.Rand) plan {
	p := plan{people: n / 2}
	direct := func(a, b int) { p.convs = append(p.convs, talk{members: []int{a, b}}) }
	for a := 0; a+1 < p.people; a += 2 {
		direct(a, a+1)
	}
	for h := range heavy {
		for _, i := range r.Perm(p.people - heavy)[:n*15/100] {
			direct(h, heavy+i)
		}
	}
	for i := range n / 10 {
		size := 3 + int(math.Min(r.ExpFloat64()*20, 197))
		members := append([]int{}, i%2, 2+i%2) // two of the heavy ones
		for _, j := range r.Perm(p.people - heavy)[:min(size, p.people-heavy)-2] {
			members = append(members, heavy+j)
		}
		p.convs = append(p.convs, talk{members: members, group: true})
	}
	taken := map[[2]int]bool{}
	for len(p.convs) < n {
		a, b := heavy+r.IntN(p.people-heavy), heavy+r.IntN(p.people-heavy)
		a, b = min(a, b), max(a, b)
		if a/2 != b/2 && !taken[[2]int{a, b}] { // not a neighbour
			taken[[2]int{a, b}] = true
			direct(a, b)
		}
	}
	sum := 0.0
	for rank, i := range r.Perm(len(p.convs)) {
		p.convs[i].weight = math.Pow(float64(rank+10), -0.8)
	}
	for _, c := range p.convs {
		sum += c.weight
		p.ends = append(p.ends, sum)
	}
	return p
}

// draw returns where the next message is said, by weight.
func (p plan) draw(r *rand.Rand) int {
	at := r.Float64() * p.ends[len(p.ends)-1]
	return min(sort.SearchFloat64s(p.ends, at), len(p.ends)-1)
}

var vocabulary = strings.Fields(`the a to of and in it you that was for on are with they at be this have from or one had by but not
what all were when we there can an your which their said if do will each about how up out them then she many some so these would
other into has more her two like him see time could no make than first been its who now people my made over did down only way find
use may water long little very after words called just where most know get through back much go good new write our me man too any day
好的 明天见 收到 没问题 谢谢 今天 下午 开会 文件 已经 发给 你了 周末 一起 吃饭 在吗 稍等 项目 进度 怎么样`)

// texts returns n texts, most of 60 to 200 bytes.
func texts(n int, r *rand.Rand) []string {
	out := make([]string, n)
	for i := range out {
		var b strings.Builder
		for size := 60 + r.IntN(140); b.Len() < size; b.WriteByte(' ') {
			b.WriteString(vocabulary[r.IntN(len(vocabulary))])
		}
		out[i] = strings.TrimSpace(b.String())
	}
	return out
}
