package main

import (
	"headroom/limits"
	"math"
	"math/rand/v2"
	"slices"
)

// An estimate is one way to foretell milliseconds: it learns from some draws and
// forecasts others.
type estimate struct {
	name  string
	learn func(train []*draw) func(*draw) float64
}

func estimates() []estimate {
	return []estimate{
		{"headroom: counts, a line for each statement", func(train []*draw) func(*draw) float64 {
			l := teach(train)
			return func(d *draw) float64 { return float64(l.Forecast(&d.price)) / 1e6 }
		}},
		{"points alone, one scale", scaled(func(d *draw) float64 { return d.Points })},
		{"average of the operation", average},
		{"counting fields, one scale", scaled(func(d *draw) float64 { return d.Fields })},
		{"the planner, a line for each operation", plannerLines},
	}
}

// splitOf draws seven tenths of the workspaces, of each size alike.
func splitOf(r *rand.Rand, n int) map[int]bool {
	teaches := map[int]bool{}
	for from := 0; from < n; from += 10 {
		some := r.Perm(min(10, n-from))
		for _, i := range some[:int(math.Round(0.7*float64(len(some))))] {
			teaches[from+i] = true
		}
	}
	return teaches
}

func taught(draws []*draw, split map[int]bool) *limits.Learner {
	train, _ := cut(draws, split)
	return teach(train)
}

func cut(draws []*draw, split map[int]bool) (train, test []*draw) {
	for _, d := range draws {
		if split[d.Workspace] {
			train = append(train, d)
		} else {
			test = append(test, d)
		}
	}
	return train, test
}

// teach has a server's learner see what was measured, and share it as servers do.
func teach(train []*draw) *limits.Learner {
	l := limits.NewLearner()
	var saved []limits.Lesson
	for i, d := range train {
		for _, ms := range d.Times {
			l.Learn(&d.price, ms)
		}
		if i%40 == 39 {
			saved = l.Exchange(saved)
		}
	}
	l.Exchange(saved)
	return l
}

// scaled is a number times what it has to be multiplied with in the median.
func scaled(of func(*draw) float64) func([]*draw) func(*draw) float64 {
	return func(train []*draw) func(*draw) float64 {
		var ratios []float64
		for _, d := range train {
			ratios = append(ratios, d.actual()/max(of(d), 1e-6))
		}
		scale := median(ratios)
		return func(d *draw) float64 { return scale * of(d) }
	}
}

func average(train []*draw) func(*draw) float64 {
	sums, n := map[string]float64{}, map[string]float64{}
	for _, d := range train {
		sums[d.Operation] += d.actual()
		n[d.Operation]++
	}
	return func(d *draw) float64 { return sums[d.Operation] / max(n[d.Operation], 1) }
}

// plannerLines are a + b x cost for each operation, by the same learner.
func plannerLines(train []*draw) func(*draw) float64 {
	priced := func(d *draw) limits.Price {
		cost := d.Plan / 100
		return limits.Price{Expected: cost, Fields: []limits.FieldPrice{{Root: true, Mostly: d.Operation, Expected: cost}}}
	}
	var twins []*draw
	for _, d := range train {
		twins = append(twins, &draw{Times: d.Times, price: priced(d)})
	}
	l := teach(twins)
	return func(d *draw) float64 { p := priced(d); return float64(l.Forecast(&p)) / 1e6 }
}

// score is how an estimate does on draws it has not seen, over all splits.
type score struct {
	Name                  string
	Draws                 int
	Judged                int     // of 2 ms and more
	Median, P90, P95      float64 // factors, of 2 ms and more
	Close, Near           float64 // shares within 1.41 and 2.8, of 2 ms and more
	Small                 float64 // share within 1 ms, below 2 ms
	Good                  float64 // share of all: within 2.8, or within 1 ms below 2 ms
	Under                 float64 // a split: under-priced beyond x 10 by more than 20 ms
	Bias                  [4]float64
	Classes               [4]int
	WorkWeighted          float64 // median factor, weighted by work, from 5 ms
	worst                 float64
	Worst                 string
	factors, small, heavy []float64
	weights               []float64
	biases                [4][]float64
	under                 int
	good                  int
}

