package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
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

// Each LIMIT keeps a look into an index for each token: joined in any other way, a table
// that has just grown is read whole for each of them.
const readViewers = `/* readViewers */
SELECT q.n, ` + workspaceColumns + `, ` + memberColumns + `, coalesce(t.scope, 'WRITE'), t.expires_at
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS q (workspace, person, token, n)
CROSS JOIN LATERAL (
  SELECT *
  FROM workspace w
  WHERE w.workspace_id = q.workspace
  LIMIT 1
) w
CROSS JOIN LATERAL (
  SELECT *
  FROM membership m
  WHERE m.workspace_id = w.workspace_id
    AND m.user_id = q.person
  LIMIT 1
) m
LEFT JOIN LATERAL (
  SELECT *
  FROM api_token t
  WHERE t.workspace_id = m.workspace_id
    AND t.id = q.token
  LIMIT 1
) t ON true
WHERE m.deleted_at IS NULL
  AND m.role <> 'PLACEHOLDER'
  AND (q.token = 0 OR t.user_id = m.user_id AND t.revoked_at IS NULL)`

// readSightings asks the database who tokens let in, and answers in their order. It
// runs in the control class: a full house must not keep anybody from stopping their
// timer.
func (s *Store) readSightings(ctx context.Context, ids []viewerID) ([]sighting, error) {
	ctx = timesheet.WithService(ctx, timesheet.Service{Class: timesheet.ClassControl})
	workspaces, people, tokens := make([]timesheet.WorkspaceID, len(ids)), make([]timesheet.UserID, len(ids)), make([]timesheet.TokenID, len(ids))
	for i, id := range ids {
		workspaces[i], people[i], tokens[i] = id.workspace, id.user, id.token
	}
	found := make([]sighting, len(ids))
	_, err := list(ctx, s, func(row pgx.CollectableRow) (n int, err error) {
		seen := sighting{known: true}
		v := &seen.viewer
		if err := row.Scan(append(append(append([]any{&n}, workspaceFields(&v.Workspace)...), memberFields(&v.Self)...), &v.Scope, &seen.expires)...); err != nil {
			return n, err
		}
		v.User, v.Token, v.Role = ids[n-1].user, ids[n-1].token, v.Self.Role
		found[n-1] = seen
		return n, nil
	}, readViewers, workspaces, people, tokens)
	if err != nil {
		return nil, fmt.Errorf("read who asks: %w", err)
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

// viewerCache remembers who tokens let in, and whom they do not. While changes are
// heard, an answer is good until its workspace changes; else for viewerAge.
type viewerCache struct {
	life context.Context // of look-ups; ends with the store
	load func(context.Context, []viewerID) ([]sighting, error)

	mu   sync.Mutex
	seen map[viewerID]sighting
	// changes counts what was forgotten: a look-up that began before a change
	// may hold what was there before it, so it is neither kept nor shared with
	// those who ask after the change.
	changes int
	heard   bool // changes are being heard
	lookUps
}

func newViewerCache(life context.Context, load func(context.Context, []viewerID) ([]sighting, error)) *viewerCache {
	return &viewerCache{life: life, load: load, seen: map[viewerID]sighting{}, lookUps: lookUps{open: map[viewerID]*lookUp{}}}
}

func (c *viewerCache) get(ctx context.Context, id viewerID) (timesheet.Viewer, error) {
	c.mu.Lock()
	seen, ok := c.seen[id]
	if ok && (c.heard || time.Since(seen.at) < viewerAge) {
		c.mu.Unlock()
		return seen.answer(time.Now())
	}
	l := c.askLocked(id)
	c.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, viewerPatience)
	defer cancel()
	select {
	case <-ctx.Done():
		c.leave(l)
		return timesheet.Viewer{}, context.Cause(ctx)
	case <-l.done:
	}
	if l.err != nil {
		return timesheet.Viewer{}, l.err
	}
	return l.found.answer(time.Now())
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
