package simulate

import (
	"math"
	"math/rand/v2"
	"time"

	"headroom/limits"
)

// click is an interactive operation: 2 ms of a core in the mean.
func click(rng *rand.Rand) float64 { return 0.002 * math.Exp(-0.125) * lognormal(rng, 0.5) }

// evaluation is a report: 50 ms to 10 s, the logarithm uniform; 1.9 s in the mean.
func evaluation(rng *rand.Rand) float64 { return 0.05 * math.Exp(rng.Float64()*math.Log(200)) }

// companies are 200 tenants, the n-th of them with 1/n of the first's users.
func companies(rng *rand.Rand) int {
	return min(200, int(math.Exp(rng.Float64()*math.Log(201)))) // 1 to 200
}

// mostlyOne is one tenant in four of five cases.
func mostlyOne(rng *rand.Rand) int {
	if rng.IntN(5) > 0 {
		return 7
	}
	return companies(rng)
}

// people are interactive operations at a share of the capacity.
func people(cores int, load float64) Source {
	return Source{Class: limits.Interactive, Rate: load * float64(cores) / 0.002, Size: click, Error: 0.25, Tenant: companies}
}

// reports are those of a day, an eighth of a second's work for each core.
func reports(cores int) Source {
	return Source{Class: limits.Report, Rate: 0.125 * float64(cores), Size: evaluation, Error: 0.4, Tenant: companies}
}

const (
	second = time.Second
	begin  = 10 * second // of a storm
)

// base is a database that is 30 % busy with clicks.
func base(name string, cores int, length time.Duration, sources ...Source) Setup {
	return Setup{
		Name: name, Cores: cores, RoundTrip: 200 * time.Microsecond, Commit: 2 * time.Millisecond,
		Demotable: true, Length: length, Sources: sources,
	}
}

// Quiet is a day without storms: clicks only, 30 % of the capacity.
func Quiet(cores int, length time.Duration) Setup {
	return base("quiet", cores, length, people(cores, 0.3))
}

// Pauses is a minute of clicks at 70 % of what a database can do that does nothing for
// 0.15 s of every five: it writes a checkpoint, or its machine has another guest.
func Pauses(cores int) Setup {
	s := base("pauses", cores, time.Minute, people(cores, 0.7))
	for at := 5 * second; at < s.Length-second; at += 5 * second {
		s.Speed = append(s.Speed, Change{at, 0.001}, Change{at + 150*time.Millisecond, 1})
	}
	return s
}

// Normal is a busy day (S1): 40 % clicks and a quarter reports.
func Normal(cores int, length time.Duration) Setup {
	return base("S1 normal", cores, length, people(cores, 0.4), reports(cores))
}

// ReportStorm (S2, S6, S7) adds reports of five times the capacity.
func ReportStorm(cores int, storm time.Duration) Setup {
	flood := Source{Class: limits.Report, From: begin, To: begin + storm, Rate: 2.5 * float64(cores), Size: evaluation, Error: 0.4, Tenant: mostlyOne}
	s := base("S2 report storm", cores, begin+storm+15*second, people(cores, 0.4), reports(cores), flood)
	s.Storm = [2]time.Duration{begin, begin + storm}
	return s
}

// Rush (S3) is an interactive storm of a number of times the capacity.
func Rush(cores int, times float64, storm time.Duration) Setup {
	flood := people(cores, times)
	flood.From, flood.To = begin, begin+storm
	s := base("S3 rush", cores, begin+storm+15*second, people(cores, 0.4), reports(cores), flood)
	s.Storm = [2]time.Duration{begin, begin + storm}
	return s
}

// Slow (S4) is a database that is three times slower for a while, at 40 % clicks.
func Slow(cores int, storm time.Duration) Setup {
	s := base("S4 slow", cores, begin+storm+15*second, people(cores, 0.4), reports(cores))
	s.Storm = [2]time.Duration{begin, begin + storm}
	s.Speed = []Change{{begin, 1.0 / 3}, {begin + storm, 1}}
	return s
}

// Shared is a database of which two busy programs use every core for a while, at
// 60 % clicks: more than they leave it, for who takes one backend to a core.
func Shared(cores int, storm time.Duration) Setup {
	s := base("shared with others", cores, begin+storm+15*second, people(cores, 0.6))
	s.Storm = [2]time.Duration{begin, begin + storm}
	s.Foreign = []Change{{begin, 2 * float64(cores)}, {begin + storm, 0}}
	return s
}

// Surge (S5) is 10,000 clients for each core that come back within five seconds
// with 5 ms each and do not give up, on top of 40 % clicks.
func Surge(cores int, length time.Duration) Setup {
	cold := Source{
		Class: limits.Interactive, From: begin, To: begin + 5*second, Rate: 2000 * float64(cores),
		Size: func(rng *rand.Rand) float64 { return 0.005 * math.Exp(-0.125) * lognormal(rng, 0.5) }, Error: 0.25,
		Tenant: companies, Clients: 10_000, Tries: -1, Group: 1,
	}
	s := base("S5 surge", cores, begin+length, people(cores, 0.4), cold)
	s.Storm = [2]time.Duration{begin, begin + 5*second}
	return s
}

// Locks adds timers of one company that all write the same row.
func Locks(cores int, storm time.Duration) Setup {
	flood := Source{
		Class: limits.Interactive, From: begin, To: begin + storm, Rate: 600, Size: click, Error: 0.25,
		Tenant: func(*rand.Rand) int { return 7 }, Write: true, Lock: func(*rand.Rand) int { return 1 }, Group: 1,
	}
	s := base("lock storm", cores, begin+storm+15*second, people(cores, 0.4), flood)
	s.Storm = [2]time.Duration{begin, begin + storm}
	return s
}

// Adversary is one of twenty equal tenants that sends a number of times its share
// of one class; 0 times is the day without it.
func Adversary(cores int, storm time.Duration, class limits.Class, times float64) Setup {
	clicks, evaluations := people(cores, 0.3), reports(cores)
	equal := func(rng *rand.Rand) int { return 1 + rng.IntN(20) }
	clicks.Tenant, evaluations.Tenant = equal, equal
	s := base("adversary", cores, begin+storm+15*second, clicks, evaluations)
	s.Storm = [2]time.Duration{begin, begin + storm}
	if times > 0 {
		more := clicks
		if class == limits.Report {
			more = evaluations
		}
		more.Rate *= times / 20
		more.Tenant, more.Clients = func(*rand.Rand) int { return 1 }, 1000
		more.From, more.To, more.Group = begin, begin+storm, 1
		s.Sources = append(s.Sources, more)
	}
	return s
}
