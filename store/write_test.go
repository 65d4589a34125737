package store_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"headroom/store"
	"headroom/timesheet"
)

// withKey is a change that carries an idempotency key.
func withKey(key string, input any) store.Change {
	return store.Change{Action: "createTag", Key: &key, Input: input}
}

func tagNamed(name string) timesheet.TagInput { return timesheet.TagInput{Name: timesheet.Some(name)} }

func TestRepeatsTakeEffectOnce(t *testing.T) {
	s, owner, conn := newDatabase(t)
	const atOnce = 3
	for round := range 10 {
		name := "tag " + string(rune('a'+round))
		var tags [atOnce]timesheet.Tag
		var errs [atOnce]error
		var all sync.WaitGroup
		for i := range atOnce {
			all.Go(func() { tags[i], _, errs[i] = s.CreateTag(t.Context(), owner, tagNamed(name), withKey(name, name)) })
		}
		all.Wait()
		for i := range atOnce {
			if errs[i] != nil || tags[i] != tags[0] || tags[i].Name != name {
				t.Fatalf("round %d: answer %d is %+v, %v; want the same as %+v", round, i, tags[i], errs[i], tags[0])
			}
		}
		if n := ask[int](t, conn, `SELECT count(*) FROM audit WHERE entity = 'Tag' AND entity_id = $1`, idText(tags[0].ID)); n != 1 {
			t.Errorf("round %d: %d audit rows, want 1", round, n)
		}
	}
}

func TestRepeatsOfABrokenRule(t *testing.T) {
	s, owner, conn := newDatabase(t)
	ctx := t.Context()
	first, _, err := s.CreateTag(ctx, owner, tagNamed("x"), store.Change{Action: "createTag"})
	if err != nil {
		t.Fatal(err)
	}
	ch := withKey("k", "x")
	_, _, err = s.CreateTag(ctx, owner, tagNamed("x"), ch)
	wantCode(t, err, timesheet.CodeNameTaken)
	// The name is free now, and the repeat still answers as the first did.
	if _, _, err := s.DeleteTag(ctx, owner, first.ID, nil, store.Change{Action: "deleteTag"}); err != nil {
		t.Fatal(err)
	}
	_, _, err = s.CreateTag(ctx, owner, tagNamed("x"), ch)
	wantCode(t, err, timesheet.CodeNameTaken)
	if n := ask[int](t, conn, `SELECT count(*) FROM audit WHERE action = 'createTag'`); n != 1 {
		t.Errorf("%d audit rows of createTag, want that of the first alone", n)
	}
}

func TestRepeatOfAConflictComesWithTheCurrentObject(t *testing.T) {
	s, owner := newWorkspace(t)
	ctx := t.Context()
	tag, _, err := s.CreateTag(ctx, owner, tagNamed("x"), store.Change{Action: "createTag"})
	if err != nil {
		t.Fatal(err)
	}
	key, old := "k", 7
	for range 2 {
		current, _, err := s.UpdateTag(ctx, owner, tag.ID, tagNamed("y"), &old, store.Change{Action: "updateTag", Key: &key, Input: "y"})
		wantCode(t, err, timesheet.CodeVersionConflict)
		if diff := cmp.Diff(tag, current); diff != "" {
			t.Errorf("the conflict's object (-want +got):\n%s", diff)
		}
	}
}

func TestKeyWithAnotherInput(t *testing.T) {
	s, owner := newWorkspace(t)
	ctx := t.Context()
	other := addViewer(t, s, owner, "ada", timesheet.RoleAdmin)
	stranger := addWorkspace(t, s, "Other")
	if _, _, err := s.CreateTag(ctx, owner, tagNamed("x"), withKey("k", "x")); err != nil {
		t.Fatal(err)
	}
	_, _, err := s.CreateTag(ctx, owner, tagNamed("y"), withKey("k", "y"))
	wantCode(t, err, timesheet.CodeIdempotencyMismatch)
	key := "k"
	_, _, err = s.CreateClient(ctx, owner, timesheet.ClientInput{Name: timesheet.Some("x")}, store.Change{Action: "createClient", Key: &key, Input: "x"})
	wantCode(t, err, timesheet.CodeIdempotencyMismatch)
	// Keys are a person's own.
	for _, v := range []timesheet.Viewer{other, stranger} {
		if _, _, err := s.CreateTag(ctx, v, tagNamed("z"), withKey("k", "z")); err != nil {
			t.Errorf("the key of another person is refused: %v", err)
		}
	}
}

