package server

import (
	"encoding/json"
	"maps"
	"testing"
	"time"

	"headroom/store"
	"headroom/timesheet"
)

// quotedCount is all that a caller is told of the cost of counting entries.
func (r *rig) quotedCount(token string, filter map[string]any) string {
	r.t.Helper()
	_, a := r.priced(token, `query($f: EntryFilter) { timeEntries(filter: $f, first: 1) { totalCount } }`, map[string]any{"f": filter})
	var told struct{ Cost json.RawMessage }
	if err := json.Unmarshal([]byte(a.raw), &told); err != nil || len(told.Cost) == 0 {
		r.t.Fatalf("no price in %s: %v", a.raw, err)
	}
	return string(told.Cost)
}

// A member who counts the entries of somebody of another team is told the same
// price as for somebody who does not exist, whatever the other has done. An owner,
// who may count them, is told what they are.
func TestPriceOfACountTellsNothingOfOthers(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Statistics = true })
	member := func(name, email string) timesheet.UserID {
		u, err := r.store.EnsureMember(t.Context(), r.owner, name, email, timesheet.RoleMember)
		if err != nil {
			t.Fatal(err)
		}
		return u.ID
	}
	ada, bob := member("Ada", "ada@acme.example"), member("Bob", "bob@acme.example")
	token := r.mint(r.owner, ada, timesheet.ScopeRead)
	r.server.statistics.of(r.owner.Workspace.ID) // else nothing is kept of it
	of := func(entries int64) {                  // what Bob has done each month
		c := company()
		c.All = monthly(40*299 + entries)
		c.ByUser[ada], c.ByUser[bob] = monthly(40), monthly(entries)
		if entries == 0 {
			c.ByUser[bob], c.Sample = store.Monthly{}, nil
		}
		r.server.statistics.keep(r.owner.Workspace.ID, c, time.Now())
	}
	for _, also := range []map[string]any{
		{}, {"text": "review"}, {"period": map[string]any{"from": "2025-03-01", "to": "2025-03-31"}},
	} {
		by := func(token string, user timesheet.UserID) string {
			filter := map[string]any{"userIds": []any{userText(user)}}
			maps.Copy(filter, also)
			return r.quotedCount(token, filter)
		}
		of(2000)
		busyBob, nobody, allowed := by(token, bob), by(token, 123456), by(r.token, bob)
		if busyBob != nobody {
			t.Errorf("with %v: Bob's entries cost %s, nobody's %s", also, busyBob, nobody)
		}
		of(0)
		if idle := by(token, bob); idle != busyBob {
			t.Errorf("with %v: idle, Bob's entries cost %s, busy %s", also, idle, busyBob)
		}
		if idle := by(r.token, bob); idle == allowed {
			t.Errorf("with %v: an owner is told %s, busy or idle", also, idle)
		}
	}
}
