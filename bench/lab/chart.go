package lab

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// Chart is one diagram of a picture. Its upright axis is logarithmic.
type Chart struct {
	Title    string
	Across   string    // what the other axis shows
	Marks    []float64 // its marks, the first and the last at its ends
	Log      bool      // it is logarithmic too
	Low, Top float64   // of the upright one
	From, To float64   // a part of the other axis that is shaded; 0, 0: none
	Lines    []Line
}

// Line is a series of a chart. Lines of one name have one colour in all charts.
type Line struct {
	Name string
	X, Y []float64
}

var colours = []string{"#1a7f37", "#1f6feb", "#cf222e", "#9a6700", "#8250df", "#57606a", "#bf3989", "#0e7490"}

const (
	chartWide, chartHigh = 430.0, 250.0
	chartLeft, chartFoot = 52.0, 40.0
	legendWide           = 270.0
)

// Picture draws charts, two beside each other, with a legend below.
func Picture(charts []Chart) string {
	var names []string
	colourOf := map[string]string{}
	for _, c := range charts {
		for _, l := range c.Lines {
			if colourOf[l.Name] == "" {
				colourOf[l.Name] = colours[len(names)%len(colours)]
				names = append(names, l.Name)
			}
		}
	}
	rows, columns := (len(charts)+1)/2, min(2, len(charts))
	width, foot := float64(columns)*(chartWide+10), float64(rows)*chartHigh
	inRow := max(1, int((width-chartLeft)/legendWide))
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" font-family="sans-serif" font-size="11">`+"\n", width, foot+20+18*float64((len(names)+inRow-1)/inRow))
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="#fff"/>`+"\n")
	for i, c := range charts {
		fmt.Fprintf(&b, `<g transform="translate(%g %g)">`+"\n", float64(i%2)*(chartWide+10), float64(i/2)*chartHigh)
		c.draw(&b, colourOf)
		b.WriteString("</g>\n")
	}
	for i, name := range names {
		x, y := chartLeft+float64(i%inRow)*legendWide, foot+14+18*float64(i/inRow)
		fmt.Fprintf(&b, `<path d="M%g %gh18" stroke="%s" stroke-width="2.5"/><text x="%g" y="%g">%s</text>`+"\n", x, y, colourOf[name], x+23, y+4, html.EscapeString(name))
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func (c Chart) draw(b *strings.Builder, colourOf map[string]string) {
	fmt.Fprintf(b, `<text x="%g" y="14" font-weight="bold">%s</text>`+"\n", chartLeft, html.EscapeString(c.Title))
	if c.To > c.From {
		x1, y1 := c.place(c.From, c.Top)
		x2, y2 := c.place(c.To, c.Low)
		fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="#f3f4f6"/>`+"\n", x1, y1, x2-x1, y2-y1)
	}
	for v := c.Low; v <= c.Top*1.01; v *= 10 {
		x, y := c.place(c.Marks[0], v)
		end, _ := c.place(c.Marks[len(c.Marks)-1], v)
		fmt.Fprintf(b, `<path d="M%.1f %.1fH%.1f" stroke="#ddd"/><text x="%.1f" y="%.1f" text-anchor="end">%s</text>`+"\n", x, y, end, x-5, y+4, Short(v))
	}
	for _, mark := range c.Marks {
		x, y := c.place(mark, c.Low)
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle">%s</text>`+"\n", x, y+15, Short(mark))
	}
	x, y := c.place(c.Marks[len(c.Marks)-1], c.Low)
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="end" fill="#57606a">%s</text>`+"\n", x, y+29, html.EscapeString(c.Across))
	for _, l := range c.Lines {
		var points []string
		for i := range l.X {
			x, y := c.place(l.X[i], l.Y[i])
			points = append(points, fmt.Sprintf("%.1f,%.1f", x, y))
			fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="2.2" fill="%s"/>`+"\n", x, y, colourOf[l.Name])
		}
		fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="1.5"/>`+"\n", strings.Join(points, " "), colourOf[l.Name])
	}
}

// place is where a point lies; what is beyond an end lies at the end.
func (c Chart) place(across, up float64) (x, y float64) {
	first, last := c.Marks[0], c.Marks[len(c.Marks)-1]
	if c.Log {
		first, last, across = math.Log(first), math.Log(last), math.Log(across)
	}
	share := math.Log(min(max(up, c.Low), c.Top)/c.Low) / math.Log(c.Top/c.Low)
	return chartLeft + (across-first)/(last-first)*(chartWide-chartLeft-16), chartHigh - chartFoot - share*(chartHigh-chartFoot-26)
}

// Short writes a number for an axis or a table.
func Short(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%g M", v/1e6)
	case v >= 1e3:
		return fmt.Sprintf("%g k", v/1e3)
	}
	return fmt.Sprintf("%g", v)
}
