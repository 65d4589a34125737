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
			input := m.input(w, t, v)
			input["idempotencyKey"] = m.name
			before := w.count(t, m.name)
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
			if got := w.count(t, m.name) - before; got != 1 {
				t.Errorf("took effect %d times, want once", got)
			}
		})
	}
}

// count is how often the audit log of the workspace has an action.
func (w *world) count(t testing.TB, action string) (n int) {
	t.Helper()
	log, err := w.store.AuditLog(t.Context(), w.people[owner], timesheet.Page{First: timesheet.MaxPage})
	if err != nil {
		t.Fatal(err)
	}
	for _, event := range log.Nodes {
		if event.Action == action {
			n++
		}
	}
	return n
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
