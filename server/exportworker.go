package server

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"syscall"
	"time"

	"headroom/csvfile"
	"headroom/resolvers"
	"headroom/store"
	"headroom/timesheet"
)

// ExportConfig says where exports are written and for how long.
type ExportConfig struct {
	Folder *ExportFolder // nil: there are no exports
	Keep   time.Duration // how long files last; 0: a day
	Quota  int64         // bytes of a workspace's files; 0: 1 GiB
	Slots  int           // exports that this process runs at a time; 0: 1
}

func (c ExportConfig) withDefaults() ExportConfig {
	if c.Keep == 0 {
		c.Keep = 24 * time.Hour
	}
	if c.Quota == 0 {
		c.Quota = 1 << 30
	}
	if c.Slots == 0 {
		c.Slots = 1
	}
	return c
}

// exporter runs the exports that wait in the database, as many at a time as it
// has slots, and deletes files that are over.
type exporter struct {
	ExportConfig
	store   *store.Store
	log     *slog.Logger
	metrics *metrics
	kick    chan struct{} // one token: there may be work
	tidied  chan struct{} // one token: a file may be over
}

func newExporter(c ExportConfig, s *store.Store, log *slog.Logger) *exporter {
	return &exporter{ExportConfig: c.withDefaults(), store: s, log: log, kick: make(chan struct{}, c.Slots+1), tidied: make(chan struct{}, 1)}
}

// exportsOf is what resolvers need to know of exports.
func (s *Server) exportsOf(c ExportConfig) resolvers.Exports {
	if c.Folder == nil {
		return resolvers.Exports{}
	}
	c = c.withDefaults()
	return resolvers.Exports{Terms: store.ExportTerms{Keep: c.Keep, Quota: c.Quota}, Link: s.exportLink, Changed: s.exports.changed}
}

// startExports runs exports until stop is called; what is being written then
// is given back to the queue.
func (s *Server) startExports(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var all sync.WaitGroup
	all.Go(func() { s.exports.run(ctx) })
	return func() { cancel(); all.Wait() }
}

const (
	// lookEvery is how often a process looks for exports that others took in.
	lookEvery = time.Second
	// sweepEvery is how often files are looked through.
	sweepEvery = 10 * time.Second
	// tellEvery is how often the progress is kept and a cancellation noticed.
	tellEvery = 250 * time.Millisecond
)

