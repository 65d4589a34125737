package timesheet_test

import (
	"math"
	"testing"

	"headroom/timesheet"
)

func TestDecimal(t *testing.T) {
	for _, test := range []struct {
		money timesheet.Money
		want  string
	}{
		{timesheet.Money{Minor: 0, Currency: "EUR"}, "0.00"},
		{timesheet.Money{Minor: 5, Currency: "EUR"}, "0.05"},
		{timesheet.Money{Minor: -1250, Currency: "RON"}, "-12.50"},
		{timesheet.Money{Minor: 1250, Currency: "JPY"}, "1250"},
		{timesheet.Money{Minor: -7, Currency: "JPY"}, "-7"},
		{timesheet.Money{Minor: 1, Currency: "KWD"}, "0.001"},
		{timesheet.Money{Minor: 123456, Currency: "CLF"}, "12.3456"},
		{timesheet.Money{Minor: math.MinInt64, Currency: "EUR"}, "-92233720368547758.08"},
	} {
		if got := test.money.Decimal(); got != test.want {
			t.Errorf("%d %s is written as %s, want %s", test.money.Minor, test.money.Currency, got, test.want)
		}
	}
}
