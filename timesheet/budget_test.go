package timesheet

import (
	"fmt"
	"math/big"
	"testing"
)

func TestBurn(t *testing.T) {
	today := NewDate(2026, 2, 10)
	hours := func(h int64) *int64 { return new(h * 3600) }
	for name, c := range map[string]struct {
		budget Budget
		spent  Spent
		want   string
	}{
		"nothing yet":     {Budget{Seconds: hours(100), Period: BudgetTotal, Alerts: []int{50}}, Spent{}, "0 [] never"},
		"just below":      {Budget{Seconds: hours(100), Period: BudgetTotal, Alerts: []int{50, 80}}, Spent{Seconds: 180_000 - 1}, "49.9997 [] never"},
		"just there":      {Budget{Seconds: hours(100), Period: BudgetTotal, Alerts: []int{50, 80}}, Spent{Seconds: 180_000}, "50 [50] never"},
		"two days left":   {Budget{Seconds: hours(100), Period: BudgetTotal}, Spent{Seconds: 98 * 3600, PaceSeconds: 28 * 3600}, "98 [] 2026-02-11"},
		"a second more":   {Budget{Seconds: new(int64(360_001)), Period: BudgetTotal}, Spent{Seconds: 98 * 3600, PaceSeconds: 28 * 3600}, "97.9997 [] 2026-02-12"},
		"in ten years":    {Budget{Seconds: hours(3651), Period: BudgetTotal}, Spent{PaceSeconds: 28 * 3600}, "0 [] 2036-02-08"},
		"later than that": {Budget{Seconds: hours(3652), Period: BudgetTotal}, Spent{PaceSeconds: 28 * 3600}, "0 [] never"},
		"used up":         {Budget{Seconds: hours(100), Period: BudgetTotal, Alerts: []int{50, 100, 120}}, Spent{Seconds: 120 * 3600, PaceSeconds: 3600}, "120 [50 100 120] never"},
		"this month":      {Budget{Seconds: hours(100), Period: BudgetMonthly}, Spent{Seconds: 81 * 3600, PaceSeconds: 28 * 3600}, "81 [] 2026-02-28"},
		"not this month":  {Budget{Seconds: hours(100), Period: BudgetMonthly}, Spent{Seconds: 80 * 3600, PaceSeconds: 28 * 3600}, "80 [] never"},
		"money, half":     {Budget{Money: &Money{2, "EUR"}, Period: BudgetTotal, Alerts: []int{75}}, Spent{X3600: big.NewInt(5400), PaceX3600: big.NewInt(0)}, "75 [75] never 0.02 EUR"},
		"money, exact":    {Budget{Money: &Money{2, "JPY"}, Period: BudgetTotal, Alerts: []int{75}}, Spent{X3600: big.NewInt(5399), PaceX3600: big.NewInt(0)}, "74.9861 [] never 1 JPY"},
		"money, in a day": {Budget{Money: &Money{2, "KWD"}, Period: BudgetTotal}, Spent{X3600: big.NewInt(3600), PaceX3600: big.NewInt(28 * 3600)}, "50 [] 2026-02-10 0.001 KWD"},
	} {
		t.Run(name, func(t *testing.T) {
			burn, err := c.budget.Burn(c.spent, today)
			if err != nil {
				t.Fatal(err)
			}
			got := fmt.Sprintf("%.6g %v never", burn.Percent, burn.Reached)
			if burn.ExhaustedOn != nil {
				got = fmt.Sprintf("%.6g %v %s", burn.Percent, burn.Reached, burn.ExhaustedOn)
			}
			if burn.Money != nil {
				got += " " + burn.Money.String()
			}
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestBudgetsThatAreRefused(t *testing.T) {
	one := new(int64(1))
	for name, c := range map[string]struct {
		in    BudgetInput
		field string
	}{
		"time and money":                 {BudgetInput{Seconds: one, Minor: one}, "seconds"},
		"a currency of time":             {BudgetInput{Seconds: one, Currency: new("EUR")}, "currency"},
		"a currency that does not exist": {BudgetInput{Minor: one, Currency: new("EUX")}, "currency"},
		"nothing":                        {BudgetInput{Seconds: new(int64(0))}, "seconds"},
		"too much":                       {BudgetInput{Minor: new(int64(MaxBudget + 1))}, "minor"},
		"an alert at 0":                  {BudgetInput{Seconds: one, Alerts: []int{0}}, "alerts"},
		"an alert at 1001":               {BudgetInput{Seconds: one, Alerts: []int{1001}}, "alerts"},
		"eleven alerts":                  {BudgetInput{Seconds: one, Alerts: []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}}, "alerts"},
	} {
		_, err := c.in.Budget(Workspace{Currency: "EUR"})
		if broken, ok := AsError(err); !ok || broken.Field != c.field {
			t.Errorf("%s: got %v, want %s to be refused", name, err, c.field)
		}
	}
	if b, err := (BudgetInput{}).Budget(Workspace{Currency: "EUR"}); b != nil || err != nil {
		t.Errorf("neither time nor money: %v, %v", b, err)
	}
}