func TestBadKeys(t *testing.T) {
	s, owner := newWorkspace(t)
	for name, key := range map[string]string{
		"empty": "", "too long": strings.Repeat("é", 101), "with U+0000": "a\x00", "broken UTF-8": "\xff",
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := s.CreateTag(t.Context(), owner, tagNamed(name), withKey(key, name))
			wantCode(t, err, timesheet.CodeInvalid)
		})
	}
	if _, _, err := s.CreateTag(t.Context(), owner, tagNamed("longest"), withKey(strings.Repeat("é", 100), "longest")); err != nil {
		t.Errorf("a key of 100 characters is refused: %v", err)
	}
}

// A repeat that comes while the first still runs waits for it, and is told to
// come again when that takes too long.
func TestKeyInUse(t *testing.T) {
	t.Parallel()
	s, owner, conn := newDatabase(t)
	ctx := timesheet.WithService(t.Context(), timesheet.Service{Class: timesheet.ClassControl})
	hold := func(key string) (end func(sql string)) {
		t.Helper()
		mustExec(t, conn, `BEGIN`)
		mustExec(t, conn, `INSERT INTO idempotency (workspace_id, user_id, key, input_hash) VALUES ($1, $2, $3, '')`, owner.Workspace.ID, owner.User, key)
		return func(sql string) { mustExec(t, conn, sql) }
	}
	t.Run("it takes too long", func(t *testing.T) {
		end := hold("slow")
		_, _, err := s.CreateTag(ctx, owner, tagNamed("slow"), withKey("slow", "slow"))
		wantCode(t, err, timesheet.CodeIdempotencyBusy)
		end(`ROLLBACK`)
	})
	t.Run("it fails, so the repeat does the work", func(t *testing.T) {
		end := hold("quick")
		done := make(chan error)
		go func() {
			_, _, err := s.CreateTag(ctx, owner, tagNamed("quick"), withKey("quick", "quick"))
			done <- err
		}()
		watch := connectTo(t, conn.Config().ConnString())
		waitUntil(t, "the repeat to wait", func() bool {
			return ask[int](t, watch, `SELECT count(*) FROM pg_locks WHERE NOT granted`) > 0
		})
		end(`ROLLBACK`)
		if err := <-done; err != nil {
			t.Errorf("the repeat returned %v", err)
		}
	})
}

func TestWriteWithinAnOperation(t *testing.T) {
	s, owner := newWorkspace(t)
	op := store.NewOperation(1)
	ctx := store.WithOperation(t.Context(), op)
	if _, _, err := s.CreateTag(ctx, owner, tagNamed("x"), withKey("k", "x")); err != nil {
		t.Fatal(err)
	}
	first := op.Statements()
	if _, _, err := s.CreateTag(ctx, owner, tagNamed("x"), withKey("k", "x")); err != nil {
		t.Fatal(err)
	}
	// BEGIN, key, SAVEPOINT, the insert, RELEASE, audit and result, COMMIT; the
	// repeat: BEGIN, key, result, COMMIT, and the tag.
	if again := op.Statements() - first; first != 8 || again != 5 {
		t.Errorf("creating took %d statements and its repeat %d, want 8 and 5", first, again)
	}
	if op.Rows() == 0 || op.Busy() == 0 {
		t.Errorf("the operation counts %d rows and %v", op.Rows(), op.Busy())
	}
}

func TestOperationTakesItsSeats(t *testing.T) {
	s, owner := newWorkspace(t)
	op := store.NewOperation(2)
	ctx := store.WithOperation(t.Context(), op)
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			if err := s.RunSQL(ctx, `SELECT pg_sleep(0.02)`); err != nil {
				t.Error(err)
			}
		})
	}
	most := 0
	finished := make(chan struct{})
	go func() { all.Wait(); close(finished) }()
	waitUntil(t, "the statements to end", func() bool {
		most = max(most, interactive(t, s).Busy)
		select {
		case <-finished:
			return true
		default:
			return false
		}
	})
	if most > 2 {
		t.Errorf("an operation of 2 seats held %d connections", most)
	}
	op.Close()
	late, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := s.UsersByID(late, owner, []timesheet.UserID{1}); err == nil {
		t.Error("a closed operation ran a statement")
	}
}
