package limits

import (
	"math"
	"time"
)

// The decisions of the adaptive gate. They see nothing but their arguments.

// reportSlots is the number of reports that may run on a database at once. A
// report that does not yield the processor costs everybody else their share of
// it, so of these there are half as many.
func reportSlots(cores int, demoted bool) int {
	if !demoted {
		return max(1, (cores-1)/2)
	}
	return max(1, cores-1)
}

// wideSeats are a process's interactive seats while nobody has to wait long. In a
// database that shares its processors, seats are the class's share of them:
// there are four per core, and four per report that does not yield.
func wideSeats(cores, processes, slots int, demoted bool) int {
	seats := 4 * cores
	if !demoted {
		seats = max(seats, 4*slots)
	}
	return max(2, ceil(float64(seats)/float64(processes)))
}

// narrowSeats are a process's interactive seats while more comes than the
// database can do: enough that no core waits for work, and no more, because each
// further one only makes all slower. A seat is not always a busy core: idle is the
// time a seat is held for each second of database work in it, at least 1.
func narrowSeats(cores, processes int, idle float64) int {
	if math.IsNaN(idle) || idle < 1 {
		idle = 1
	}
	return max(1, ceil(min(idle, 4)*float64(cores)/float64(processes)))
}

func ceil(x float64) int { return int(math.Ceil(x - 1e-9)) }

// leastStanding is how long a queue may always stand. A processor that has something
// else to do for a tenth of a second makes one, however fast its operations are; at
// seven tenths of the load it takes three times as long until that is worked off.
const leastStanding = 400 * time.Millisecond

// patience is how long the interactive queue may stand before it is served newest
// first, and how long somebody may wait in it from then on. Both count in the time
// that such an operation holds a seat, and stay within what makes sense to people.
// The second is ten times that while nearly everybody can be served, because an
// app's start of six operations has to wait for itself, and half of that time in a
// flood, where somebody newer is always there to be served at once. Until it is known
// that this is one, nobody is refused who has not waited for as long as a queue may
// always stand: it may be what a pause of the database has left.
func patience(held time.Duration, keep float64) (standing, oldest time.Duration) {
	standing = min(max(15*held, leastStanding), 500*time.Millisecond)
	oldest = time.Duration((0.5 + 9.5*keep*keep) * float64(held))
	unknown := time.Duration(math.Pow(keep, 8) * float64(leastStanding))
	return standing, min(max(oldest, unknown), 500*time.Millisecond)
}

// keepShare is the share of requests that are served while not all can be: a third
// of the way to the share that was possible in the last tenth of a second, and a
// little more than that, so that it finds its way back.
func keepShare(keep float64, asked, served int) float64 {
	if asked <= 0 {
		return keep
	}
	possible := min(1, 1.1*float64(served)/float64(asked))
	return min(max(keep+0.3*(possible-keep), 0.01), 1)
}

// mix spreads a number over all bits (the finalizer of SplitMix64, Steele, Lea,
// Flood, 2014).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// nameHash is the FNV-1a hash of a name, begun with a secret.
func nameHash(secret uint64, name string) uint64 {
	h := secret ^ 14695981039346656037
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	return mix(h)
}
