package loadtest

import (
	"math"
	"strconv"
	"strings"
)

// chart is one picture of the page: areas stacked from the bottom, lines over
// them, stretches of time behind, and promised limits across. Its text is HTML
// around the drawing, so that it stays readable at any width.
type chart struct {
	ID     string
	Title  string
	Note   string // what there is to see, in a sentence
	X, Y   scale
	Bands  []band
	Areas  []mark
	Lines  []mark
	Limits []limitLine
	Table  figures
}

// The drawing's own units. It is stretched to the width there is; strokes are
// not.
const (
	chartWide = 1500
	chartHigh = 300
)

// scale maps values to the drawing.
type scale struct {
	Label    string
	Min, Max float64
	Log      bool
	Ticks    []axisTick
}

type axisTick struct {
	Value float64
	Text  string
}

// mark is an area or a line, with its name for the legend.
type mark struct {
	Name string
	Kind string // the class of its colours
	Path string
}

// band is a stretch of time with a name.
type band struct {
	Name     string
	From, To float64
	Odd      bool
}

// limitLine is a value across the whole width.
type limitLine struct {
	Name  string
	Value float64
}

// figures are what a chart shows, as a table.
type figures struct {
	Head []string
	Rows [][]string
}

// at is where a value lies on the scale, from 0 to 1; values beyond lie on the
// edge.
func (s scale) at(value float64) float64 {
	low, high := s.Min, s.Max
	if s.Log {
		low, high, value = math.Log(low), math.Log(high), math.Log(math.Max(value, s.Min))
	}
	return min(1, max(0, (value-low)/(high-low)))
}

// Left and Bottom place text over the drawing, in per cent.
func (c *chart) Left(value float64) string   { return trim(100 * c.X.at(value)) }
func (c *chart) Bottom(value float64) string { return trim(100 * c.Y.at(value)) }

// Wide is the width of a band in per cent.
func (c *chart) Wide(b band) string { return trim(100 * (c.X.at(b.To) - c.X.at(b.From))) }

func trim(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }

// xy is a point of the drawing, whose y runs downwards.
func (c *chart) xy(x, y float64) (int, int) {
	return int(math.Round(c.X.at(x) * chartWide)), int(math.Round((1 - c.Y.at(y)) * chartHigh))
}

// line adds a line through points; it breaks where y is NaN.
func (c *chart) line(name, kind string, x, y []float64) {
	var d strings.Builder
	pen := false
	for i := range x {
		if math.IsNaN(y[i]) {
			pen = false
			continue
		}
		c.point(&d, pen, x[i], y[i])
		pen = true
	}
	c.Lines = append(c.Lines, mark{name, kind, d.String()})
}

func (c *chart) point(d *strings.Builder, pen bool, x, y float64) {
	px, py := c.xy(x, y)
	letter := byte('M')
	if pen {
		letter = 'L'
	}
	d.WriteByte(letter)
	d.WriteString(strconv.Itoa(px))
	d.WriteByte(' ')
	d.WriteString(strconv.Itoa(py))
}

// between adds the area between two lines over the same x.
func (c *chart) between(name, kind string, x, low, high []float64) {
	var d strings.Builder
	pen := false
	for i := range x {
		c.point(&d, pen, x[i], high[i])
		pen = true
	}
	for i := range x {
		at := len(x) - 1 - i
		c.point(&d, true, x[at], low[at])
	}
	if d.Len() > 0 {
		d.WriteByte('Z')
	}
	c.Areas = append(c.Areas, mark{name, kind, d.String()})
}

// stack adds areas one on top of the other. Parts that are nought throughout
// are left out.
func (c *chart) stack(x []float64, parts []part) {
	base := make([]float64, len(x))
	for _, p := range parts {
		if p.empty() {
			continue
		}
		top := make([]float64, len(x))
		for i := range x {
			top[i] = base[i] + p.values[i]
		}
		c.between(p.name, p.kind, x, base, top)
		base = top
	}
}

// part is one of several values that add up.
type part struct {
	name, kind string
	values     []float64
}

func (p part) empty() bool {
	for _, v := range p.values {
		if v != 0 {
			return false
		}
	}
	return true
}

// linear is a scale from 0 to a round number at or above most, with about four
// steps.
func linear(label string, most float64) scale {
	if !(most > 0) {
		most = 1
	}
	step := math.Pow10(int(math.Floor(math.Log10(most))))
	for _, f := range []float64{0.2, 0.25, 0.5, 1, 2, 2.5} {
		if most/(step*f) <= 5 {
			step *= f
			break
		}
	}
	s := scale{Label: label, Max: math.Ceil(most/step-rounding) * step}
	for i := 0; float64(i)*step <= s.Max+step/2; i++ {
		s.Ticks = append(s.Ticks, axisTick{float64(i) * step, number(float64(i) * step)})
	}
	return s
}

// logarithmic is a scale of durations in milliseconds whose ticks are powers of
// ten.
func logarithmic(label string, least, most float64) scale {
	if !(least > 0) || !(most > 0) {
		least, most = 1, 1
	}
	low, high := math.Floor(math.Log10(least)), math.Ceil(math.Log10(most))
	if high <= low {
		high = low + 1
	}
	s := scale{Label: label, Min: math.Pow(10, low), Max: math.Pow(10, high), Log: true}
	for e := low; e <= high; e++ {
		s.Ticks = append(s.Ticks, axisTick{math.Pow(10, e), millis(math.Pow(10, e))})
	}
	return s
}

// clock is a scale of seconds.
func clock(most float64) scale {
	most = math.Max(most, 1)
	step := most
	for _, nice := range []float64{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600} {
		if most/nice <= 8 {
			step = nice
			break
		}
	}
	s := scale{Label: "time", Max: most}
	for at := 0.0; at <= most+rounding; at += step {
		s.Ticks = append(s.Ticks, axisTick{at, moment(at)})
	}
	return s
}

// moment shows seconds as m:ss from a minute on.
func moment(seconds float64) string {
	whole := int(math.Round(seconds))
	if whole < 60 {
		return strconv.Itoa(whole) + " s"
	}
	rest := strconv.Itoa(whole % 60)
	if len(rest) == 1 {
		rest = "0" + rest
	}
	return strconv.Itoa(whole/60) + ":" + rest
}

// number shows three digits at most, thousands apart.
func number(v float64) string {
	if math.Abs(v) < 1000 {
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	text := strconv.FormatFloat(v, 'f', 0, 64)
	for at := len(text) - 3; at > 0 && text[at-1] != '-'; at -= 3 {
		text = text[:at] + "\u202f" + text[at:]
	}
	return text
}

// millis shows milliseconds, from a second on as seconds.
func millis(ms float64) string {
	switch {
	case math.IsNaN(ms):
		return "–"
	case ms >= 1000:
		return strconv.FormatFloat(ms/1000, 'g', 3, 64) + " s"
	}
	return strconv.FormatFloat(ms, 'g', 3, 64) + " ms"
}
