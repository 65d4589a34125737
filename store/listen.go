package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"

	"headroom/timesheet"
)

// listen hears from the database which workspaces' roles, settings or tokens
// have changed, on a connection of its own. It tries again until ctx ends.
func (s *Store) listen(ctx context.Context, dsn string) error {
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return fmt.Errorf("read the database URL: %w", err)
	}
	cfg.RuntimeParams["application_name"] = "headroom listener"
	s.ended.Go(func() {
		for ctx.Err() == nil {
			err := s.hearChanges(ctx, cfg)
			if s.views.hear(false) && ctx.Err() == nil {
				s.log.Warn("changes of roles and tokens are read again and again until they can be heard", "error", err)
			}
			wait(ctx, viewerAge)
		}
	})
	return nil
}

const listenViewers = `/* listenViewers */
LISTEN headroom_viewers`

// hearChanges listens until the connection fails. A silent connection is asked
// for an answer every viewerAge, so that one that died without a word is
// noticed.
func (s *Store) hearChanges(ctx context.Context, cfg *pgx.ConnConfig) error {
	conn, err := connect(ctx, cfg)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, listenViewers); err != nil {
		return err
	}
	s.views.hear(true)
	for {
		workspace, err := nextChange(ctx, conn)
		if err != nil {
			return err
		}
		if workspace != 0 {
			s.views.forget(workspace)
		}
	}
}

func connect(ctx context.Context, cfg *pgx.ConnConfig) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, viewerWait)
	defer cancel()
	return pgx.ConnectConfig(ctx, cfg)
}

// nextChange waits for the next workspace that changed; 0 for none within
// viewerAge on a connection that still answers.
func nextChange(ctx context.Context, conn *pgx.Conn) (timesheet.WorkspaceID, error) {
	waiting, cancel := context.WithTimeout(ctx, viewerAge)
	defer cancel()
	notice, err := conn.WaitForNotification(waiting)
	if err == nil {
		id, err := strconv.ParseInt(notice.Payload, 10, 64)
		return timesheet.WorkspaceID(id), err
	}
	if ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
		return 0, err
	}
	asking, cancel := context.WithTimeout(ctx, viewerAge)
	defer cancel()
	return 0, conn.Ping(asking)
}
