package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"

	"headroom/limits"
	"headroom/store"
	"headroom/store/localpg"
	"headroom/timesheet"
)

// Database says where the data are.
type Database struct {
	DatabaseURL string `name:"database-url" env:"HEADROOM_DATABASE_URL,DATABASE_URL" help:"PostgreSQL to use, 14 or later. Without one a private PostgreSQL is run." placeholder:"URL" secret:"url"`
	DataDir     string `help:"Folder of the private PostgreSQL (default: headroom in the state folder, for root /var/lib/headroom)." placeholder:"DIR"`
	NoFetch     bool   `help:"Never download PostgreSQL, also where none is installed."`
}

func (d Database) local(log *slog.Logger) localpg.Config {
	return localpg.Config{Dir: d.DataDir, NoFetch: d.NoFetch, Log: log}
}

// open finds the database of a command that is not serve: the URL's, a running
// server's, or a private one started for as long as the command runs.
func (d Database) open(ctx context.Context, log *slog.Logger) (dsn string, stop func(), err error) {
	if d.DatabaseURL != "" {
		return d.DatabaseURL, func() {}, nil
	}
	dsn, end, err := localpg.Open(ctx, d.local(log))
	if err != nil {
		return "", nil, err
	}
	stop = func() {
		if err := end(context.WithoutCancel(ctx)); err != nil {
			log.Warn("stop the private PostgreSQL", "error", err)
		}
	}
	return dsn, stop, nil
}

// openStore is open, with the schema brought up to date on a private
// PostgreSQL.
func (d Database) openStore(ctx context.Context, log *slog.Logger) (*store.Store, func(), error) {
	dsn, stop, err := d.open(ctx, log)
	if err != nil {
		return nil, nil, err
	}
	if d.DatabaseURL == "" {
		if err := store.Migrate(ctx, dsn, log); err != nil {
			stop()
			return nil, nil, err
		}
	}
	s, err := store.Open(ctx, store.Config{DSN: dsn, Log: log, Pools: commandPools})
	if err != nil {
		stop()
		return nil, nil, store.Explain(err)
	}
	return s, func() { s.Close(); stop() }, nil
}

// openTold is openStore for what operators ask: that the private PostgreSQL answers is
// told, since it knows nothing of the database that they may have meant.
func (d Database) openTold(ctx context.Context, log *slog.Logger) (*store.Store, func(), error) {
	if d.DatabaseURL == "" {
		log.Warn("without --database-url the private PostgreSQL of this machine is asked")
	}
	return d.openStore(ctx, log)
}

// commandPools are small: a command works beside a running server.
var commandPools = map[timesheet.Class]int{
	timesheet.ClassControl: 2, timesheet.ClassInteractive: 2, timesheet.ClassReport: 1, timesheet.ClassBackground: 3, timesheet.ClassExport: 1,
}

// poolsFor gives each class two connections more than it has seats, so that
// waiting happens in the gate, where it can be reordered.
func poolsFor(cores int) map[timesheet.Class]int {
	seats := limits.SeatsFor(cores)
	return map[timesheet.Class]int{
		timesheet.ClassControl:     seats[limits.Control] + 2,
		timesheet.ClassInteractive: seats[limits.Interactive] + 2,
		timesheet.ClassReport:      seats[limits.Report] + 2,
		timesheet.ClassBackground:  seats[limits.Background] + 2,
		timesheet.ClassExport:      exportSlots(cores),
	}
}

// cores of the database: this machine's where it runs here, else 2 until told.
func (d Database) cores() int {
	if d.beside() {
		return runtime.NumCPU()
	}
	return 2
}

// beside tells whether the database runs on this machine.
func (d Database) beside() bool { return d.DatabaseURL == "" || store.IsLocal(d.DatabaseURL) }

// logger writes people's lines to a terminal and JSON elsewhere.
func logger(out *os.File, level slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if info, err := out.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		return slog.New(slog.NewTextHandler(out, options))
	}
	return slog.New(slog.NewJSONHandler(out, options))
}

// pick finds the workspace that a command works on: the one named, else the
// only one, else the demo's.
func pick(ctx context.Context, s *store.Store, name string) (timesheet.Viewer, error) {
	found, err := s.FindWorkspaces(ctx, name)
	if err != nil {
		return timesheet.Viewer{}, err
	}
	switch {
	case len(found) == 0 && name == "":
		return timesheet.Viewer{}, errors.New("the database has no workspace yet: make one with headroom token create --workspace NAME --email ADDRESS --role owner")
	case len(found) == 0:
		return timesheet.Viewer{}, fmt.Errorf("there is no workspace named %q", name)
	case len(found) > 1 && name != "":
		return timesheet.Viewer{}, fmt.Errorf("%d workspaces are named %q", len(found), name)
	}
	for _, w := range found {
		if len(found) == 1 || w.Name == demoName {
			return s.OwnerViewer(ctx, w.ID)
		}
	}
	return timesheet.Viewer{}, fmt.Errorf("the database has %d workspaces: name one with --workspace", len(found))
}
