package timesheet

import "strings"

// The active currencies of ISO 4217 by the digits of their minor unit. Funds,
// metals and codes for tests are left out.
var minorDigits = func() map[string]int {
	digits := map[string]int{}
	for n, codes := range map[int]string{
		0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
		2: `AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP
			CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR
			JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN
			NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP
			SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG`,
		3: "BHD IQD JOD KWD LYD OMR TND",
		4: "CLF UYW",
	} {
		for code := range strings.FieldsSeq(codes) {
			digits[code] = n
		}
	}
	return digits
}()

// CheckCurrency refuses what is no active currency of ISO 4217.
func CheckCurrency(field, code string) error {
	if _, ok := minorDigits[code]; ok {
		return nil
	}
	return Errorf(CodeInvalid, field, "%q is no currency of ISO 4217; write it as EUR", code)
}

// String is the amount with its currency, such as 12.50 EUR, 1250 JPY or
// 1.250 KWD.
func (m Money) String() string { return m.Decimal() + " " + m.Currency }
