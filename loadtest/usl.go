package loadtest

import (
	"cmp"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
)

// A step is what a server did at one level of load, none of it refused.
type step struct {
	Goodput float64 // operations a second that were answered right
	Mean    float64 // seconds that one took, sent to answered
}

// inFlight is the concurrency at which the server worked (Little's law).
func (s step) inFlight() float64 { return s.Goodput * s.Mean }

// scaling is the universal scalability law: goodput at concurrency N is
// Lambda*N / (1 + Sigma*(N-1) + Kappa*N*(N-1)).
type scaling struct {
	Lambda float64 `json:"lambda"` // operations a second of one at a time
	Sigma  float64 `json:"sigma"`  // share that waits for one another
	Kappa  float64 `json:"kappa"`  // share spent on keeping one another informed
	Most   float64 `json:"most"`   // the greatest goodput
	Low    float64 `json:"low"`    // 90 % of the resampled fits have their greatest goodput between Low and High
	High   float64 `json:"high"`
}

// at is the goodput at a concurrency.
func (s scaling) at(n float64) float64 {
	return s.Lambda * n / (1 + s.Sigma*(n-1) + s.Kappa*n*(n-1))
}

// peak is the concurrency of the greatest goodput; infinite without Kappa.
func (s scaling) peak() float64 { return math.Sqrt((1 - s.Sigma) / s.Kappa) }

// Why there may be no fit. A curve through points that all lie before the knee
// can put the knee anywhere.
var (
	errFewSteps  = errors.New("fewer than 6 steps without refusals")
	errNoKnee    = errors.New("the steps do not reach past the knee, where more load brings no more answers")
	errWideKnee  = errors.New("the steps leave the greatest rate open by more than 25 %")
	errScattered = errors.New("the steps lie on no curve of this kind")
)

// Bounds of what is called a fit.
const (
	leastSteps = 6
	widest     = 0.25 // of the greatest goodput, to either side
	resamples  = 1000
)

// fitScaling fits the law to steps and says how far the greatest goodput may
// be trusted, by fitting it again to steps drawn from the same ones.
func fitScaling(steps []step) (scaling, error) {
	if len(steps) < leastSteps {
		return scaling{}, errFewSteps
	}
	s, ok := leastSquares(steps)
	if !ok {
		return scaling{}, errScattered
	}
	most := slices.MaxFunc(steps, func(a, b step) int { return cmp.Compare(a.inFlight(), b.inFlight()) })
	if s.Kappa == 0 || s.Sigma >= 1 || most.inFlight() < s.peak() {
		return scaling{}, errNoKnee
	}
	s.Most = s.at(s.peak())
	peaks := make([]float64, 0, resamples)
	for _, f := range resampled(steps) {
		if f.Kappa == 0 || f.Sigma >= 1 {
			peaks = append(peaks, math.Inf(1))
			continue
		}
		peaks = append(peaks, f.at(f.peak()))
	}
	for len(peaks) < resamples { // those that lie on no curve
		peaks = append(peaks, math.Inf(1))
	}
	slices.Sort(peaks)
	s.Low, s.High = peaks[resamples/20], peaks[resamples-1-resamples/20]
	if s.High > s.Most*(1+widest) || s.Low < s.Most*(1-widest) {
		return scaling{}, errWideKnee
	}
	return s, nil
}

// resampled are the fits to steps drawn from the same ones, as far as there are any.
func resampled(steps []step) []scaling {
	rng := rand.New(rand.NewPCG(1, uint64(len(steps)))) // the same steps give the same interval
	var fits []scaling
	for range resamples {
		again := make([]step, len(steps))
		for i := range again {
			again[i] = steps[rng.IntN(len(steps))]
		}
		if f, ok := leastSquares(again); ok {
			fits = append(fits, f)
		}
	}
	return fits
}

// leastSquares fits N/X = (1 + Sigma*(N-1) + Kappa*N*(N-1)) / Lambda, which is
// linear in its three terms, by relative error. Terms that would come out
// negative are held at 0: a server cannot share less than nothing.
func leastSquares(steps []step) (scaling, bool) {
	best, found, least := scaling{}, false, math.Inf(1)
	for _, terms := range [][]int{{0, 1, 2}, {0, 1}, {0, 2}, {0}} {
		c, ok := solveTerms(steps, terms)
		if !ok || c[0] <= 0 || c[1] < 0 || c[2] < 0 {
			continue
		}
		if e := errorOf(steps, c); e < least {
			least, found = e, true
			best = scaling{Lambda: 1 / c[0], Sigma: c[1] / c[0], Kappa: c[2] / c[0]}
		}
	}
	return best, found
}

// termsOf are the law's terms and their sum for one step, each over the sum, so
// that all steps weigh by their relative error.
func termsOf(s step) [3]float64 {
	n := s.inFlight()
	y := n / s.Goodput
	return [3]float64{1 / y, (n - 1) / y, n * (n - 1) / y}
}

func errorOf(steps []step, c [3]float64) float64 {
	sum := 0.0
	for _, s := range steps {
		t := termsOf(s)
		off := c[0]*t[0] + c[1]*t[1] + c[2]*t[2] - 1
		sum += off * off
	}
	return sum
}

// solveTerms solves the normal equations of the chosen terms by elimination
// with pivots. It is false where the steps do not tell the terms apart.
func solveTerms(steps []step, terms []int) (c [3]float64, ok bool) {
	var m [3][4]float64
	for _, s := range steps {
		t := termsOf(s)
		for i, a := range terms {
			for j, b := range terms {
				m[i][j] += t[a] * t[b]
			}
			m[i][3] += t[a]
		}
	}
	n := len(terms)
	for i := range n {
		pivot := i
		for r := i + 1; r < n; r++ {
			if math.Abs(m[r][i]) > math.Abs(m[pivot][i]) {
				pivot = r
			}
		}
		m[i], m[pivot] = m[pivot], m[i]
		if math.Abs(m[i][i]) < 1e-12 {
			return c, false
		}
		for r := range n {
			if r == i {
				continue
			}
			f := m[r][i] / m[i][i]
			for k := i; k < 4; k++ {
				m[r][k] -= f * m[i][k]
			}
		}
	}
	for i, term := range terms {
		c[term] = m[i][3] / m[i][i]
	}
	return c, true
}
