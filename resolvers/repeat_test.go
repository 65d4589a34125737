package resolvers_test

import (
	"maps"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"headroom/timesheet"
)

// A phone that lost the answer sends the mutation again, perhaps while the
// first is still running.
func TestRepeatsTakeEffectOnce(t *testing.T) {
	w := newWorld(t)
	v := w.people[owner]
	for _, m := range mutations {
		t.Run(m.name, func(t *testing.T) {
			w.tag(t) // there is an event
			input := m.input(w, t, v)
			input["idempotencyKey"] = m.name
			before := w.events(t)[0]
			answers := make([]payload, 3)
			var senders sync.WaitGroup
			for i := range answers {
				senders.Go(func() { answers[i] = w.mutate(t, &v, m.name, input) })
			}
			senders.Wait()
			if code := answers[0].code(); code != "" {
				t.Fatalf("refused: %v", answers[0]["userErrors"])
			}
			for _, other := range answers[1:] {
				if diff := cmp.Diff(answers[0], other); diff != "" {
					t.Errorf("two answers differ (-one +other):\n%s", diff)
				}
			}
			if got := w.events(t)[:2]; got[0].Action != m.name || got[1].ID != before.ID {
				t.Errorf("the audit log ends with %s %d, %s %d; want one %s after %d", got[1].Action, got[1].ID, got[0].Action, got[0].ID, m.name, before.ID)
			}
		})
	}
}

// events are the newest of the audit log, newest first.
func (w *world) events(t testing.TB) []timesheet.AuditEvent {
	t.Helper()
	log, err := w.store.AuditLog(t.Context(), w.people[owner], timesheet.Page{First: 2})
	if err != nil {
		t.Fatal(err)
	}
	return log.Nodes
}

func TestAKeyBelongsToItsInput(t *testing.T) {
	w := newWorld(t)
	v := w.people[owner]
	first := map[string]any{"name": "Website", "code": "W", "idempotencyKey": "k"}
	if code := w.mutate(t, &v, "createProject", first).code(); code != "" {
		t.Fatal(code)
	}
	for name, change := range map[string]map[string]any{
		"another value":            {"name": "Webshop"},
		"null instead of nothing":  {"clientId": nil},
		"a reference it had not":   {"clientId": w.client(t)},
		"null instead of a string": {"code": nil},
	} {
		t.Run(name, func(t *testing.T) {
			input := maps.Clone(first)
			maps.Copy(input, change)
			if got := w.mutate(t, &v, "createProject", input).code(); got != timesheet.CodeIdempotencyMismatch {
				t.Errorf("got %q, want %q", got, timesheet.CodeIdempotencyMismatch)
			}
		})
	}
	if got := w.mutate(t, &v, "createTag", map[string]any{"name": "Website", "idempotencyKey": "k"}).code(); got != timesheet.CodeIdempotencyMismatch {
		t.Errorf("another mutation with the key: got %q, want %q", got, timesheet.CodeIdempotencyMismatch)
	}
	other := w.people[admin]
	if got := w.mutate(t, &other, "createTag", map[string]any{"name": "theirs", "idempotencyKey": "k"}).code(); got != "" {
		t.Errorf("another person's key: got %q, want it done", got)
	}
}

// A refusal is repeated too.
func TestARefusalIsRemembered(t *testing.T) {
	w := newWorld(t)
	v := w.people[owner]
	input := map[string]any{"name": "   ", "idempotencyKey": "k"}
	first := w.mutate(t, &v, "createTag", input)
	if first.code() != timesheet.CodeInvalid || at(first, "userErrors.0.field") != "name" {
		t.Fatalf("got %v, want the name to be INVALID", first)
	}
	if diff := cmp.Diff(first, w.mutate(t, &v, "createTag", input)); diff != "" {
		t.Errorf("the repeat differs (-first +repeat):\n%s", diff)
	}
}
