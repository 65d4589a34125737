package csvfile

import (
	"regexp"
	"strconv"
	"strings"
)

// Units of a duration, in seconds.
const (
	perSecond = 1
	perMinute = 60
	perHour   = 3600
	perDay    = 86400
)

var (
	clockForm = regexp.MustCompile(`^(\d{1,5}):(\d{2})(?::(\d{2}))?( ?H| ?MIN)?$`)
	unitsForm = regexp.MustCompile(`^(?:([\d.,]+) ?D(?:AYS?)?)? ?(?:([\d.,]+) ?H(?:OURS?|RS?)?)? ?(?:([\d.,]+) ?M(?:IN(?:UTE)?S?)?\.?)? ?(?:([\d.,]+) ?S(?:EC(?:OND)?S?)?\.?)?$`)
	isoForm   = regexp.MustCompile(`^P(?:([\d.,]+)D)?(?:T(?:([\d.,]+)H)?(?:([\d.,]+)M)?(?:([\d.,]+)S)?)?$`)
)

// parseDuration reads a duration in any of the forms that time trackers
// write, to the nearest second: 1:05:00, 1:05, 18:25 min (minutes and
// seconds), 1h 5m, PT1H5M, and hours as 1.08 or 1,08.
func parseDuration(cell string) (secs int64, ok bool) {
	text := tidy(cell)
	if m := clockForm.FindStringSubmatch(text); m != nil {
		return clockSeconds(m[1], m[2], m[3], strings.TrimSpace(m[4]))
	}
	if secs, ok := parseNumber(text, perHour); ok {
		return secs, true
	}
	for _, form := range []*regexp.Regexp{unitsForm, isoForm} {
		if m := form.FindStringSubmatch(text); m != nil {
			return sumUnits(m[1:])
		}
	}
	return 0, false
}

// clockSeconds adds up h:mm:ss or h:mm, or m:ss where the unit is minutes.
func clockSeconds(a, b, c, unit string) (int64, bool) {
	first, _ := strconv.ParseInt(a, 10, 64) // digits, as matched
	second, _ := strconv.ParseInt(b, 10, 64)
	third, _ := strconv.ParseInt("0"+c, 10, 64)
	if second > 59 || third > 59 || c != "" && unit == "MIN" {
		return 0, false
	}
	if unit == "MIN" {
		return first*perMinute + second, true
	}
	return first*perHour + second*perMinute + third, true
}

// parseMinutes reads a number of minutes. 1,440 is refused, since it can be a
// day or a minute and a half; 45,333 can only be 45 minutes and a third.
func parseMinutes(cell string) (secs int64, ok bool) {
	text := tidy(cell)
	if mark := strings.LastIndexAny(text, ".,"); mark >= 0 && len(text)-mark == 4 {
		thousands, _ := strconv.Atoi(text[:mark]) // 0 where it is no number
		if thousands > 0 && thousands <= 10 {
			return 0, false
		}
	}
	return parseNumber(text, perMinute)
}

// sumUnits adds up days, hours, minutes and seconds; at least one is there.
func sumUnits(parts []string) (total int64, ok bool) {
	for i, unit := range []int64{perDay, perHour, perMinute, perSecond} {
		if parts[i] == "" {
			continue
		}
		secs, fine := parseNumber(parts[i], unit)
		if !fine {
			return 0, false
		}
		total, ok = total+secs, true
	}
	return total, ok
}

// Digits that are read of a number: together they fit into 64 bits, also when
// multiplied by a unit.
const (
	maxWhole    = 7
	maxFraction = 8
)

// parseNumber reads a decimal number of units, with a point or a comma, and
// returns it as seconds, half a second rounded up. Where both marks appear,
// the last is the decimal one and the others group thousands.
func parseNumber(text string, unit int64) (secs int64, ok bool) {
	whole, fraction := text, ""
	if mark := strings.LastIndexAny(text, ".,"); mark >= 0 {
		whole, fraction = text[:mark], text[mark+1:]
		if whole, ok = ungroup(whole, text[mark]); !ok || fraction == "" && whole == "" {
			return 0, false
		}
	} else if text == "" {
		return 0, false
	}
	if !digits(whole) || !digits(fraction) || len(whole) > maxWhole {
		return 0, false
	}
	fraction = fraction[:min(len(fraction), maxFraction)]
	scale := int64(1)
	for range fraction {
		scale *= 10
	}
	n, _ := strconv.ParseInt("0"+whole+fraction, 10, 64) // digits, as checked
	return (n*unit + scale/2) / scale, true
}

// ungroup removes the marks that group thousands: the other one than the
// decimal mark, before every three digits.
func ungroup(whole string, decimal byte) (string, bool) {
	group := map[byte]string{'.': ",", ',': "."}[decimal]
	parts := strings.Split(whole, group)
	for _, part := range parts[1:] {
		if len(part) != 3 {
			return "", false
		}
	}
	return strings.Join(parts, ""), len(parts) == 1 || parts[0] != ""
}

func digits(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}
