package main

import (
	"fmt"
	"html"
	"math"
	"strings"

	"bench/lab"
)

// curves are the lines of the picture: the same reports as ours and by the book.
var curves = []struct{ name, colour string }{
	{"one month by project", "#1f6feb"},
	{"one year by client, project, user", "#1a7f37"},
	{"36 months, project x month", "#9a6700"},
}

const (
	wide, high   = 460.0, 320.0
	left, bottom = 60.0, 40.0
)

// picture draws latency and rows read over the number of entries, both axes
// logarithmic: what grows with entries rises, what does not is level.
func (r *results) picture() string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" font-family="sans-serif" font-size="11">`+"\n", 2*wide+40, high+90)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="#fff"/>`+"\n")
	r.panel(&b, 0, "milliseconds", 0.1, 1e5, "", ", textbook")
	r.panel(&b, wide+20, "rows read", 10, 1e8, ", rows read", ", rows read by the textbook")
	y := high + 20
	for i, c := range curves {
		fmt.Fprintf(&b, `<text x="%g" y="%g" fill="%s">%s (dashed: by the textbook)</text>`+"\n", left, y+float64(i)*16, c.colour, html.EscapeString(c.name))
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func (r *results) panel(b *strings.Builder, x0 float64, title string, low, top float64, ours, naive string) {
	place := func(size, value float64) (x, y float64) {
		fx := (math.Log10(size) - math.Log10(0.05)) / (math.Log10(20) - math.Log10(0.05))
		fy := (math.Log10(max(value, low)) - math.Log10(low)) / (math.Log10(top) - math.Log10(low))
		return x0 + left + fx*(wide-left-10), high - bottom - fy*(high-bottom-30)
	}
	fmt.Fprintf(b, `<text x="%g" y="16" font-weight="bold">%s</text>`+"\n", x0+left, title)
	for v := low; v <= top*1.01; v *= 10 {
		_, y := place(1, v)
		fmt.Fprintf(b, `<path d="M%g %gH%g" stroke="#ddd"/><text x="%g" y="%g" text-anchor="end">%s</text>`+"\n", x0+left, y, x0+wide-10, x0+left-6, y+4, lab.Short(v))
	}
	for _, size := range r.sizes {
		x, _ := place(size, low)
		fmt.Fprintf(b, `<text x="%g" y="%g" text-anchor="middle">%g M</text>`+"\n", x, high-bottom+18, size)
	}
	for _, c := range curves {
		r.line(b, c.name+ours, c.colour, "", place)
		r.line(b, c.name+naive, c.colour, ` stroke-dasharray="4 3"`, place)
	}
}

func (r *results) line(b *strings.Builder, what, colour, dash string, place func(size, value float64) (x, y float64)) {
	var points []string
	for _, size := range r.sizes {
		if s, ok := r.find(what, size); ok {
			x, y := place(size, s.median())
			points = append(points, fmt.Sprintf("%.1f,%.1f", x, y))
			fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="2.5" fill="%s"/>`+"\n", x, y, colour)
		}
	}
	if len(points) > 0 {
		fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="1.5"%s/>`+"\n", strings.Join(points, " "), colour, dash)
	}
}
