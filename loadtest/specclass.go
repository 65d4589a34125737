package loadtest

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"time"

	"github.com/goccy/go-yaml/ast"
)

func (s *spec) readClasses(node ast.Node) {
	s.each(node, "classes", func(name string, _, v ast.Node) {
		class := Class(name)
		c := &classSpec{patience: patienceOf(class)}
		s.classes[class], s.order = c, append(s.order, class)
		s.object(v, "a class",
			field{"late", func(n ast.Node) { c.patience.Late = s.duration(n, "late") }},
			field{"abandon", func(n ast.Node) { c.patience.Abandon = s.duration(n, "abandon") }},
			field{"slo", func(n ast.Node) { c.objectives = s.objectives(n, class) }})
		if c.patience.Late > c.patience.Abandon {
			s.fail(v, "late (%v) must not be more than abandon (%v)", c.patience.Late, c.patience.Abandon)
		}
	})
}

var latencyKey = regexp.MustCompile(`^(shed )?p(\d\d?(?:\.\d{1,3})?)$`)

// objectives reads promises such as {p99: 100ms, ok: 99.9%, shed: 0}.
func (s *spec) objectives(node ast.Node, class Class) (list []Objective) {
	s.each(node, "slo", func(key string, at, v ast.Node) {
		if m := latencyKey.FindStringSubmatch(key); m != nil {
			list = append(list, s.latency(v, key, class, m[1] != "", m[2]))
			return
		}
		switch key {
		case "ok":
			list = append(list, okShare(class, s.promise(v, key)))
		case "shed":
			list = append(list, shedBudget(class, s.share(v, key)))
		case "told alike":
			list = append(list, toldAlike(class, s.share(v, key)))
		case "answered":
			list = append(list, okOrShed(class, s.promise(v, key)))
		default:
			s.fail(at, "unknown objective %q%s", key, suggest(key, []string{"p50", "p95", "p99", "ok", "shed", "answered", "shed p99", "told alike"}))
		}
	})
	return list
}

// promise reads the least share of answers that are good.
func (s *spec) promise(node ast.Node, key string) float64 {
	share := s.share(node, key)
	if share == 0 {
		s.fail(node, "%s of 0 promises nothing", key)
	}
	return share
}

func (s *spec) latency(node ast.Node, key string, class Class, shed bool, digits string) Objective {
	percent, err := strconv.ParseFloat(digits, 64)
	if err != nil || percent <= 0 {
		s.fail(node, "%q is no percentile", key)
	}
	limit := s.duration(node, key)
	if limit == 0 {
		s.fail(node, "%s must be more than 0", key)
	}
	q := math.Round(percent*1000) / 100_000
	if shed {
		return shedWithin(class, q, limit)
	}
	return within(class, q, limit)
}

// rateSpec is a shape that is still to be scaled, or a share of what the server
// can do.
type rateSpec struct {
	at     ast.Node
	shape  func(scale float64, d time.Duration, stretch float64) (Shape, error)
	mean   float64 // a second, roughly: the rate that --rate replaces
	share  float64 // of what the server can do, if of is set
	of     Class
	atMost float64
}

// rate reads a shape of arrivals: 80, 100..300, [150, 200], or keys.
func (s *spec) rate(node ast.Node) *rateSpec {
	r := &rateSpec{at: node}
	switch n := node.(type) {
	case *ast.SequenceNode:
		s.stepped(r, n)
	case *ast.MappingNode, *ast.MappingValueNode:
		s.shaped(r, node)
	default:
		s.straight(r, node)
	}
	return r
}

var ramp = regexp.MustCompile(`^(\d+(?:\.\d+)?)\.\.(\d+(?:\.\d+)?)$`)

func (s *spec) straight(r *rateSpec, node ast.Node) {
	from, to := 0.0, 0.0
	if m := ramp.FindStringSubmatch(node.GetToken().Value); m != nil {
		from, _ = strconv.ParseFloat(m[1], 64) // both are digits
		to, _ = strconv.ParseFloat(m[2], 64)
		if max(from, to) > maxRate {
			s.fail(node, "rate must be at most %d a second", maxRate)
		}
	} else {
		from = s.arrivals(node, "rate")
		to = from
	}
	r.mean = (from + to) / 2
	r.shape = func(scale float64, d time.Duration, _ float64) (Shape, error) {
		return Line{from * scale, to * scale, d}, nil
	}
}

// arrivals reads a number of arrivals a second.
func (s *spec) arrivals(node ast.Node, what string) float64 {
	return s.number(node, what, 0, maxRate)
}

