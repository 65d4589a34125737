package store

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Neighbours is what servers that share a database see of each other.
type Neighbours struct {
	Others    int           // other servers that are connected
	Waiting   int           // those of them in which a report waits
	RoundTrip time.Duration // the shortest way to the database and back of late
}

// The name of a server's session says that it is there. It is gone with the
// connection, so no server is ever thought to live that does not.
const (
	nameServing = "headroom server"
	nameWaiting = nameServing + ", a report waits"
)

const beat = `/* beat */
SELECT count(*), count(*) FILTER (WHERE application_name = $3),
       set_config('application_name', $1, false)
FROM pg_stat_activity
WHERE datname = current_database()
  AND application_name IN ($2, $3)
  AND pid <> pg_backend_pid()`

// Beat tells the other servers on the database whether a report waits in this
// one, and returns what they tell.
func (s *Store) Beat(ctx context.Context, waiting bool) (Neighbours, error) {
	began := time.Now()
	if err := s.Ping(ctx); err != nil {
		return Neighbours{}, fmt.Errorf("beat: %w", err)
	}
	trip := s.shortest(time.Since(began))
	name := nameServing
	if waiting {
		name = nameWaiting
	}
	n := Neighbours{RoundTrip: trip}
	if err := s.heart.QueryRow(ctx, beat, name, nameServing, nameWaiting).Scan(&n.Others, &n.Waiting, &name); err != nil {
		return Neighbours{}, fmt.Errorf("beat: %w", err)
	}
	return n, nil
}

// tripMemory is how many round trips are remembered.
const tripMemory = 30

// shortest notes a round trip and returns the shortest of the last ones: whatever
// they took beyond it was not the way.
func (s *Store) shortest(trip time.Duration) time.Duration {
	s.tripsMu.Lock()
	defer s.tripsMu.Unlock()
	s.trips = append(s.trips, trip)
	s.trips = s.trips[max(0, len(s.trips)-tripMemory):]
	return slices.Min(s.trips)
}
