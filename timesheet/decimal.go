package timesheet

import (
	"fmt"
	"strconv"
)

// Decimal is the amount as a decimal number in the currency's own unit, such
// as 12.50 for 1250 cents and 1250 for 1250 yen.
func (m Money) Decimal() string {
	digits, known := minorDigits[m.Currency]
	if !known {
		digits = 2
	}
	if digits == 0 {
		return strconv.FormatInt(m.Minor, 10)
	}
	sign, n := "", uint64(m.Minor)
	if m.Minor < 0 {
		sign, n = "-", -n
	}
	text := fmt.Sprintf("%0*d", digits+1, n)
	return sign + text[:len(text)-digits] + "." + text[len(text)-digits:]
}
