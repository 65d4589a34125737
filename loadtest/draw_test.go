package loadtest

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"
)

// officeMix is what people at work do between two reports.
var officeMix = []Weighted{{myDay, 35}, {running, 20}, {page, 15}, {projects, 10}, {start, 8}, {stop, 7}, {create, 5}}

func testDeck() *deck {
	users := demoUsers()
	users[2].projects = []string{"p1", "p2"}
	return &deck{scene: &scene{users: users, last: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)}}
}

func TestDrawDependsOnSeedAndSeqAlone(t *testing.T) {
	d := testDeck()
	m, err := d.mix(officeMix)
	if err != nil {
		t.Fatal(err)
	}
	draw := func(seed, seq uint64) string {
		c, err := d.draw(m, seed, seq)
		if err != nil {
			t.Fatal(err)
		}
		return c.user.Token + string(c.body)
	}
	forward := make([]string, 200)
	for seq := range forward {
		forward[seq] = draw(1, uint64(seq))
	}
	same := 0
	for seq := len(forward) - 1; seq >= 0; seq-- {
		if got := draw(1, uint64(seq)); got != forward[seq] {
			t.Fatalf("arrival %d drawn again:\n%s\nfirst:\n%s", seq, got, forward[seq])
		}
		if draw(2, uint64(seq)) == forward[seq] {
			same++
		}
	}
	if same > 60 {
		t.Errorf("another seed draws the same call for %d of 200 arrivals", same)
	}
}

// A run may have more operations than a byte can number.
func TestOperationsKeepApart(t *testing.T) {
	d := testDeck()
	for n := range 300 {
		l, err := d.load(&Operation{Name: fmt.Sprint("Op", n), Class: ClassInteractive, Document: "{ __typename }"})
		if err != nil {
			t.Fatal(err)
		}
		if r := (row{op: l.index}); d.operations[r.op] != l {
			t.Fatalf("operation %d is kept as %s", n, d.operations[r.op].Name)
		}
	}
}

func TestDrawKeepsTheShares(t *testing.T) {
	d := testDeck()
	m, err := d.mix(officeMix)
	if err != nil {
		t.Fatal(err)
	}
	const n = 20_000
	ops, users := map[string]int{}, map[string]int{}
	for seq := range uint64(n) {
		c, err := d.draw(m, 1, seq)
		if err != nil {
			t.Fatal(err)
		}
		ops[c.op.Name]++
		users[c.user.Role]++
	}
	for _, w := range officeMix {
		p := float64(w.Weight) / 100
		if off := math.Abs(float64(ops[w.Operation.Name]) - n*p); off > 5*math.Sqrt(n*p*(1-p)) {
			t.Errorf("%s was drawn %d times of %d, want %.0f", w.Operation.Name, ops[w.Operation.Name], n, n*p)
		}
	}
	for role, got := range users {
		if off := math.Abs(float64(got) - n/3.0); off > 5*math.Sqrt(n*2/9.0) {
			t.Errorf("%s was drawn %d times of %d, want a third", role, got, n)
		}
	}
}

func TestDrawHeedsRoles(t *testing.T) {
	d := testDeck()
	m, err := d.mix([]Weighted{{yearsReport, 1}})
	if err != nil {
		t.Fatal(err)
	}
	for seq := range uint64(200) {
		c, err := d.draw(m, 1, seq)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(reporters, c.user.Role) {
			t.Fatalf("a %s asks for a report", c.user.Role)
		}
	}
	nobody := &deck{scene: &scene{users: []*User{{Role: "viewer", Token: "t"}}}}
	if _, err := nobody.mix([]Weighted{{yearsReport, 1}}); ExitOf(err) != ExitUsage || err == nil {
		t.Errorf("a mix that nobody may send: %v, want a usage error", err)
	}
}

func TestDrawnBodies(t *testing.T) {
	d := testDeck()
	all := []Weighted{{myDay, 1}, {running, 1}, {page, 1}, {projects, 1}, {start, 1}, {stop, 1}, {create, 1}, {monthReport, 1}, {yearsReport, 1}}
	m, err := d.mix(all)
	if err != nil {
		t.Fatal(err)
	}
	for seq := range uint64(500) {
		c, err := d.draw(m, 3, seq)
		if err != nil {
			t.Fatal(err)
		}
		var body struct {
			OperationName, Query string
			Variables            struct {
				Input struct {
					StartedAt, EndedAt time.Time
					ProjectID          string
					Period             struct{ From, To string }
				}
			}
		}
		if err := json.Unmarshal(c.body, &body); err != nil {
			t.Fatalf("%s: %v", c.body, err)
		}
		if body.Query != c.op.Document || body.OperationName != c.op.Name {
			t.Errorf("%s sends %s %q", c.op.Name, body.OperationName, body.Query)
		}
		in := body.Variables.Input
		if in.EndedAt.Before(in.StartedAt) {
			t.Errorf("an entry ends at %v before it starts at %v", in.EndedAt, in.StartedAt)
		}
		if in.ProjectID != "" && !slices.Contains(c.user.projects, in.ProjectID) {
			t.Errorf("%s logs on %s", c.user, in.ProjectID)
		}
		if c.op == d.operations[8] && in.Period.From > "2023-03-03" {
			t.Errorf("the costly report begins on %s, less than three years back", in.Period.From)
		}
	}
}

func BenchmarkDraw(b *testing.B) {
	d := testDeck()
	m, err := d.mix(officeMix)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	seq := uint64(0)
	for b.Loop() {
		if _, err := d.draw(m, 1, seq); err != nil {
			b.Fatal(err)
		}
		seq++
	}
}
