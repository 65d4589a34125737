package limits

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func newBudget(t testing.TB, size, restore float64) *Budget {
	t.Helper()
	b, err := NewBudget(Rate{Size: size, Restore: restore})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestParseRate(t *testing.T) {
	tests := []struct {
		in   string
		want Rate
		err  string // part of the error
	}{
		{in: "2000/100", want: Rate{2000, 100}},
		{in: "0.5/2.5", want: Rate{0.5, 2.5}},
		{in: "2000", err: `budget "2000": want SIZE/RESTORE`},
		{in: "2000/100/s", err: "want SIZE/RESTORE"},
		{in: "a/b", err: "want SIZE/RESTORE"},
		{in: "0/100", err: "must be above 0"},
		{in: "100/0", err: "must be above 0"},
		{in: "-1/-1", err: "must be above 0"},
		{in: "NaN/1", err: "must be above 0"},
		{in: "Inf/1", err: "must be above 0"},
		{in: "1e12/1", err: "full within ten years"},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			got, err := ParseRate(tt.in)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("error %v, want one with %q", err, tt.err)
				}
				return
			}
			if err != nil || got != tt.want {
				t.Errorf("got %v, %v, want %v", got, err, tt.want)
			}
		})
	}
}

func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(t, 2000, 100)
		expect := func(what string, want float64) {
			t.Helper()
			if got := b.Available("k"); math.Abs(got-want) > 1e-6 {
				t.Errorf("%s: %v available, want %v", what, got, want)
			}
		}
		reserve := func(points float64) *Reservation {
			t.Helper()
			r, s := Reserve(points, Account{b, "k"})
			if s != nil {
				t.Fatalf("reserve %v: %+v", points, s)
			}
			return r
		}
		expect("new", 2000)
		r := reserve(1500)
		expect("reserved 1500", 500)
		r.Settle(250)
		expect("settled 250", 1750)
		r.Settle(0)
		r.Cancel()
		expect("settled again", 1750)

		time.Sleep(time.Second)
		expect("a second later", 1850)
		reserve(1000).Cancel()
		expect("cancelled", 1850)
		reserve(10).Settle(60)
		expect("dearer than reserved", 1790)
		time.Sleep(time.Hour)
		expect("an hour later", 2000)

		b.Charge("k", 1990)
		expect("charged", 10)
		_, s := Reserve(20, Account{b, "k"})
		want := &Shortage{Cost: 20, Available: 10, Rate: Rate{2000, 100}, RetryAfter: 100 * time.Millisecond, Of: Account{b, "k"}}
		if diff := cmp.Diff(want, s, roughly, cmp.Comparer(func(x, y Account) bool { return x == y })); diff != "" {
			t.Errorf("shortage (-want +got):\n%s", diff)
		}
		expect("after a refusal", 10)
		time.Sleep(s.RetryAfter)
		reserve(20)
		expect("reserved when told to", 0)

		b.Charge("k", 1e9)
		expect("debt is bounded", -2000)
		b.Charge("k", math.NaN())
		b.Charge("k", -5)
		expect("nonsense changes nothing", -2000)
		if other := b.Available("other"); other != 2000 {
			t.Errorf("another key has %v", other)
		}
	})
}

// An operation dearer than the whole budget is not refused for ever: it waits
// for a full one and leaves it in debt.
func TestBudgetSmallerThanAPrice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(t, 100, 10)
		r, s := Reserve(150, Account{b, "k"})
		if s != nil || b.Available("k") != -50 {
			t.Fatalf("full: %+v, %v available, want -50", s, b.Available("k"))
		}
		if _, s = Reserve(150, Account{b, "k"}); s == nil || s.RetryAfter != 15*time.Second {
			t.Fatalf("in debt: %+v, want 15 s until it is full", s)
		}
		r.Settle(120)
		if got := b.Available("k"); got != -20 {
			t.Errorf("%v available, want -20", got)
		}
	})
}

// What could not be charged because the debt was at its bound is not given back.
func TestBudgetRefundsWhatWasTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(t, 100, 10)
		r, _ := Reserve(500, Account{b, "k"})
		r.Settle(150)
		if got := b.Available("k"); got != -50 {
			t.Errorf("%v available after 150 of 100, want -50", got)
		}
	})
}

// What time has restored while a reservation was open is not given back again
// while another holds it.
func TestBudgetRefundsWithinItsSize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(t, 100, 100)
		first, _ := Reserve(100, Account{b, "k"})
		time.Sleep(1100 * time.Millisecond)
		second, s := Reserve(100, Account{b, "k"})
		if s != nil {
			t.Fatal(s)
		}
		first.Cancel()
		if got := b.Available("k"); got != 0 {
			t.Errorf("%v available beside 100 held of 100", got)
		}
		second.Settle(30)
		if got := b.Available("k"); got != 70 {
			t.Errorf("%v available after 30 of 100, want 70", got)
		}
	})
}

func TestReserveTakesFromBothOrNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		user, workspace := newBudget(t, 100, 1), newBudget(t, 150, 1)
		both := func(u string) []Account { return []Account{{user, u}, {workspace, "w"}} }
		r, s := Reserve(100, both("ann")...)
		if s != nil {
			t.Fatal(s)
		}
		_, s = Reserve(60, both("bob")...)
		if s == nil || s.Rate != workspace.Rate() || s.RetryAfter != 10*time.Second {
			t.Errorf("shortage %+v, want the workspace's, for 10 s", s)
		}
		if got := user.Available("bob"); got != 100 {
			t.Errorf("bob has %v after a refusal, want 100", got)
		}
		r.Settle(10)
		if u, w := user.Available("ann"), workspace.Available("w"); u != 90 || w != 140 {
			t.Errorf("settled 10: user has %v, workspace %v", u, w)
		}
	})
}

