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

const (
	listenViewers = `/* listenViewers */
LISTEN headroom_viewers`
	listenImports = `/* listenImports */
LISTEN headroom_imports`
	tellImport = `/* tellImport */
SELECT pg_notify('headroom_imports', $1::bigint::text)`
)

// importsChannel is where imports tell that they have ended.
const importsChannel = "headroom_imports"

// HearImports has f called with each workspace into which an import has ended,
// of this process or another one.
func (s *Store) HearImports(f func(timesheet.WorkspaceID)) { s.imported.Store(&f) }

// tellImport tells all servers that much has been added at once. A server that
// does not hear it counts the workspace again within a day.
func (s *Store) tellImport(ctx context.Context, ws timesheet.WorkspaceID) {
	if _, err := s.exec(ctx, tellImport, ws); err != nil {
		s.log.Warn("tell servers of an import", "workspace", ws, "error", err)
	}
}

// hearChanges listens until the connection fails. A silent connection is asked
// for an answer every viewerAge, so that one that died without a word is
// noticed.
func (s *Store) hearChanges(ctx context.Context, cfg *pgx.ConnConfig) error {
	conn, err := connect(ctx, cfg)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for _, sql := range []string{listenViewers, listenImports, listenPrices, listenOrders} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return err
		}
	}
	s.views.hear(true)
	for {
		channel, workspace, err := nextChange(ctx, conn)
		if err != nil {
			return err
		}
		heard, published := s.imported.Load(), s.published.Load()
		switch {
		case channel == ordersChannel:
			if ordered := s.ordered.Load(); ordered != nil {
				(*ordered)()
			}
		case workspace == 0:
		case channel == pricesChannel:
			if published != nil {
				(*published)()
			}
		case channel != importsChannel:
			s.views.forget(workspace)
		case heard != nil:
			(*heard)(workspace)
		}
	}
}

func connect(ctx context.Context, cfg *pgx.ConnConfig) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, viewerWait)
	defer cancel()
	return pgx.ConnectConfig(ctx, cfg)
}

// nextChange waits for the next workspace that changed, and the channel that
// says so; 0 for none within viewerAge on a connection that still answers.
func nextChange(ctx context.Context, conn *pgx.Conn) (channel string, ws timesheet.WorkspaceID, err error) {
	waiting, cancel := context.WithTimeout(ctx, viewerAge)
	defer cancel()
	notice, err := conn.WaitForNotification(waiting)
	if err == nil {
		id, err := strconv.ParseInt(notice.Payload, 10, 64)
		return notice.Channel, timesheet.WorkspaceID(id), err
	}
	if ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
		return "", 0, err
	}
	asking, cancel := context.WithTimeout(ctx, viewerAge)
	defer cancel()
	return "", 0, conn.Ping(asking)
}