var classes = [...]float64{2, 5, 20, 100, math.Inf(1)}

func judge(draws []*draw, workspaces, splits int, seed uint64) []score {
	var out []score
	for _, e := range estimates() {
		s := score{Name: e.name}
		r := rand.New(rand.NewPCG(seed, 2)) // the same splits for all
		for range splits {
			train, test := cut(draws, splitOf(r, workspaces))
			forecast := e.learn(train)
			for _, d := range test {
				s.add(d, forecast(d))
			}
		}
		s.close(splits)
		out = append(out, s)
	}
	return out
}

func (s *score) add(d *draw, forecast float64) {
	actual := d.actual()
	s.Draws++
	if actual-forecast > 20 && actual > 10*forecast {
		s.under++
	}
	if actual < 2 {
		off := math.Abs(actual - forecast)
		s.small = append(s.small, off)
		if off <= 1 {
			s.good++
		}
		return
	}
	ratio := math.Log2(actual / max(forecast, 1e-6))
	s.factors = append(s.factors, math.Abs(ratio))
	if math.Abs(ratio) > s.worst {
		s.worst, s.Worst = math.Abs(ratio), d.Operation
	}
	if math.Abs(ratio) <= math.Log2(2.8) {
		s.good++
	}
	if actual >= 5 {
		s.heavy, s.weights = append(s.heavy, math.Abs(ratio)), append(s.weights, actual)
	}
	for i := range s.biases {
		if actual >= classes[i] && actual < classes[i+1] {
			s.biases[i] = append(s.biases[i], ratio)
		}
	}
}

func (s *score) close(splits int) {
	s.Judged = len(s.factors)
	s.Close, s.Near, s.Small = within(s.factors, 0.5), within(s.factors, math.Log2(2.8)), within(s.small, 1)
	s.Median, s.P90, s.P95 = math.Exp2(quantile(s.factors, 0.5)), math.Exp2(quantile(s.factors, 0.9)), math.Exp2(quantile(s.factors, 0.95))
	s.Good = float64(s.good) / float64(max(1, s.Draws))
	s.Under = float64(s.under) / float64(splits)
	s.WorkWeighted = math.Exp2(weightedMedian(s.heavy, s.weights))
	for i := range s.biases {
		s.Classes[i], s.Bias[i] = len(s.biases[i]), math.Exp2(quantile(s.biases[i], 0.5))
	}
}

func within(v []float64, limit float64) float64 {
	n := 0
	for _, x := range v {
		if x <= limit {
			n++
		}
	}
	return float64(n) / float64(max(1, len(v)))
}

func quantile(v []float64, q float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	sorted := slices.Clone(v)
	slices.Sort(sorted)
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

func median(v []float64) float64 { return quantile(v, 0.5) }

func weightedMedian(v, weights []float64) float64 {
	order := make([]int, len(v))
	total := 0.0
	for i := range v {
		order[i] = i
		total += weights[i]
	}
	slices.SortFunc(order, func(a, b int) int { return int(math.Copysign(1, v[a]-v[b])) })
	sum := 0.0
	for _, i := range order {
		if sum += weights[i]; sum >= total/2 {
			return v[i]
		}
	}
	return math.NaN()
}

// judgeEach judges the first estimate for each operation by itself.
func judgeEach(draws []*draw, workspaces int, o options) map[string]*score {
	out := map[string]*score{}
	r := rand.New(rand.NewPCG(o.seed, 2))
	e := estimates()[0]
	for range o.splits {
		train, test := cut(draws, splitOf(r, workspaces))
		forecast := e.learn(train)
		for _, d := range test {
			if out[d.Operation] == nil {
				out[d.Operation] = &score{}
			}
			out[d.Operation].add(d, forecast(d))
		}
	}
	for _, s := range out {
		s.close(o.splits)
	}
	return out
}

// all is the median of the logarithms over all sizes from 2 ms on.
func (s *score) all() float64 {
	var every []float64
	for _, v := range s.biases {
		every = append(every, v...)
	}
	return quantile(every, 0.5)
}
