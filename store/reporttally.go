package store

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"headroom/timesheet"
)

// tally adds up entries exactly. Amounts stay seconds times hourly rate until
// totals divides them.
type tally struct {
	entries, seconds, billable int64
	amounts                    []amount // by currency, in alphabetical order
}

// amount is a sum of seconds x hourly rate in minor units, which can be beyond
// 64 bits while the money it stands for is not.
type amount struct {
	currency string
	x3600    *big.Int
}

// tallyOf counts one finished entry.
func tallyOf(e timesheet.TimeEntry) tally {
	t := tally{entries: 1, seconds: *e.Seconds, amounts: []amount{{e.Currency, big.NewInt(*e.AmountX3600)}}}
	if e.Billable {
		t.billable = t.seconds
	}
	return t
}

// setAmount reads a sum in the one currency of a database row.
func (t *tally) setAmount(currency, x3600 string) error {
	n, ok := new(big.Int).SetString(x3600, 10)
	if !ok {
		return fmt.Errorf("the database sent %q for an amount", x3600)
	}
	t.amounts = []amount{{currency, n}}
	return nil
}

// add adds another tally, which stays as it is.
func (t *tally) add(other tally) {
	t.entries += other.entries
	t.seconds += other.seconds
	t.billable += other.billable
	for _, a := range other.amounts {
		i, found := slices.BinarySearchFunc(t.amounts, a.currency, func(have amount, want string) int { return strings.Compare(have.currency, want) })
		if !found {
			t.amounts = slices.Insert(t.amounts, i, amount{a.currency, new(big.Int)})
		}
		t.amounts[i].x3600.Add(t.amounts[i].x3600, a.x3600)
	}
}

// maxSeconds is the largest whole number that JSON carries exactly.
const maxSeconds = 1 << 53

// totals divides the amounts, once. What the API's numbers cannot carry is
// refused.
func (t *tally) totals() (timesheet.Totals, error) {
	if t.seconds > maxSeconds {
		return timesheet.Totals{}, timesheet.Errorf(timesheet.CodeOutOfRange, "period", "the sum of %d seconds is too large; narrow the period", t.seconds)
	}
	sum := timesheet.Totals{
		ExactSeconds: t.seconds, Seconds: t.seconds, BillableSeconds: t.billable, EntryCount: t.entries,
		Amounts: make([]timesheet.Money, len(t.amounts)),
	}
	for i, a := range t.amounts {
		money, err := timesheet.MoneyFromBigX3600(a.x3600, a.currency)
		if err != nil {
			return timesheet.Totals{}, err
		}
		sum.Amounts[i] = money
	}
	return sum, nil
}
