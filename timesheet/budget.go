package timesheet

import (
	"math/big"
	"slices"
)

// BudgetPeriod is what a budget is for.
type BudgetPeriod string

// The whole project, or each month of it.
const (
	BudgetTotal   BudgetPeriod = "TOTAL"
	BudgetMonthly BudgetPeriod = "MONTHLY"
)

// Bounds of a budget.
const (
	MaxBudget = 1 << 53 // seconds or minor units
	MaxAlerts = 10
	MaxAlert  = 1000 // percent
)

// Budget is what a project may take: time, or money.
type Budget struct {
	Seconds *int64
	Money   *Money
	Period  BudgetPeriod
	Alerts  []int // percent, ascending
}

// BudgetInput sets a project's budget; with neither time nor money it is taken
// away.
type BudgetInput struct {
	Seconds, Minor *int64
	Currency       *string // nil: the workspace's
	Period         BudgetPeriod
	Alerts         []int
}

// Budget is the input as a budget, nil where it takes one away.
func (in BudgetInput) Budget(w Workspace) (*Budget, error) {
	b := &Budget{Seconds: in.Seconds, Period: in.Period, Alerts: append([]int{}, in.Alerts...)}
	slices.Sort(b.Alerts)
	b.Alerts = slices.Compact(b.Alerts)
	switch {
	case in.Seconds != nil && in.Minor != nil:
		return nil, Errorf(CodeInvalid, "seconds", "a budget is of time or of money: give seconds or minor")
	case in.Currency != nil && in.Minor == nil:
		return nil, Errorf(CodeInvalid, "currency", "only a budget of money has a currency")
	case len(b.Alerts) > MaxAlerts || len(b.Alerts) > 0 && (b.Alerts[0] < 1 || b.Alerts[len(b.Alerts)-1] > MaxAlert):
		return nil, Errorf(CodeInvalid, "alerts", "a budget has at most %d alerts, each from 1 to %d percent", MaxAlerts, MaxAlert)
	case outOfBudget(in.Seconds):
		return nil, Errorf(CodeOutOfRange, "seconds", "a budget is between 1 s and 2^53 s")
	case outOfBudget(in.Minor):
		return nil, Errorf(CodeOutOfRange, "minor", "a budget is between 1 and 2^53 minor units")
	case in.Seconds == nil && in.Minor == nil:
		return nil, nil
	}
	if in.Minor != nil {
		b.Money = &Money{*in.Minor, w.Currency}
		if in.Currency != nil {
			b.Money.Currency = *in.Currency
		}
		return b, CheckCurrency("currency", b.Money.Currency)
	}
	return b, nil
}

func outOfBudget(n *int64) bool { return n != nil && (*n < 1 || *n > MaxBudget) }

// Burn is how much of a budget is used.
type Burn struct {
	From    *Date // the first day of a monthly budget's month; nil: always
	Seconds int64
	Money   *Money // of budgets of money
	Percent float64
	Reached []int // alerts, ascending
	// ExhaustedOn is the day on which the budget will be used up at the pace of
	// PaceDays; nil where it is used up, or will not be in its period or the next
	// ForecastYears.
	ExhaustedOn *Date
}

// PaceDays before today are what a forecast goes by.
const PaceDays = 28

// ForecastYears is how far a pace tells something.
const ForecastYears = 10

// Spent is what was spent on a budget: seconds, and an exact amount of seconds x
// hourly rate in the budget's currency; in its period, and in the last PaceDays.
type Spent struct {
	Seconds, PaceSeconds int64
	X3600, PaceX3600     *big.Int
}

// Burn compares what was spent with the budget. Sums are exact, and the
// forecast assumes that work goes on as before.
func (b Budget) Burn(s Spent, today Date) (Burn, error) {
	used, pace, limit := big.NewInt(s.Seconds), big.NewInt(s.PaceSeconds), new(big.Int)
	burn := Burn{Seconds: s.Seconds}
	if b.Money != nil {
		money, err := MoneyFromBigX3600(s.X3600, b.Money.Currency)
		if err != nil {
			return burn, err
		}
		burn.Money = &money
		used, pace = s.X3600, s.PaceX3600
		limit.Mul(big.NewInt(b.Money.Minor), big.NewInt(3600))
	} else {
		limit.SetInt64(*b.Seconds)
	}
	hundredfold := new(big.Int).Mul(used, big.NewInt(100))
	burn.Percent, _ = new(big.Rat).SetFrac(hundredfold, limit).Float64()
	for _, alert := range b.Alerts {
		if hundredfold.Cmp(new(big.Int).Mul(limit, big.NewInt(int64(alert)))) >= 0 {
			burn.Reached = append(burn.Reached, alert)
		}
	}
	last := today + ForecastYears*365
	if b.Period == BudgetMonthly {
		month := today.Month()
		burn.From, last = &month, (month+31).Month()-1
	}
	burn.ExhaustedOn = exhausted(new(big.Int).Sub(limit, used), pace, today, last)
	return burn, nil
}

// exhausted is the day on which what is left is used up, today's work included,
// if that is the last day at the latest.
func exhausted(left, pace *big.Int, today, last Date) *Date {
	if left.Sign() <= 0 || pace.Sign() <= 0 {
		return nil
	}
	days := new(big.Int).Mul(left, big.NewInt(PaceDays))
	days.Add(days, pace).Sub(days, big.NewInt(1)).Div(days, pace) // rounded up: at least 1
	if days.Cmp(big.NewInt(int64(last-today+1))) > 0 {
		return nil
	}
	return new(today + Date(days.Int64()) - 1)
}
