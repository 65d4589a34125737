package timesheet

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

func TestMoneyIsRoundedHalfToEven(t *testing.T) {
	for _, c := range []struct {
		x3600, want int64
	}{
		{0, 0},
		{1, 0},
		{1799, 0},
		{1800, 0}, // 0.5
		{1801, 1},
		{5399, 1},
		{5400, 2}, // 1.5
		{9000, 2}, // 2.5
		{12600, 4},
		{-1800, 0},
		{-1801, -1},
		{-5400, -2},
		{-9000, -2},
		{-3600, -1},
		{3600 * 12345, 12345},
		{math.MaxInt64, 2562047788015216}, // ...215.502
		{math.MinInt64, -2562047788015216},
	} {
		got := MoneyFromX3600(c.x3600, "EUR")
		if got.Minor != c.want || got.Currency != "EUR" {
			t.Errorf("%d/3600 is %v, want %d EUR", c.x3600, got, c.want)
		}
		large, err := MoneyFromBigX3600(big.NewInt(c.x3600), "EUR")
		if err != nil || large != got {
			t.Errorf("%d/3600 is %v by way of big integers (%v), want %v", c.x3600, large, err, got)
		}
	}
}

// The rounded amount is within half a unit, and an exact half is even.
func TestMoneyIsTheNearest(t *testing.T) {
	for range 100_000 {
		x := rand.Int64() >> rand.N(63)
		if rand.N(2) == 0 {
			x = -x
		}
		if rand.N(4) == 0 {
			x -= x % 1800 // halves and wholes
		}
		m := MoneyFromX3600(x, "EUR").Minor
		rest := new(big.Int).Sub(big.NewInt(x), new(big.Int).Mul(big.NewInt(m), big.NewInt(3600)))
		if rest.CmpAbs(big.NewInt(1800)) > 0 || rest.CmpAbs(big.NewInt(1800)) == 0 && m%2 != 0 {
			t.Fatalf("%d/3600 is rounded to %d", x, m)
		}
	}
}

func TestBigMoney(t *testing.T) {
	parse := func(s string) *big.Int {
		n, ok := new(big.Int).SetString(s, 10)
		if !ok {
			t.Fatalf("%s is no number", s)
		}
		return n
	}
	for sum, want := range map[string]int64{
		"9223372036854775808":      2562047788015216, // one more than 64 bits hold
		"33204139332677192905200":  math.MaxInt64,
		"33204139332677192906999":  math.MaxInt64,     // just less than half a unit more
		"33204139332677192903400":  math.MaxInt64 - 1, // half a unit less, to even
		"-33204139332677192908800": math.MinInt64,
		"-33204139332677192910600": math.MinInt64, // half a unit less, to even
	} {
		got, err := MoneyFromBigX3600(parse(sum), "JPY")
		if err != nil || got.Minor != want {
			t.Errorf("%s/3600 is %d (%v), want %d", sum, got.Minor, err, want)
		}
	}
	for _, sum := range []string{"33204139332677192907000", "-33204139332677192910601", "1" + fmt.Sprintf("%060d", 0)} {
		_, err := MoneyFromBigX3600(parse(sum), "JPY")
		if broken, ok := AsError(err); !ok || broken.Code != CodeOutOfRange {
			t.Errorf("%s/3600 returned %v, want OUT_OF_RANGE", sum, err)
		}
	}
}

func ExampleMoneyFromX3600() {
	// 20 minutes at 55.55 an hour, three times: rounded once, not three times.
	const rate = 5555
	fmt.Println(MoneyFromX3600(3*20*60*rate, "EUR").Minor, 3*MoneyFromX3600(20*60*rate, "EUR").Minor)
	// Output: 5555 5556
}
