package store_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/store"
	"headroom/store/storetest"
	"headroom/timesheet"
)

func openServer(t *testing.T, dsn string) *store.Store {
	t.Helper()
	pools := map[timesheet.Class]int{timesheet.ClassControl: 1, timesheet.ClassInteractive: 1, timesheet.ClassReport: 3, timesheet.ClassBackground: 2}
	s, err := store.Open(t.Context(), store.Config{DSN: dsn, Pools: pools, Demote: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func takeSlot(t *testing.T, s *store.Store, class timesheet.Class, n int) *store.Slot {
	t.Helper()
	slot, err := s.TakeSlot(t.Context(), class, n)
	if err != nil {
		t.Fatal(err)
	}
	return slot
}

// The slots are those of the database, whichever process and class asks, and they
// end with the backend.
func TestSlots(t *testing.T) {
	dsn := storetest.New(t)
	one, other := openServer(t, dsn), openServer(t, dsn)
	first := takeSlot(t, one, timesheet.ClassReport, 2)
	second := takeSlot(t, other, timesheet.ClassBackground, 2)
	if first == nil || second == nil {
		t.Fatal("a free slot was not given")
	}
	for _, s := range []*store.Store{one, other} {
		if slot := takeSlot(t, s, timesheet.ClassReport, 2); slot != nil {
			t.Fatal("a third of two slots was given")
		}
	}
	third := takeSlot(t, one, timesheet.ClassReport, 3)
	if third == nil {
		t.Fatal("the third of three slots was not given")
	}
	third.Release()
	second.Release()
	waitUntil(t, "a slot that was given back is free", func() bool {
		second = takeSlot(t, one, timesheet.ClassReport, 2)
		return second != nil
	})

	conn := connectTo(t, dsn)
	waitUntil(t, "two are held, the third is given back", func() bool {
		return ask[int](t, conn, `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 18514`) == 2
	})
	ask[int](t, conn, `SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory' AND classid = 18514`)
	var found *store.Slot
	waitUntil(t, "the slot of a dead backend is free", func() bool {
		slot, err := other.TakeSlot(t.Context(), timesheet.ClassReport, 1)
		found = slot
		return err == nil && slot != nil
	})
	first.Release()
	second.Release()
	found.Release()
	waitUntil(t, "all slots are free at the end", func() bool {
		return ask[int](t, conn, `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 18514`) == 0
	})
}

// The only slot is there for the next report of the process that gives it back, on
// however many connections.
func TestSlotIsThereForTheNext(t *testing.T) {
	s := openServer(t, storetest.New(t))
	for i := range 100 {
		slot := takeSlot(t, s, timesheet.ClassReport, 1)
		if slot == nil {
			t.Fatalf("report %d did not find the slot that was given back before", i)
		}
		slot.Release()
	}
}

// An operation in a slot runs on its connection: with a pool of one there is no
// other. After the slot the connection is as good as before.
func TestOperationRunsInItsSlot(t *testing.T) {
	dsn := storetest.New(t)
	s, err := store.Open(t.Context(), store.Config{DSN: dsn, Pools: map[timesheet.Class]int{timesheet.ClassReport: 1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	ctx, cancel := context.WithTimeout(timesheet.WithService(t.Context(), timesheet.Service{Class: timesheet.ClassReport}), 30*time.Second)
	defer cancel()
	for range 3 {
		slot, err := s.TakeSlot(ctx, timesheet.ClassReport, 1) // waits for the only connection
		if err != nil || slot == nil {
			t.Fatalf("slot %v, error %v", slot, err)
		}
		op := store.NewOperation(1)
		op.RunIn(slot)
		if _, err := s.FindWorkspaces(store.WithOperation(ctx, op), ""); err != nil {
			t.Fatal(err)
		}
		if got := op.Statements(); got != 1 {
			t.Errorf("%d statements were counted, want 1", got)
		}
		op.Close()
		slot.Release()
	}
}

func TestBeat(t *testing.T) {
	dsn := storetest.New(t)
	one, other, third := openServer(t, dsn), openServer(t, dsn), openServer(t, dsn)
	beat := func(s *store.Store, waiting bool) store.Neighbours {
		t.Helper()
		n, err := s.Beat(t.Context(), waiting)
		if err != nil {
			t.Fatal(err)
		}
		if n.RoundTrip <= 0 || n.RoundTrip > 10*time.Second {
			t.Errorf("round trip %v", n.RoundTrip)
		}
		return n
	}
	if n := beat(one, false); n.Others != 0 || n.Waiting != 0 {
		t.Errorf("alone: %+v; a store that serves nobody is no server", n)
	}
	beat(third, false)
	if n := beat(other, true); n.Others != 2 || n.Waiting != 0 {
		t.Errorf("the second sees %+v, want two others", n)
	}
	if n := beat(one, false); n.Others != 2 || n.Waiting != 1 {
		t.Errorf("the first sees %+v, want two others, a report waiting in one", n)
	}
	other.Close()
	third.Close()
	waitUntil(t, "servers that have ended are not seen", func() bool { return beat(one, false).Others == 0 })
}

// Report backends yield; others do not, and those of background work least of all:
// they write, and a row they hold is one that people wait for. A report cannot
// hold any, because its sessions only read.
func TestReportBackendsYield(t *testing.T) {
	dsn := storetest.New(t)
	s := openServer(t, dsn)
	slot := takeSlot(t, s, timesheet.ClassReport, 1)
	defer slot.Release()
	d := s.Demotion()
	if d.Refused > 0 && strings.Contains(d.Reason, "takes the user of PostgreSQL or root") {
		t.Skip("the tests' user may not set the priority of PostgreSQL's processes: " + d.Reason)
	}
	if !d.Demoted() {
		t.Fatalf("demotion is %+v", d)
	}
	conn := connectTo(t, dsn)
	waitUntil(t, "a report's connection is still being opened", func() bool { // the kernel takes its time for who is not root
		return s.Demotion().Yielding >= ask[int](t, conn, `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'headroom report'`)
	})
	rows, err := conn.Query(t.Context(), `SELECT pid, application_name FROM pg_stat_activity WHERE application_name LIKE 'headroom %'`)
	if err != nil {
		t.Fatal(err)
	}
	own, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0) // as the system call has it: 20 less the nice value
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	var pid int
	var name string
	if _, err := pgx.ForEachRow(rows, []any{&pid, &name}, func() error {
		want, others := 0, own
		if name == "headroom report" {
			want, others = 10, 20-10
		}
		seen[name]++
		if raw, err := syscall.Getpriority(syscall.PRIO_PROCESS, pid); err != nil || raw != others {
			t.Errorf("%s has priority %d (%v), want %d", name, 20-raw, err, 20-others)
		}
		if group, err := os.ReadFile(fmt.Sprintf("/proc/%d/autogroup", pid)); err == nil && !strings.HasSuffix(strings.TrimSpace(string(group)), fmt.Sprintf(" nice %d", want)) {
			t.Errorf("%s is in %s, want nice %d", name, group, want)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if seen["headroom report"] == 0 || seen["headroom background"] == 0 || seen["headroom interactive"] == 0 {
		t.Errorf("saw the backends %v", seen)
	}
	lock := `SELECT 1 FROM workspace FOR UPDATE`
	reading, writing := timesheet.Service{Class: timesheet.ClassReport}, timesheet.Service{Class: timesheet.ClassBackground}
	if err := s.RunSQL(timesheet.WithService(t.Context(), reading), lock); err == nil || !strings.Contains(err.Error(), "25006") {
		t.Errorf("a report locks rows: %v", err)
	}
	if err := s.RunSQL(timesheet.WithService(t.Context(), writing), lock); err != nil {
		t.Errorf("background work cannot lock rows: %v", err)
	}
}

// Where nobody is to be demoted, nobody is.
func TestReportBackendsStay(t *testing.T) {
	s, err := store.Open(t.Context(), store.Config{DSN: storetest.New(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	slot := takeSlot(t, s, timesheet.ClassReport, 1)
	defer slot.Release()
	if d := s.Demotion(); d != (store.Demotion{}) {
		t.Errorf("demotion is %+v, want none", d)
	}
}
