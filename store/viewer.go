package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/singleflight"

	"headroom/timesheet"
)

// ErrNoViewer is returned for a token that lets nobody in: revoked, expired,
// unknown, or of a person who was removed or never had an account.
var ErrNoViewer = errors.New("nobody may ask with this token")

// Viewer is who asks with a token, with their role and their workspace's
// settings, from memory where it can be. Token 0 stands for the person
// without a token of their own, as the fixed demo tokens do. A change made by
// this process is seen at once, one made elsewhere when the database tells of
// it, after at most 4 s where it cannot be heard.
func (s *Store) Viewer(ctx context.Context, ws timesheet.WorkspaceID, user timesheet.UserID, token timesheet.TokenID) (timesheet.Viewer, error) {
	return s.views.get(ctx, viewerID{ws, user, token})
}

const readViewer = `/* readViewer */
SELECT ` + workspaceColumns + `, ` + memberColumns + `, coalesce(t.scope, 'WRITE'), t.expires_at
FROM workspace w
JOIN membership m ON m.workspace_id = w.workspace_id AND m.user_id = $2
LEFT JOIN api_token t ON t.workspace_id = m.workspace_id AND t.user_id = m.user_id AND t.id = $3 AND t.revoked_at IS NULL
WHERE w.workspace_id = $1
  AND m.deleted_at IS NULL
  AND m.role <> 'PLACEHOLDER'
  AND ($3 = 0 OR t.id IS NOT NULL)`

// readSighting asks the database who a token lets in. It runs in the control
// class: a full house must not keep anybody from stopping their timer.
func (s *Store) readSighting(ctx context.Context, id viewerID) (sighting, error) {
	ctx = timesheet.WithService(ctx, timesheet.Service{Class: timesheet.ClassControl})
	found, _, err := one(ctx, s, func(row pgx.CollectableRow) (sighting, error) {
		seen := sighting{known: true}
		v := &seen.viewer
		v.User, v.Token = id.user, id.token
		err := row.Scan(append(append(workspaceFields(&v.Workspace), memberFields(&v.Self)...), &v.Scope, &seen.expires)...)
		v.Role = v.Self.Role
		return seen, err
	}, readViewer, id.workspace, id.user, id.token)
	if err != nil {
		return found, fmt.Errorf("read who asks: %w", err)
	}
	return found, nil
}

const (
	// maxViewers bounds the memory of the cache to some megabytes.
	maxViewers = 10_000
	// viewerAge is how old an answer may be while changes are not heard.
	viewerAge = 2 * time.Second
	// viewerPatience is how long one caller waits for a look-up.
	viewerPatience = time.Second
	// viewerWait bounds one look-up, which no single caller's context does.
	viewerWait = 2 * time.Second
)

type viewerID struct {
	workspace timesheet.WorkspaceID
	user      timesheet.UserID
	token     timesheet.TokenID
}

// sighting is what the database said about a token.
type sighting struct {
	viewer  timesheet.Viewer
	known   bool       // false: it lets nobody in
	expires *time.Time // nil: never
	at      time.Time
}

func (g sighting) answer(now time.Time) (timesheet.Viewer, error) {
	if !g.known || g.expires != nil && !now.Before(*g.expires) {
		return timesheet.Viewer{}, ErrNoViewer
	}
	return g.viewer, nil
}

// viewerCache remembers who tokens let in, and whom they do not. Concurrent
// askers of one token share a look-up. While changes are heard, an answer is
// good until its workspace changes; else for viewerAge.
type viewerCache struct {
	life   context.Context // of look-ups; ends with the store
	load   func(context.Context, viewerID) (sighting, error)
	flight singleflight.Group

	mu   sync.Mutex
	seen map[viewerID]sighting
	// changes counts what was forgotten: a look-up that began before a change
	// may hold what was there before it, so it is neither kept nor shared with
	// those who ask after the change.
	changes int
	heard   bool // changes are being heard
}

func newViewerCache(life context.Context, load func(context.Context, viewerID) (sighting, error)) *viewerCache {
	return &viewerCache{life: life, load: load, seen: map[viewerID]sighting{}}
}

func (c *viewerCache) get(ctx context.Context, id viewerID) (timesheet.Viewer, error) {
	c.mu.Lock()
	seen, ok := c.seen[id]
	fresh := ok && (c.heard || time.Since(seen.at) < viewerAge)
	changes := c.changes
	c.mu.Unlock()
	if fresh {
		return seen.answer(time.Now())
	}
	ctx, cancel := context.WithTimeout(ctx, viewerPatience)
	defer cancel()
	shared := c.flight.DoChan(fmt.Sprint(id, changes), func() (any, error) { return c.refresh(id, changes) })
	select {
	case <-ctx.Done():
		return timesheet.Viewer{}, context.Cause(ctx)
	case result := <-shared:
		if result.Err != nil {
			return timesheet.Viewer{}, result.Err
		}
		return result.Val.(sighting).answer(time.Now())
	}
}

func (c *viewerCache) refresh(id viewerID, changes int) (sighting, error) {
	ctx, cancel := context.WithTimeout(c.life, viewerWait)
	defer cancel()
	began := time.Now()
	found, err := c.load(ctx, id)
	if err != nil {
		return found, err
	}
	found.at = began
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changes == changes {
		c.makeRoomLocked(id)
		c.seen[id] = found
	}
	return found, nil
}

// makeRoomLocked forgets anybody when the cache is full; who is forgotten
// costs a statement of a fifth of a millisecond.
func (c *viewerCache) makeRoomLocked(id viewerID) {
	if _, ok := c.seen[id]; ok || len(c.seen) < maxViewers {
		return
	}
	for other := range c.seen {
		delete(c.seen, other)
		return
	}
}

// forget drops what is known of a workspace.
func (c *viewerCache) forget(ws timesheet.WorkspaceID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes++
	for id := range c.seen {
		if id.workspace == ws {
			delete(c.seen, id)
		}
	}
}

// hear tells that changes are heard from now on, or no longer, and returns
// what was so before. What was remembered while they were not may be wrong.
func (c *viewerCache) hear(heard bool) (before bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if heard {
		c.changes++
		clear(c.seen)
	}
	before, c.heard = c.heard, heard
	return before
}
