package limits

import "time"

// promises are the times at which refused clients were told to come back, one for
// each client and class. A client that comes earlier is told the same time again.
// They are kept for two minutes at most, longer than any promise.
type promises struct {
	recent, older map[promised]*promise
	turned        time.Time
	classes       [numClasses]calendar
}

type promised struct {
	client uint64
	class  Class
}

type promise struct {
	made, due time.Time
	work      time.Duration // that the calendar holds for it; 0: none, or struck out
	kept      bool
	look      bool // to come and be told again
	early     int  // how often the client came before its time; counted on from one to the next until it is served
}

// together is how long after a refusal a client may not have read it yet: an app's
// start sends several operations at once.
const together = 300 * time.Millisecond

// maxPromises bounds the memory; whoever finds it full gets a time that is not
// remembered.
const maxPromises = 1 << 16

// calendar is what is promised in one class, as forecast work by the second in
// which it comes.
type calendar struct {
	work  [64]time.Duration
	total time.Duration
	at    int64         // the present second
	asked time.Duration // in it, by those who are promised nothing
	first time.Duration // the same, in a second

	// Sums over promises that were due, the older the less: of those whose client
	// came, and of all. Many clients do not read what they are told.
	came, were float64

	// Sums over what was admitted: of clients that come, and of all that they ask
	// while they are here.
	opened, whole float64
}

// punctual is how long after its time a client that heeds it comes at the latest.
const punctual = 2 * time.Second

// arrived notes a request: does its client come as it was told?
func (b *promises) arrived(p *pool, client uint64, work time.Duration, now time.Time) {
	c := &b.classes[p.class]
	c.asked += work
	was := b.last(promised{client, p.class})
	if was == nil || was.kept {
		return
	}
	if late := now.Sub(was.due); late >= 0 && late <= punctual {
		was.kept = true
		c.came += was.work.Seconds()
	}
}

// admitted notes a request that was served, the first of a client's visit or not.
// The promise of a client that was served before its time is struck out.
func (b *promises) admitted(p *pool, client uint64, work time.Duration, first bool, now time.Time) {
	c := &b.classes[p.class]
	c.whole += work.Seconds()
	if !first {
		c.asked -= work
		return
	}
	c.opened += work.Seconds()
	was := b.last(promised{client, p.class})
	if was == nil {
		return
	}
	was.early = 0
	if was.due.After(now) && was.work > 0 {
		c.strike(was)
	}
}

// promise sets the time to retry of a refusal.
func (b *promises) promise(p *pool, client uint64, work time.Duration, crowd bool, out *Refusal, now time.Time, random float64) {
	c := &b.classes[p.class]
	c.turn(now.Unix())
	if crowd {
		c.asked -= work // it has a time
	}
	key := promised{client, p.class}
	was := b.last(key)
	if was.toCome(now) {
		out.RetryAfter, out.Again = was.due.Sub(now), true
		if now.Sub(was.made) > together {
			was.early++
			out.Early = was.early
		}
		return
	}
	var look bool
	if out.RetryAfter, look = c.retryAfter(p, was, crowd, random); look {
		work = 0
	}
	c.add(now.Unix(), out.RetryAfter, work)
	next := &promise{made: now, due: now.Add(out.RetryAfter), work: work, look: look}
	if was != nil && was.early > 0 { // it will not wait for this one either
		out.Again, out.Early, next.early = true, 1, 1
	}
	b.remember(key, next)
}

// retryAfter is a new time for a client, and whether it is for a look only: who would
// have to wait long comes after a third of that, since what is known of a crowd in its
// first second is often wrong. Who came as it was told and found no place has waited
// already: it is told a quarter of that.
func (c *calendar) retryAfter(p *pool, was *promise, crowd bool, random float64) (time.Duration, bool) {
	if !crowd {
		return spread(seconds(c.clear(p)), random), false
	}
	after := seconds(c.free(p))
	if was != nil && was.kept && !was.look {
		return turn(min(after, was.due.Sub(was.made)/4), random), false
	}
	if most := max(long, min(after/3, far)); after > most {
		return turn(most, random), true
	}
	return turn(after, random), false
}