// changed says that there is something to run, or to delete.
func (e *exporter) changed() {
	for range e.Slots {
		poke(e.kick)
	}
	poke(e.tidied)
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// run works until ctx ends, and returns when nothing is being written any more.
func (e *exporter) run(ctx context.Context) {
	if e.Folder == nil {
		return
	}
	var all sync.WaitGroup
	all.Go(func() { every(ctx, sweepEvery, e.tidied, e.tidy) })
	for range e.Slots {
		all.Go(func() { every(ctx, lookEvery, e.kick, e.work) })
	}
	all.Wait()
}

// tidy ends what is over and deletes files that nobody needs.
func (e *exporter) tidy(ctx context.Context) {
	err := e.tidyOnce(ctx)
	if err != nil && ctx.Err() == nil && !store.IsUnavailable(err) {
		e.log.Warn("tidy exports", "error", err)
	}
}

func (e *exporter) tidyOnce(ctx context.Context) error {
	adopted, err := e.store.AdoptExports(ctx)
	if adopted > 0 {
		e.log.Warn("exports whose server was killed begin anew", "exports", adopted)
		poke(e.kick)
	}
	if err != nil {
		return err
	}
	if _, err := e.store.ExpireExports(ctx); err != nil {
		return err
	}
	if err := e.sweep(ctx); err != nil {
		return err
	}
	queued, running, err := e.store.OpenExports(ctx)
	e.metrics.exportsOpen.WithLabelValues("queued").Set(float64(queued))
	e.metrics.exportsOpen.WithLabelValues("running").Set(float64(running))
	return err
}

// sweep deletes files that nobody needs. The files are listed before the jobs:
// an export that begins meanwhile is in neither list.
func (e *exporter) sweep(ctx context.Context) error {
	files, err := e.Folder.files()
	if err != nil {
		return err
	}
	live, err := e.store.LiveExports(ctx, e.Folder.name)
	if err != nil {
		return err
	}
	for path, id := range files {
		if !live[id] {
			if err := e.Folder.removeFile(path); err != nil {
				return err
			}
		}
	}
	return e.Folder.count()
}

// work runs exports as long as there are any.
func (e *exporter) work(ctx context.Context) {
	for ctx.Err() == nil {
		run, err := e.store.StartExport(ctx, e.Folder.name)
		if err != nil && ctx.Err() == nil && !store.IsUnavailable(err) {
			e.log.Warn("start an export", "error", err)
		}
		if err != nil || run == nil {
			return
		}
		e.write(ctx, run)
	}
}

// errCanceled ends an export that was cancelled.
var errCanceled = errors.New("the export was cancelled")

// write makes the file of a claimed export, and says in the job what became of
// it. What it holds is released in the order in which others may see it: the
// file before the job, the job before its lock.
func (e *exporter) write(ctx context.Context, run *store.ExportRun) {
	defer run.Close(context.WithoutCancel(ctx))
	began := time.Now()
	limited, cancel := context.WithTimeout(ctx, store.Deadlines[timesheet.ClassExport])
	defer cancel()
	bytes, err := e.fill(limited, run)
	result := e.conclude(ctx, limited, run, err)
	e.metrics.exports.WithLabelValues(result).Inc()
	level := slog.LevelInfo
	if err != nil {
		level = slog.LevelWarn
	}
	e.log.LogAttrs(ctx, level, "export", slog.Int64("export", int64(run.ID)), slog.Int64("workspace", int64(run.Workspace)),
		slog.String("result", result), slog.Int64("rows", run.Rows), slog.Int64("bytes", bytes), slog.Duration("took", time.Since(began)), slog.Any("error", err))
	if errors.Is(err, errCanceled) {
		poke(e.tidied)
	}
}

// fill writes the rows and makes the file available.
func (e *exporter) fill(ctx context.Context, run *store.ExportRun) (bytes int64, err error) {
	viewer, err := run.Viewer(ctx)
	if err != nil {
		return 0, err
	}
	room, err := e.store.ExportRoom(ctx, run.Workspace, e.Quota)
	if err != nil {
		return 0, err
	}
	file, err := e.Folder.create(run.ID, room)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.discard()) }()
	rows, err := csvfile.NewExport(file, run.Input)
	if err != nil {
		return 0, err
	}
	if err := run.Read(ctx, viewer, rows, e.teller(ctx, run)); err != nil {
		return file.bytes, err
	}
	sum, err := file.commit()
	if err != nil {
		return file.bytes, err
	}
	kept, err := run.Finish(ctx, file.bytes, sum)
	if err == nil && !kept {
		err = errCanceled
	}
	if err != nil {
		err = errors.Join(err, e.Folder.remove(run.ID))
	}
	return file.bytes, err
}

// teller keeps the progress from time to time.
func (e *exporter) teller(ctx context.Context, run *store.ExportRun) func() error {
	var told time.Time
	return func() error {
		if time.Since(told) < tellEvery {
			return nil
		}
		told = time.Now()
		going, err := run.Tell(ctx)
		if err == nil && !going {
			err = errCanceled
		}
		return err
	}
}

// concluding bounds how long the end of an export may take to be written down.
const concluding = 5 * time.Second

// conclude writes down how an export ended and returns it in a word.
func (e *exporter) conclude(ctx, limited context.Context, run *store.ExportRun, err error) string {
	switch {
	case err == nil:
		return "ready"
	case errors.Is(err, errCanceled):
		return "canceled"
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), concluding)
	defer cancel()
	result := "requeued"
	if ctx.Err() != nil || store.IsUnavailable(err) && !ofFile(err) { // begun anew, here or by another
		err = run.Requeue(ending)
	} else {
		why := failureOf(limited, err)
		result = "failed"
		err = run.Fail(ending, why)
	}
	if err != nil { // whoever finds the job without its lock adopts it
		e.log.Warn("end an export", "export", int64(run.ID), "error", err)
	}
	return result
}

// ofFile tells an error of the disk, which to package net looks like one of a
// connection.
func ofFile(err error) bool {
	var path *fs.PathError
	var link *os.LinkError
	return errors.As(err, &path) || errors.As(err, &link)
}

func failureOf(limited context.Context, err error) timesheet.ExportFailure {
	switch {
	case errors.Is(err, store.ErrNoViewer):
		return timesheet.ExportNotAllowed
	case errors.Is(err, errOverQuota):
		return timesheet.ExportOverQuota
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return timesheet.ExportDiskFull
	case errors.Is(limited.Err(), context.DeadlineExceeded), store.IsTimeout(err):
		return timesheet.ExportTooLong
	}
	return timesheet.ExportInternal
}
