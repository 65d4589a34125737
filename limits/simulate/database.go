package simulate

import (
	"container/heap"
	"math"
	"time"
)

// demotedWeight is the share of a backend of nice 10 beside one of nice 0: 110 of
// 1024 in the kernel's table of weights.
const demotedWeight = 110.0 / 1024

// database is a processor-sharing queue with two weights: [0] backends as they
// are, [1] demoted ones.
type database struct {
	e         *engine
	cores     float64
	speed     float64 // 1: the sizes of jobs are right
	foreign   int     // backends of other programs, always running
	roundTrip time.Duration
	commit    time.Duration
	locks     map[int][]*job // the first of each holds the lock

	last  time.Duration
	group [2]group
}

// group are the running backends of one weight. All of them get the same, so one
// number tells what each has got: a job ends when it has grown by its size.
type group struct {
	weight  float64
	running int
	rate    float64 // cores for each
	got     float64 // core-seconds for each since the beginning
	ends    endings
}

// job is an operation in the database.
type job struct {
	size       float64 // core-seconds of one statement
	statements int     // left
	demoted    bool
	write      bool
	lock       int // 0: none
	done       func()

	db      *database
	end     float64 // of the statement, in the group's got
	running bool
	locked  bool
	over    bool
	used    float64
}

type endings []*job

func (h endings) Len() int           { return len(h) }
func (h endings) Less(i, j int) bool { return h[i].end < h[j].end }
func (h endings) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *endings) Push(x any)        { *h = append(*h, x.(*job)) }
func (h *endings) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

func newDatabase(e *engine, cores int, roundTrip, commit time.Duration) *database {
	d := &database{e: e, cores: float64(cores), speed: 1, roundTrip: roundTrip, commit: commit, locks: map[int][]*job{}}
	d.group[0].weight, d.group[1].weight = 1, demotedWeight
	return d
}

// sync gives every backend what it has got until now.
func (d *database) sync() {
	dt := (d.e.now - d.last).Seconds()
	d.last = d.e.now
	for i := range d.group {
		d.group[i].got += d.group[i].rate * dt
	}
}

// share divides the cores anew; sync comes before it.
func (d *database) share() {
	normal, low := float64(d.group[0].running+d.foreign), float64(d.group[1].running)
	cores := d.cores * max(0.1, 1-0.005*max(0, normal+low-2*d.cores))
	level := cores / max(normal+low*demotedWeight, 1e-9)
	first := min(1, level)
	second := level * demotedWeight
	if level > 1 { // those of full weight have a core each, the rest share what is left
		second = (cores - normal) / max(low, 1e-9)
	}
	d.group[0].rate, d.group[1].rate = first*d.speed, min(1, second)*d.speed
}

// next is the job that ends first if nothing else happens, and when.
func (d *database) next() (*group, time.Duration) {
	var first *group
	at := time.Duration(math.MaxInt64)
	for i := range d.group {
		g := &d.group[i]
		for len(g.ends) > 0 && !g.ends[0].running {
			heap.Pop(&g.ends) // cancelled
		}
		if len(g.ends) == 0 || g.rate <= 0 {
			continue
		}
		left := time.Duration((g.ends[0].end - g.got) / g.rate * 1e9)
		if t := d.last + max(0, left) + 1; t < at {
			first, at = g, t
		}
	}
	return first, at
}

func (j *job) group() *group {
	if j.demoted {
		return &j.db.group[1]
	}
	return &j.db.group[0]
}

// run sends the job's next statement.
func (d *database) run(j *job) {
	j.db = d
	d.e.after(d.roundTrip, func() { d.arrive(j) })
}

func (d *database) arrive(j *job) {
	if j.over {
		return
	}
	if j.lock != 0 && j.statements == 1 && !j.locked {
		waiting := append(d.locks[j.lock], j)
		d.locks[j.lock] = waiting
		if waiting[0] != j {
			return
		}
		j.locked = true
	}
	d.sync()
	g := j.group()
	g.running++
	j.running, j.end = true, g.got+j.size
	heap.Push(&g.ends, j)
	d.share()
}

// finish ends the statement of a group that is due.
func (d *database) finish(g *group) {
	d.sync()
	j := heap.Pop(&g.ends).(*job)
	j.running = false
	g.running--
	d.share()
	j.used += j.size
	j.statements--
	switch {
	case j.statements > 0:
		d.run(j)
	case j.write:
		d.e.after(d.commit, func() { d.end(j) })
	default:
		d.end(j)
	}
}

func (d *database) end(j *job) {
	if j.over {
		return
	}
	j.over = true
	d.unlock(j)
	j.done()
}

// cancel ends a job that nobody waits for any more.
func (d *database) cancel(j *job) {
	if j.over {
		return
	}
	j.over = true
	d.sync()
	if j.running {
		g := j.group()
		j.running = false
		j.used += j.size - (j.end - g.got)
		g.running--
		d.share()
	}
	d.unlock(j)
}

// unlock leaves the lock or the queue before it.
func (d *database) unlock(j *job) {
	waiting := d.locks[j.lock]
	for i, w := range waiting {
		if w != j {
			continue
		}
		waiting = append(waiting[:i:i], waiting[i+1:]...)
		d.locks[j.lock] = waiting
		if i == 0 && len(waiting) > 0 {
			waiting[0].locked = true
			d.resume(waiting[0])
		}
		return
	}
}

// resume runs a job that has got its lock.
func (d *database) resume(j *job) {
	d.sync()
	g := j.group()
	g.running++
	j.running, j.end = true, g.got+j.size
	heap.Push(&g.ends, j)
	d.share()
}
