package store

import (
	"context"
	"time"
)

// lookUps are questions to the database who a token lets in. After a restart a crowd
// of people comes at once whom nobody has seen yet, so those who wait are asked about
// together, by one statement at a time: the connections are those on which timers are
// stopped.
type lookUps struct {
	open    map[viewerID]*lookUp // the newest of each token that has not ended
	waiting []*lookUp            // those that no statement has taken yet
	working bool                 // somebody runs statements until none waits
}

// lookUpsAtOnce bounds one statement to some milliseconds.
const lookUpsAtOnce = 1000

type lookUp struct {
	id      viewerID
	began   bool
	changes int // that were heard before it began
	askers  int // who wait for it
	done    chan struct{}

	// Written before done is closed.
	found sighting
	err   error
}

// askLocked joins a look-up that sees the last change, or asks for one.
func (c *viewerCache) askLocked(id viewerID) *lookUp {
	l, ok := c.open[id]
	if !ok || l.began && l.changes != c.changes {
		l = &lookUp{id: id, done: make(chan struct{})}
		c.open[id] = l
		c.waiting = append(c.waiting, l)
	}
	l.askers++
	if !c.working {
		c.working = true
		go c.work()
	}
	return l
}

// leave tells that somebody no longer waits.
func (c *viewerCache) leave(l *lookUp) {
	c.mu.Lock()
	defer c.mu.Unlock()
	l.askers--
}

// work runs one statement after the other until nobody waits.
func (c *viewerCache) work() {
	for batch := c.next(); len(batch) > 0; batch = c.next() {
		ids := make([]viewerID, len(batch))
		for i, l := range batch {
			ids[i] = l.id
		}
		ctx, cancel := context.WithTimeout(c.life, viewerWait)
		began := time.Now()
		found, err := c.load(ctx, ids)
		cancel()
		c.end(batch, found, err, began)
	}
}

// next takes those that have waited for longest and for whom somebody still waits.
func (c *viewerCache) next() (batch []*lookUp) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for ; n < len(c.waiting) && len(batch) < lookUpsAtOnce; n++ {
		l := c.waiting[n]
		if l.askers == 0 {
			c.closeLocked(l)
			continue
		}
		l.began, l.changes = true, c.changes
		batch = append(batch, l)
	}
	clear(c.waiting[:n])
	if c.waiting = c.waiting[n:]; len(c.waiting) == 0 {
		c.waiting = nil
	}
	c.working = len(batch) > 0
	return batch
}

// end keeps what was found, where nothing has changed meanwhile, and wakes those who
// wait.
func (c *viewerCache) end(batch []*lookUp, found []sighting, err error, began time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, l := range batch {
		c.closeLocked(l)
		if l.err = err; err == nil {
			l.found = found[i]
			l.found.at = began
			if c.changes == l.changes {
				c.makeRoomLocked(l.id)
				c.seen[l.id] = l.found
			}
		}
		close(l.done)
	}
}

func (c *viewerCache) closeLocked(l *lookUp) {
	if c.open[l.id] == l {
		delete(c.open, l.id)
	}
}
