package timesheet

import (
	"fmt"
	"strconv"
)

// minorDigits are the decimals of the currencies that have another number of
// them than two (ISO 4217, list one).
var minorDigits = map[string]int{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0,
	"UGX": 0, "UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
	"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
	"CLF": 4, "UYW": 4,
}

// Decimal is the amount as a decimal number in the currency's own unit, such
// as 12.50 for 1250 cents and 1250 for 1250 yen.
func (m Money) Decimal() string {
	digits, special := minorDigits[m.Currency]
	if !special {
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
