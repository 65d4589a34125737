package limits

import "time"

// guests are the clients that were let in while there is a crowd, each for a while.
// An app's start is several operations one after the other: who has the first two
// answers of six has nothing, and who is turned away at the third asks for all again.
type guests struct {
	recent, older map[uint64]*guest
	turned        time.Time
}

type guest struct {
	since time.Time
	left  int // operations
}

// A guest's next operations go first for so long and so many at most, so that nobody
// stays.
const (
	guestFor        = 3 * time.Second
	guestOperations = 16
)

// find returns a client that is a guest still, or nil.
func (g *guests) find(client uint64, now time.Time) *guest {
	was := g.recent[client]
	if was == nil {
		was = g.older[client]
	}
	if was == nil || was.left <= 0 {
		return nil
	}
	if since := now.Sub(was.since); since < 0 || since > guestFor {
		return nil
	}
	return was
}

// enter counts an operation of a client that was let in, and reports whether it is the
// first of its visit.
func (g *guests) enter(client uint64, now time.Time) bool {
	if was := g.find(client, now); was != nil {
		was.left--
		return false
	}
	if g.recent == nil || age(now, &g.turned) > guestFor {
		g.older, g.recent, g.turned = g.recent, map[uint64]*guest{}, now
	}
	if len(g.recent) < maxPromises {
		g.recent[client] = &guest{since: now, left: guestOperations - 1}
	}
	return true
}
