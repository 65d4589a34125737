package main

import (
	"context"
	"errors"
	"fmt"
	"headroom/limits"
	"headroom/server"
	"headroom/store"
	"headroom/timesheet"
	"log/slog"
	"net"
	"os"
	"runtime/debug"
	"time"

	"github.com/failsafe-go/failsafe-go/adaptivelimiter"
)

// failsafePermits is the most that a limiter of failsafe-go may give, which is also its
// initial number, and what its class's pool holds.
const failsafePermits = 20

// failsafe is a gate of one adaptive limiter of failsafe-go for each class.
type failsafe map[limits.Class]adaptivelimiter.AdaptiveLimiter[any]

func newFailsafe() failsafe {
	f := failsafe{}
	for _, class := range []limits.Class{limits.Control, limits.Interactive, limits.Report, limits.Background} {
		f[class] = adaptivelimiter.NewBuilder[any]().WithLimits(1, failsafePermits, 20).WithQueueing(2, 3).Build()
	}
	return f
}

// Admit implements limits.Gate.
func (f failsafe) Admit(ctx context.Context, r limits.Request) (*limits.Permit, *limits.Refusal) {
	ctx, cancel := context.WithDeadline(ctx, r.Deadline)
	defer cancel()
	permit, err := f[r.Class].AcquirePermit(ctx)
	if err != nil {
		why := limits.QueueFull
		if !errors.Is(err, adaptivelimiter.ErrExceeded) {
			why = limits.Expired
		}
		return nil, &limits.Refusal{Reason: why, Class: r.Class, RetryAfter: time.Second}
	}
	return limits.NewPermit(r, func(_ limits.Outcome, teach bool) {
		if teach {
			permit.Record()
		} else {
			permit.Drop()
		}
	}), nil
}

// collectAt is how much a server's garbage grows, as in `headroom serve`.
const collectAt = 400

// serveAnother is `headroom serve` with another gate, and pools that failsafe-go's
// limiters do not outgrow.
func serveAnother(ctx context.Context, dsn string, gate limits.Gate, requests bool) error {
	debug.SetGCPercent(collectAt)
	level := slog.LevelWarn
	if requests {
		level = slog.LevelInfo
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	s, err := store.Open(ctx, store.Config{DSN: dsn, Log: log, Pools: map[timesheet.Class]int{
		timesheet.ClassControl: 2, timesheet.ClassInteractive: failsafePermits, timesheet.ClassReport: failsafePermits, timesheet.ClassBackground: 2,
	}})
	if err != nil {
		return err
	}
	defer s.Close()
	secret, err := s.Secret(ctx)
	if err != nil {
		return err
	}
	plenty := limits.Rate{Size: 1e6, Restore: 1e6}
	srv, err := server.New(server.Config{
		Store: s, Secret: secret, Log: log, Another: gate, Cores: 1, User: plenty, Tenant: plenty, Statistics: true, Nightly: -1,
	})
	if err != nil {
		return err
	}
	public, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	admin, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("answers at http://%s/graphql\n", public.Addr())
	return srv.Serve(ctx, public, admin, 0, time.Second)
}
