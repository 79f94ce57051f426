package main

import (
	"bytes"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"
)

// What was measured comes out within the bounds that each row states.
func TestOneNodeIsAsMeasured(t *testing.T) {
	for name, c := range map[string]costs{"SQLite": sqlite, "MariaDB": mariadb} {
		held, own := 0, 0
		for _, r := range single(c, name, 1) {
			if r.bound == 0 {
				continue
			}
			held++
			if !r.input {
				own++
			}
			if math.Abs(r.off()) > r.bound {
				t.Errorf("%s, %s: measured "+r.form+", simulated "+r.form+", which is more than %.0f %% off", name, r.what, r.measured, r.got, 100*r.bound)
			}
		}
		if held < 7 || own < 4 {
			t.Errorf("%s: only %d rows are held to anything, %d of them not fitted", name, held, own)
		}
	}
}

// With other draws the rows come out alike: the bounds are not met by luck.
func TestSeedsAgree(t *testing.T) {
	a, b := single(sqlite, "SQLite", 2), single(sqlite, "SQLite", 3)
	for i := range a {
		if r := a[i].got / b[i].got; a[i].bound > 0 && math.Abs(r-1) > 0.05 {
			t.Errorf("%s: %f and %f by two seeds", a[i].what, a[i].got, b[i].got)
		}
	}
}

func TestEachPostIsDeliveredOnceInOrder(t *testing.T) {
	c := sqlite
	n := newNode(newMachine(cores), c)
	all := crowd(10, 0)
	for _, m := range all {
		m.to = all
	}
	rnd := rand.New(rand.NewPCG(1, 1))
	n.open(all, 3000, 1e6, rnd)
	n.until(10e6)
	if n.committed < 2000 || n.acked != n.committed || n.delivered != 10*n.committed {
		t.Errorf("%d are committed, %d acknowledged, %d delivered to 10", n.committed, n.acked, n.delivered)
	}
	if n.idle != cores || len(n.ready) > 0 {
		t.Errorf("%d cores are idle and %d tasks wait, though all is done", n.idle, len(n.ready))
	}
}

// A core is never used twice at a time.
func TestCoresAreNotOvercommitted(t *testing.T) {
	n, _ := pairs(sqlite, true)
	n.until(1e6)
	if share := n.busy / 1e6 / cores; share > ours+0.01 || share < 0.8*ours {
		t.Errorf("%.2f of the cores' time is used, want close to %.2f", share, ours)
	}
}

func TestDrawnGroupsAreAsTheirLawSays(t *testing.T) {
	sum, all := 0.0, 0.0
	for k := smallest; k <= largest; k++ {
		p := math.Pow(float64(k), -groupSlope)
		sum, all = sum+p*float64(k), all+p
	}
	want := 1 + onlineShare*((1-groupShare)+groupShare*(sum/all-1))
	got := draw(1_000_000, rand.New(rand.NewPCG(1, 1)))
	if math.Abs(got.copies/want-1) > 0.05 {
		t.Errorf("a message has %.2f copies, want %.2f", got.copies, want)
	}
	if got.hearers < 0.99*got.copies {
		t.Errorf("of very many nodes %.2f hear of %.2f copies", got.hearers, got.copies)
	}
	if one := draw(1, rand.New(rand.NewPCG(1, 1))); one.hearers != 1 {
		t.Errorf("the only node hears %.2f times", one.hearers)
	}
}

func TestMorePeopleNeedMore(t *testing.T) {
	s := draw(30, rand.New(rand.NewPCG(1, 1)))
	a, b := newSize(1e6, 30, s), newSize(2e6, 30, s)
	for i, n := range a.needs(0.1) {
		if m := b.needs(0.1)[i]; m.want < n.want {
			t.Errorf("%s: twice the people need %g, not %g", n.what, m.want, n.want)
		}
	}
	if math.Abs(b.perSecond/a.perSecond-2) > 1e-9 || a.perSecond < 1e6*perDay/86400 {
		t.Errorf("%.0f messages/s at the peak, and %.0f of twice the people", a.perSecond, b.perSecond)
	}
	most, then := fits(30, s, true)
	if got := worst(newSize(most*0.99, 30, s).needs(0)); got.share() > 1 {
		t.Errorf("%s is not enough for %.0f people, who fit", got.what, most)
	}
	if then.share() < 1 {
		t.Errorf("beyond %.0f people %s is still enough", most, then.what)
	}
}

// docs/scaling.md quotes what the program prints.
func TestDocumentQuotesTheProgram(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("other processors round otherwise")
	}
	var b bytes.Buffer
	printSingle(&b, 1)
	printNodes(&b, 1)
	printCluster(&b, 1)
	doc, err := os.ReadFile("../../docs/scaling.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		if line = strings.TrimSpace(line); !strings.Contains(string(doc), line) {
			t.Errorf("docs/scaling.md lacks %q: put in what go run ./tools/scaling prints", line)
		}
	}
}
