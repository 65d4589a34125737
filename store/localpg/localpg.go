// Package localpg runs a private PostgreSQL beside this program, so that the
// first command works on a machine where nobody has set one up.
//
// The binaries are found on the machine or fetched (see [Find]). The data lives
// in one base folder:
//
//	lock           held while a server runs; its pid, then its socket folder
//	postgres.log   what PostgreSQL says
//	s/             its socket, for nobody but its owner; there is no TCP port
//	pg15/data      the data, in a folder per major version
//
// Promises:
//   - it works as root, where PostgreSQL itself refuses to run, by running it
//     as the user postgres or nobody;
//   - one base folder has at most one server; who comes second is told the pid
//     of the first ([Start]) or uses its server ([Open]);
//   - a start that is killed at any point leaves nothing that hinders the next;
//   - when this process dies, however it dies, PostgreSQL shuts down cleanly
//     (on Linux by the kernel, at once; elsewhere at the next start);
//   - what went wrong is said in one line that names the remedy, or, where only
//     PostgreSQL knows, with what its log says.
//
// Other commands of the same program reach the server through the socket
// folder named in the lock file.
package localpg

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Config says where the server lives and how careful it is. The zero value is
// a durable server in the default folder.
type Config struct {
	// Dir is the base folder. Empty means headroom below XDG_STATE_HOME, or
	// else below ~/.local/state, for root below /var/lib.
	Dir string
	// Bin is the folder with initdb and postgres. Empty means HEADROOM_PG_BIN,
	// and without that the search that [Find] describes.
	Bin string
	// NoFetch forbids the download of binaries when none are found.
	NoFetch bool
	// Ephemeral trades safety of the data for speed: for tests.
	Ephemeral bool
	// Log is told what was chosen and what happens. Nil is silent.
	Log *slog.Logger
}

func (c Config) withDefaults() (Config, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Bin == "" {
		c.Bin = os.Getenv("HEADROOM_PG_BIN")
	}
	var err error
	if c.Bin != "" {
		if c.Bin, err = filepath.Abs(c.Bin); err != nil {
			return c, err
		}
	}
	if c.Dir == "" {
		c.Dir, err = DefaultDir()
		return c, err
	}
	c.Dir, err = filepath.Abs(c.Dir)
	return c, err
}

// DefaultDir is the base folder of a Config without one.
func DefaultDir() (string, error) {
	if state := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(state) {
		return filepath.Join(state, "headroom"), nil
	}
	if os.Geteuid() == 0 {
		return "/var/lib/headroom", nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", errors.New("no folder for the data: set HOME, or choose one with --data-dir")
	}
	return filepath.Join(home, ".local", "state", "headroom"), nil
}

// Server is a running private PostgreSQL, owned by this process.
type Server struct {
	sockets string
	proc    *process
	done    chan struct{} // closed when the base folder is free again
}

// Start runs PostgreSQL on cfg.Dir, making the data folder first if there is
// none, and returns when it takes connections. ctx bounds the start only; the
// server runs until [Server.Stop] or the end of this process.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	server, err := start(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("start the private PostgreSQL: %w", err)
	}
	return server, nil
}

func start(ctx context.Context, cfg Config) (server *Server, err error) {
	who, err := runAs()
	if err != nil {
		return nil, err
	}
	if err := makeBase(cfg.Dir, who); err != nil {
		return nil, explain(err, cfg.Dir)
	}
	lock, err := takeLock(cfg.Dir)
	if err != nil {
		return nil, explain(err, cfg.Dir)
	}
	defer func() {
		if err != nil {
			lock.release()
			err = explain(err, cfg.Dir)
		}
	}()
	bin, err := find(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return run(ctx, cfg, bin, who, lock)
}

// run starts bin on the base folder that lock holds.
func run(ctx context.Context, cfg Config, bin Binaries, who account, lock *lockFile) (*Server, error) {
	began := time.Now()
	if err := checkAccess(ctx, bin, cfg.Dir, who); err != nil {
		return nil, err
	}
	launch := launcher{base: cfg.Dir, bin: bin, who: who, log: cfg.Log}
	data, err := launch.ensureData(ctx, cfg.Ephemeral)
	if err != nil {
		return nil, err
	}
	sockets, err := makeSockets(cfg.Dir, who)
	if err != nil {
		return nil, err
	}
	proc, err := launch.postgres(ctx, data, sockets, settings(bin, sockets, cfg.Ephemeral))
	if err != nil {
		removeSockets(cfg.Dir)
		return nil, err
	}
	if err := lock.announce(sockets); err != nil {
		_ = proc.stop(ctx)
		removeSockets(cfg.Dir)
		return nil, err
	}
	server := &Server{sockets: sockets, proc: proc, done: make(chan struct{})}
	go func() {
		<-proc.done
		removeSockets(cfg.Dir)
		lock.release()
		close(server.done)
	}()
	cfg.Log.Info("private PostgreSQL is ready", "version", bin.Version, "bin", bin.Dir,
		"from", bin.From, "dir", cfg.Dir, "user", who.name, "pid", proc.pid(),
		"ms", time.Since(began).Milliseconds())
	return server, nil
}

// DSN is the connection string of the server's database, for the user this
// process runs as and for root.
func (s *Server) DSN() string { return dsn(s.sockets) }

func dsn(sockets string) string {
	values := url.Values{"host": {sockets}, "port": {port}, "user": {superuser}}
	// pgx takes a plus as it stands, where Encode means a space by it; a plus
	// of the folder's own is %2B by now.
	return "postgres:///postgres?" + strings.ReplaceAll(values.Encode(), "+", "%20")
}

// Done is closed when PostgreSQL has ended, asked or not, and the base folder
// is free for another start.
func (s *Server) Done() <-chan struct{} { return s.done }

// Err says how PostgreSQL ended, with the last lines of its log. It is nil
// while it runs and after a clean shutdown.
func (s *Server) Err() error {
	select {
	case <-s.done:
		return s.proc.failure()
	default:
		return nil
	}
}

// Stop shuts PostgreSQL down and gives the base folder free. Connections are
// ended, their transactions rolled back. When ctx ends or 10 s have passed it
// stops waiting for a clean shutdown; committed work is safe then too, and the
// next start recovers it.
func (s *Server) Stop(ctx context.Context) error {
	if err := s.proc.stop(ctx); err != nil {
		return err
	}
	<-s.done
	return nil
}

// Open is for commands that need the database whether or not a server runs: it
// returns the DSN of the server that holds cfg.Dir, waiting for one that is
// still starting, and else starts one. Call stop when done: it ends what was
// started here and leaves another's server alone.
func Open(ctx context.Context, cfg Config) (dsn string, stop func(context.Context) error, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, startLimit, errors.New("the server that holds it is not ready"))
	defer cancel()
	for {
		server, err := Start(ctx, cfg)
		if err == nil {
			return server.DSN(), server.Stop, nil
		}
		held, isHeld := errors.AsType[*heldError](err)
		if !isHeld {
			return "", nil, err
		}
		if dsn, ok := held.dsn(); ok {
			return dsn, func(context.Context) error { return nil }, nil
		}
		select {
		case <-ctx.Done():
			return "", nil, fmt.Errorf("use the PostgreSQL of %w: %w", err, context.Cause(ctx))
		case <-time.After(attachPoll):
		}
	}
}

const attachPoll = 50 * time.Millisecond
