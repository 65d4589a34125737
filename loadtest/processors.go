package loadtest

import (
	"os"
	"runtime"
)

// oneIsEnough is how many arrivals a second one processor can send, with room to spare.
const oneIsEnough = 3000

// fewProcessors keeps the generator to one processor while it sends what one can send:
// then nothing that one goroutine hands to another wakes a processor, which costs as
// much as the request itself, and more of the machine is left to its server. It returns
// what sets things right again. Who sets GOMAXPROCS knows better.
func fewProcessors(p *plan) (restore func()) {
	if os.Getenv("GOMAXPROCS") != "" || p.clients > 0 || p.busiest() > oneIsEnough {
		return func() {}
	}
	before := runtime.GOMAXPROCS(1)
	return func() { runtime.GOMAXPROCS(before) }
}

// busiest is the greatest rate of arrivals of all phases.
func (p *plan) busiest() (most float64) {
	for _, span := range p.phases {
		sum := 0.0
		for _, stream := range span.Streams {
			sum += stream.Rate.peak()
		}
		most = max(most, sum)
	}
	return most
}
