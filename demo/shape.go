package demo

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// The shape of real work logs. Every figure is of the CESAW task facts, 2008
// to 2017: 247 people in 10 teams on 45 projects.
const (
	tenantZipf  = 1.28 // entries of a team by its rank: the first of ten has 47 %
	projectZipf = 0.92 // entries of a project by its rank: the first has 23 %

	// ln of the people of a team: 3 to 82, 17 in the middle.
	peopleMean, peopleSpread = 2.85, 0.9

	// ln of an entry's minutes: 42 in the middle, a tenth above 311.
	minutesMean, minutesSpread = 3.749, 1.515

	entriesADay = 2.25 // of a person at work, geometrically distributed

	billableShare = 0.7
)

// Starts by hour of the day, in percent.
var hours = weigh(1.0, 1.2, 1.1, 1.7, 2.9, 3.2, 1.8, 1.4, 3.4, 5.7, 8.8, 10.4, 9.3, 8.8, 6.5, 7.3, 8.0, 6.1, 5.4, 3.5, 1.2, .3, .4, .5)

// Starts by weekday, in percent, Sunday first as in package time.
var weekdays = [7]float64{.5, 20.6, 22.3, 20.8, 21.9, 13.7, .5}

// atWork is how likely a person works on a day, as a share of their own best
// weekday.
func atWork(day time.Weekday) float64 { return weekdays[day] / 22.3 }

// choice picks numbers by their weights; it holds the sums of the weights up
// to each.
type choice []float64

func weigh(weights ...float64) choice {
	c := make(choice, len(weights))
	sum := 0.0
	for i, w := range weights {
		sum += w
		c[i] = sum
	}
	return c
}

// zipf weighs the ranks of n things by a power law.
func zipf(n int, s float64) choice {
	weights := make([]float64, n)
	for i := range weights {
		weights[i] = math.Pow(float64(i+1), -s)
	}
	return weigh(weights...)
}

func (c choice) draw(r *rand.Rand) int {
	i, _ := slices.BinarySearch(c, r.Float64()*c[len(c)-1])
	return min(i, len(c)-1)
}

// share of the i-th thing in all draws.
func (c choice) share(i int) float64 {
	if i == 0 {
		return c[0] / c[len(c)-1]
	}
	return (c[i] - c[i-1]) / c[len(c)-1]
}

// lognormal draws a number whose logarithm is normally distributed.
func lognormal(r *rand.Rand, mean, spread float64) float64 {
	return math.Exp(mean + spread*r.NormFloat64())
}

// geometric draws 1, 2, 3, ... with the mean.
func geometric(r *rand.Rand, mean float64) int {
	return 1 + int(math.Log(1-r.Float64())/math.Log(1-1/mean))
}

// minutes draws the length of an entry, at most a day. A sixth of them is
// rounded to a multiple of 5 minutes, some of these to 15 and to 30: as many
// as make a third of all entries multiples of 5, as chance alone does not.
func minutes(r *rand.Rand) int64 {
	m := max(1, math.Round(lognormal(r, minutesMean, minutesSpread)))
	step := 1.0
	switch p := r.Float64(); {
	case p < .04:
		step = 30
	case p < .05:
		step = 15
	case p < .17:
		step = 5
	}
	return int64(min(24*60, step*max(1, math.Round(m/step))))
}

// minuteOfHour is even but for those who begin on the hour or half past.
func minuteOfHour(r *rand.Rand) int {
	switch p := r.Float64(); {
	case p < .0175:
		return 0
	case p < .026:
		return 30
	}
	return r.IntN(60)
}

// apportion divides a total by weights; everybody gets at least one.
func apportion(total int, weights choice) []int {
	n := len(weights)
	parts := make([]int, n)
	given := 0
	for i := range parts {
		upTo := int(float64(total-n) * (weights[i] / weights[n-1])) // all of it in the end
		parts[i], given = 1+upTo-given, upTo
	}
	return parts
}