// reference is a token bucket as a textbook has it.
type reference struct{ level, size, restore float64 }

func (r *reference) pass(d time.Duration) {
	r.level = min(r.size, r.level+d.Seconds()*r.restore)
}
func (r *reference) add(x float64) { r.level = min(r.size, max(r.level+x, min(r.level, -r.size))) }

// TestBudgetAgreesWithReference drives a budget by random sequences: it always
// holds what a token bucket holds, never more than its size, nor after a refund more
// than its size beside what is held, never less than one size of debt; and what was really spent never exceeds the size and what time
// restored.
func TestBudgetAgreesWithReference(t *testing.T) {
	const size, restore = 200.0, 50.0
	type open struct {
		*Reservation
		points float64
	}
	capped := 0 // refunds that would not have fitted
	for seed := range uint64(200) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 3))
			b := newBudget(t, size, restore)
			ref := &reference{size, size, restore}
			dear := seed%2 == 0 // actual costs may exceed the price
			start := time.Now()
			var held []open
			spent, refused := 0.0, 0
			settle := func(i int, actual float64) {
				r, points, before := held[i].Reservation, held[i].points, b.Available("k")
				held[i] = held[len(held)-1]
				held = held[:len(held)-1]
				beside := 0.0
				for _, h := range held {
					beside += h.points
				}
				r.Settle(actual)
				ref.add(min(points-actual, max(0, size-beside-ref.level)))
				spent += actual
				got := b.Available("k")
				if got > before && got+beside > size+1e-4 {
					t.Fatalf("seed %d: %v available and %v held of %v", seed, got, beside, size)
				}
				if got < before+points-actual-1e-4 && points > actual {
					capped++
				}
			}
			for step := range 400 {
				switch k := rng.IntN(8); {
				case k < 3:
					points := rng.Float64() * size / 2
					r, s := Reserve(points, Account{b, "k"})
					if (s == nil) != (ref.level-points >= -1e-6) && math.Abs(ref.level-points) > 1e-6 {
						t.Fatalf("seed %d step %d: reserve %v of %v: %+v", seed, step, points, ref.level, s)
					}
					if s != nil {
						refused++
						continue
					}
					ref.add(-points)
					held = append(held, open{r, points})
				case k < 5 && len(held) > 0:
					actual := held[0].points * rng.Float64()
					if dear {
						actual *= 1.3
					}
					settle(rng.IntN(len(held)), min(actual, 100))
				case k < 6 && len(held) > 0: // cancelled or failed, and told so more than once
					i := rng.IntN(len(held))
					r := held[i].Reservation
					settle(i, 0)
					r.Settle(size)
					r.Cancel()
				default:
					d := time.Duration(rng.Int64N(int64(time.Second)))
					time.Sleep(d)
					ref.pass(d)
				}
				got := b.Available("k")
				if math.Abs(got-ref.level) > 1e-4 || got > size || got < -size {
					t.Fatalf("seed %d step %d: %v available, reference %v", seed, step, got, ref.level)
				}
			}
			for len(held) > 0 {
				settle(0, 0)
			}
			if limit := size + restore*time.Since(start).Seconds(); !dear && spent > limit+1e-4 {
				t.Errorf("seed %d: %v points spent, at most %v restored", seed, spent, limit)
			}
			if refused == 0 {
				t.Errorf("seed %d: nothing was refused: the test says nothing", seed)
			}
			time.Sleep(2 * time.Duration(size/restore*float64(time.Second)))
			if got := b.Available("k"); got != size {
				t.Errorf("seed %d: %v available at the end, want %v", seed, got, size)
			}
		})
	}
	if capped == 0 {
		t.Error("no refund was ever too large: the test says nothing of held points")
	}
}

func TestBudgetForgetsFullKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(t, 10, 10)
		for i := range 50 * minSweep {
			b.Charge(fmt.Sprint(i), 1)
			if i%100 == 0 {
				time.Sleep(100 * time.Millisecond)
			}
			if len(b.buckets) > 2*minSweep {
				t.Fatalf("%d keys are kept after %d, of which 100 are not full", len(b.buckets), i)
			}
		}
	})
}

// A flood of keys beyond the bound shares one bucket, and those who were there
// before keep theirs.
func TestBudgetBoundsItsKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(t, 10, 0.001)
		for i := range maxKeys {
			b.Charge(fmt.Sprint(i), 4)
		}
		b.Charge("one more", 7)
		if _, s := Reserve(7, Account{b, "another"}); s == nil {
			t.Error("a new key beyond the bound has a bucket of its own")
		}
		r, s := Reserve(6, Account{b, "5"})
		if s != nil {
			t.Fatalf("an old key is refused: %+v", s)
		}
		r.Cancel()
		if len(b.buckets) > maxKeys+1 {
			t.Errorf("%d keys are kept, want at most %d and the shared one", len(b.buckets), maxKeys)
		}
		time.Sleep(3 * time.Hour)
		if got := b.Available("another"); got != 10 {
			t.Errorf("a new key has %v once there is room, want 10", got)
		}
	})
}
