package timesheet

import "math/big"

// Money is an amount in the currency's minor unit: cents for EUR, whole yen
// for JPY, thousandths for KWD.
type Money struct {
	Minor    int64
	Currency string
}

// MoneyFromX3600 divides an exact sum of seconds x hourly rate by 3600, once,
// half to even, so that rounding never accumulates.
func MoneyFromX3600(x3600 int64, currency string) Money {
	quotient, rest := x3600/3600, x3600%3600
	if rest < 0 {
		quotient, rest = quotient-1, rest+3600
	}
	if rest > 1800 || rest == 1800 && quotient&1 == 1 {
		quotient++
	}
	return Money{Minor: quotient, Currency: currency}
}

// MoneyFromBigX3600 is [MoneyFromX3600] for sums beyond 64 bits; it fails
// where the result itself does not fit.
func MoneyFromBigX3600(x3600 *big.Int, currency string) (Money, error) {
	if x3600.IsInt64() {
		return MoneyFromX3600(x3600.Int64(), currency), nil
	}
	quotient, rest := new(big.Int).DivMod(x3600, big.NewInt(3600), new(big.Int))
	if r := rest.Int64(); r > 1800 || r == 1800 && quotient.Bit(0) == 1 {
		quotient.Add(quotient, big.NewInt(1))
	}
	if !quotient.IsInt64() {
		return Money{}, Errorf(CodeOutOfRange, "", "the amount in %s does not fit into 64 bits", currency)
	}
	return Money{Minor: quotient.Int64(), Currency: currency}, nil
}
