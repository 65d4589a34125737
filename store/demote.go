package store

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Demotion tells how many report backends were told to yield the processor to
// others, and how many could not be, with the reason of the last.
type Demotion struct {
	Yielding, Refused int
	Reason            string
}

// Demotion of the report backends since the start.
func (s *Store) Demotion() Demotion {
	s.demotionMu.Lock()
	defer s.demotionMu.Unlock()
	return s.demotion
}

// Demoted tells whether reports yield: every backend that was tried does.
func (d Demotion) Demoted() bool { return d.Yielding > 0 && d.Refused == 0 }

// demoteReport makes a new report connection yield. Sessions of reports only read,
// so none of them ever holds a row that others wait for. That it cannot be done
// is no reason to go without the connection.
func (s *Store) demoteReport(ctx context.Context, conn *pgx.Conn) error {
	err := demote(ctx, int(conn.PgConn().PID()), conn.Config().Database)
	s.demotionMu.Lock()
	defer s.demotionMu.Unlock()
	first := s.demotion == Demotion{}
	if err == nil {
		s.demotion.Yielding++
		s.demotion.Refused, s.demotion.Reason = 0, ""
		if first {
			s.log.Info("report backends yield the processor to others")
		}
		return nil
	}
	s.demotion.Refused++
	if s.demotion.Reason != err.Error() {
		s.demotion.Reason = err.Error()
		s.log.Warn("report backends do not yield the processor, so fewer run at once", "error", err)
	}
	return nil
}
