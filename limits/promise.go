package limits

import "time"

// promises are the times at which refused clients were told to come back, one for
// each client and class. A client that comes earlier is told the same time again.
// They are kept for two minutes at most, longer than any promise.
type promises struct {
	recent, older map[promised]promise
	turned        time.Time
	classes       [numClasses]calendar
}

type promised struct {
	client uint64
	class  Class
}

type promise struct {
	made, due time.Time
	early     int // how often the client came before its time
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
	asked time.Duration // in it
	first time.Duration // of those who were promised nothing, in a second
}

// promise sets the time to retry of a refusal.
func (b *promises) promise(p *pool, client uint64, work time.Duration, out *Refusal, now time.Time, random float64) {
	c := &b.classes[p.class]
	c.turn(now.Unix())
	key := promised{client, p.class}
	if was, in := b.find(key, now); in != nil {
		out.RetryAfter, out.Again = was.due.Sub(now), true
		if now.Sub(was.made) > together {
			was.early++
			out.Early, in[key] = was.early, was
		}
		return
	}
	out.RetryAfter = spread(time.Duration(min(c.clear(p), maxRetryAfter.Seconds())*float64(time.Second)), random)
	c.add(now.Unix(), out.RetryAfter, work)
	b.remember(key, promise{made: now, due: now.Add(out.RetryAfter)})
}

// find returns a client's promise that is still to come, and where it is kept.
func (b *promises) find(key promised, now time.Time) (p promise, in map[promised]promise) {
	in = b.recent
	p, ok := in[key]
	if !ok {
		in = b.older
		p = in[key]
	}
	if ahead := p.due.Sub(now); ahead <= 0 || ahead > maxRetryAfter {
		return promise{}, nil
	}
	return p, in
}

func (b *promises) remember(key promised, p promise) {
	if b.recent == nil || age(p.made, &b.turned) > maxRetryAfter {
		b.older, b.recent, b.turned = b.recent, map[promised]promise{}, p.made
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
		c.asked, *due = 0, 0
	}
}

// clear is when all that runs, waits and was promised is worked off, in seconds,
// beside those who come for the first time.
func (c *calendar) clear(p *pool) float64 {
	left := max(0.1, 0.8-p.corrected(c.first).Seconds()/p.share)
	return p.corrected(p.queue.work+p.running+c.total).Seconds() / p.share / left
}

func (c *calendar) add(second int64, after, work time.Duration) {
	at := (second + int64(after/time.Second)) % int64(len(c.work))
	c.work[at] += work
	c.total += work
}