func (s *spec) stepped(r *rateSpec, node *ast.SequenceNode) {
	var rates []float64
	for _, item := range node.Values {
		rates = append(rates, s.arrivals(item, "rate"))
		r.mean += rates[len(rates)-1] / float64(len(node.Values))
	}
	if len(rates) == 0 {
		s.fail(node, "rate has no steps")
	}
	r.shape = func(scale float64, d time.Duration, _ float64) (Shape, error) {
		scaled := make([]float64, 0, len(rates))
		for _, rate := range rates {
			scaled = append(scaled, rate*scale)
		}
		return steps(scaled, d), nil
	}
}

// shaped reads a rate given by keys: a share of what the server can do, or one
// of the other shapes around a base.
func (s *spec) shaped(r *rateSpec, node ast.Node) {
	base := 0.0
	s.object(node, "rate",
		field{"share", func(n ast.Node) { r.share = s.number(n, "share", 0.01, 100) }},
		field{"of", func(n ast.Node) { r.of = s.class(n) }},
		field{"at most", func(n ast.Node) { r.atMost = s.arrivals(n, "at most") }},
		field{"base", func(n ast.Node) { base = s.arrivals(n, "base"); r.mean = base }},
		field{"spike", func(n ast.Node) { s.spike(r, n, &base) }},
		field{"outage", func(n ast.Node) { s.outage(r, n, &base) }},
		field{"sine", func(n ast.Node) { s.sine(r, n) }},
		field{"sum", func(n ast.Node) { s.sum(r, n) }})
	if (r.of != "") == (r.shape != nil) || (r.of != "") != (r.share > 0) {
		s.fail(node, "rate needs share with of, or one of spike, outage, sine and sum")
	}
}

func (s *spec) spike(r *rateSpec, node ast.Node, base *float64) {
	var to float64
	var at, rise, hold, fall time.Duration
	s.object(node, "spike",
		field{"at", func(n ast.Node) { at = s.duration(n, "at") }},
		field{"to", func(n ast.Node) { to = s.arrivals(n, "to") }},
		field{"rise", func(n ast.Node) { rise = s.duration(n, "rise") }},
		field{"hold", func(n ast.Node) { hold = s.duration(n, "hold") }},
		field{"fall", func(n ast.Node) { fall = s.duration(n, "fall") }})
	r.shape = func(scale float64, d time.Duration, stretch float64) (Shape, error) {
		return spike(*base*scale, to*scale, stretched(at, stretch), stretched(rise, stretch), stretched(hold, stretch), stretched(fall, stretch), d)
	}
}

// stretched is a time within a phase whose length was changed.
func stretched(d time.Duration, stretch float64) time.Duration {
	return time.Duration(float64(d) * stretch)
}

func (s *spec) outage(r *rateSpec, node ast.Node, base *float64) {
	var at, gone time.Duration
	s.object(node, "outage",
		field{"at", func(n ast.Node) { at = s.duration(n, "at") }},
		field{"for", func(n ast.Node) { gone = s.duration(n, "for") }})
	r.shape = func(scale float64, d time.Duration, stretch float64) (Shape, error) {
		return outage(*base*scale, stretched(at, stretch), stretched(gone, stretch), d)
	}
}

func (s *spec) sine(r *rateSpec, node ast.Node) {
	var amplitude float64
	var period time.Duration
	s.object(node, "sine",
		field{"mean", func(n ast.Node) { r.mean = s.arrivals(n, "mean") }},
		field{"amplitude", func(n ast.Node) { amplitude = s.arrivals(n, "amplitude") }},
		field{"period", func(n ast.Node) { period = s.duration(n, "period") }})
	mean := r.mean
	r.shape = func(scale float64, d time.Duration, stretch float64) (Shape, error) {
		return Sine{mean * scale, amplitude * scale, stretched(period, stretch), d}, nil
	}
}

func (s *spec) sum(r *rateSpec, node ast.Node) {
	var parts []*rateSpec
	s.items(node, "sum", func(n ast.Node) {
		part := s.rate(n)
		if part.of != "" {
			s.fail(n, "a share of what the server can do cannot be part of a sum")
		}
		parts = append(parts, part)
		r.mean += part.mean
	})
	r.shape = func(scale float64, d time.Duration, stretch float64) (Shape, error) {
		var sum Sum
		for _, part := range parts {
			shape, err := part.shape(scale, d, stretch)
			if err != nil {
				return nil, err
			}
			sum = append(sum, shape)
		}
		if len(sum) == 0 {
			return nil, fmt.Errorf("a sum of nothing")
		}
		return sum, nil
	}
}