// long is what is too long to promise without another look, and far is where the look
// is at most. A server whose connections and caches are cold may seem fifty times as
// slow as it is a second later: all who came meanwhile would be away for as long as the
// longest look is, and its seats empty.
const (
	long = 4 * time.Second
	far  = 8 * time.Second
)

// last returns a client's latest promise, or nil.
func (b *promises) last(key promised) *promise {
	if p := b.recent[key]; p != nil {
		return p
	}
	return b.older[key]
}

// toCome reports whether a promise is still to be kept.
func (p *promise) toCome(now time.Time) bool {
	if p == nil {
		return false
	}
	ahead := p.due.Sub(now)
	return ahead > 0 && ahead <= maxRetryAfter
}

func (b *promises) remember(key promised, p *promise) {
	if b.recent == nil || age(p.made, &b.turned) > maxRetryAfter {
		b.older, b.recent, b.turned = b.recent, map[promised]*promise{}, p.made
	}
	if len(b.recent) < maxPromises {
		b.recent[key] = p
	}
}

// turn strikes out the work of the seconds that have passed.
func (c *calendar) turn(second int64) {
	if c.at > second || second-c.at > int64(len(c.work)) {
		*c = calendar{at: second}
		return
	}
	for ; c.at < second; c.at++ {
		due := &c.work[c.at%int64(len(c.work))]
		c.first += (max(0, c.asked-*due) - c.first) / 3
		c.total -= *due
		c.were, c.came = 0.9*c.were+due.Seconds(), 0.9*c.came
		c.opened, c.whole = 0.9*c.opened, 0.9*c.whole
		c.asked, *due = 0, 0
	}
}

// clear is when all that runs, waits and was promised is worked off, in seconds,
// beside those who come for the first time.
func (c *calendar) clear(p *pool) float64 {
	left := max(0.1, 0.8-p.corrected(c.first).Seconds()/p.share)
	return p.corrected(p.queue.work+p.running+c.total).Seconds() / p.share / left
}

// free is the same in a crowd: when there is room beside those who were promised a
// time, of whom some come, and ask all that they have to ask. As much room is left for
// those who do not come as told: they try until they are served or give up, and are
// more work the longer that takes.
func (c *calendar) free(p *pool) float64 {
	visit := c.visit()
	left := max(0.1, 0.36-p.corrected(c.first).Seconds()*visit/p.share)
	each := c.heeded() * visit
	before := p.queue.work + p.running
	promised := time.Duration(0)
	for second := range int64(len(c.work)) {
		promised += c.work[(c.at+second)%int64(len(c.work))]
		after := p.corrected(before+time.Duration(float64(promised)*each)).Seconds() / p.share / left
		if after <= float64(second+1) {
			return after
		}
	}
	return maxRetryAfter.Seconds()
}

// turn is the time to retry of one whose turn comes after so long: those before have
// theirs already, so it takes little to keep them apart.
func turn(after time.Duration, random float64) time.Duration {
	if after >= maxRetryAfter/2 {
		return spread(after, random)
	}
	after = max(after, minRetryAfter)
	return after + time.Duration(random*float64(min(after, 5*time.Second)))
}

func seconds(s float64) time.Duration {
	return time.Duration(min(s, maxRetryAfter.Seconds()) * float64(time.Second))
}

// heeded is the share of what is promised that comes as it was told. Before that is
// seen, a third is believed to: most clients have a retry of their own, or none.
func (c *calendar) heeded() float64 {
	const believed, worth = 1.0 / 3, 1.0 // second of work
	return max(0.1, min(1, (c.came+believed*worth)/(c.were+worth)))
}

// visit is how much a client asks while it is here, in its first operation's work.
func (c *calendar) visit() float64 {
	if c.opened <= 0 {
		return 1
	}
	return max(1, min(guestOperations, c.whole/c.opened))
}

func (c *calendar) add(second int64, after, work time.Duration) {
	at := (second + int64(after/time.Second)) % int64(len(c.work))
	c.work[at] += work
	c.total += work
}

func (c *calendar) strike(p *promise) {
	at := p.due.Unix() % int64(len(c.work))
	c.work[at] -= p.work
	c.total -= p.work
	p.work = 0
}
