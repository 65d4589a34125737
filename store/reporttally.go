package store

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"headroom/timesheet"
)

// tally adds up entries exactly. Amounts stay seconds times hourly rate until
// totals divides them.
type tally struct {
	entries, exact    int64
	seconds, billable int64    // rounded, where entries are
	amounts           []amount // by currency, in alphabetical order
}

// amount is a sum of seconds x hourly rate in minor units, which can be beyond
// 64 bits while the money it stands for is not.
type amount struct {
	currency string
	x3600    int64
	large    *big.Int // instead, beyond 64 bits; shared between tallies and never written to
}

func (a amount) plus(b amount) amount {
	if sum := a.x3600 + b.x3600; a.large == nil && b.large == nil && (sum > a.x3600) == (b.x3600 > 0) {
		a.x3600 = sum
		return a
	}
	return amount{currency: a.currency, large: new(big.Int).Add(a.big(), b.big())}
}

func (a amount) big() *big.Int {
	if a.large != nil {
		return a.large
	}
	return big.NewInt(a.x3600)
}

func (a amount) money() (timesheet.Money, error) {
	if a.large != nil {
		return timesheet.MoneyFromBigX3600(a.large, a.currency)
	}
	return timesheet.MoneyFromX3600(a.x3600, a.currency), nil
}

// tallyOf counts one finished entry.
func tallyOf(e timesheet.TimeEntry) tally {
	t := tally{entries: 1, exact: *e.Seconds, seconds: *e.Seconds, amounts: []amount{{currency: e.Currency, x3600: *e.AmountX3600}}}
	if e.Billable {
		t.billable = t.seconds
	}
	return t
}

// setAmount reads a sum in the one currency of a database row.
func (t *tally) setAmount(currency, x3600 string) error {
	if short, err := strconv.ParseInt(x3600, 10, 64); err == nil {
		t.amounts = []amount{{currency: currency, x3600: short}}
		return nil
	}
	n, ok := new(big.Int).SetString(x3600, 10)
	if !ok {
		return fmt.Errorf("the database sent %q for an amount", x3600)
	}
	t.amounts = []amount{{currency: currency, large: n}}
	return nil
}

// add adds another tally, which stays as it is.
func (t *tally) add(other tally) {
	t.entries += other.entries
	t.exact += other.exact
	t.seconds += other.seconds
	t.billable += other.billable
	for _, a := range other.amounts {
		i, found := slices.BinarySearchFunc(t.amounts, a.currency, func(have amount, want string) int { return strings.Compare(have.currency, want) })
		if !found {
			t.amounts = slices.Insert(t.amounts, i, a)
			continue
		}
		t.amounts[i] = t.amounts[i].plus(a)
	}
}

// maxSeconds is the largest whole number that JSON carries exactly.
const maxSeconds = 1 << 53

func checkSeconds(exact, rounded int64) error {
	if n := max(exact, rounded); n > maxSeconds {
		return timesheet.Errorf(timesheet.CodeOutOfRange, "period", "the sum of %d seconds is too large; narrow the period", n)
	}
	return nil
}

// totals divides the amounts, once. What the API's numbers cannot carry is
// refused.
func (t *tally) totals() (timesheet.Totals, error) {
	sum := timesheet.Totals{
		ExactSeconds: t.exact, Seconds: t.seconds, BillableSeconds: t.billable, EntryCount: t.entries,
		Amounts: make([]timesheet.Money, len(t.amounts)),
	}
	for i, a := range t.amounts {
		money, err := a.money()
		if err != nil {
			return timesheet.Totals{}, err
		}
		sum.Amounts[i] = money
	}
	return sum, checkSeconds(t.exact, t.seconds)
}

// addTotals adds totals whose amounts have been divided.
func addTotals(sum *timesheet.Totals, other timesheet.Totals) error {
	sum.ExactSeconds += other.ExactSeconds
	sum.Seconds += other.Seconds
	sum.BillableSeconds += other.BillableSeconds
	sum.EntryCount += other.EntryCount
	for _, m := range other.Amounts {
		i, found := slices.BinarySearchFunc(sum.Amounts, m.Currency, func(have timesheet.Money, want string) int { return strings.Compare(have.Currency, want) })
		if !found {
			sum.Amounts = slices.Insert(sum.Amounts, i, timesheet.Money{Currency: m.Currency})
		}
		if m.Minor > 0 && sum.Amounts[i].Minor > math.MaxInt64-m.Minor {
			return timesheet.Errorf(timesheet.CodeOutOfRange, "", "the amount in %s does not fit into 64 bits", m.Currency)
		}
		sum.Amounts[i].Minor += m.Minor
	}
	return checkSeconds(sum.ExactSeconds, sum.Seconds)
}
