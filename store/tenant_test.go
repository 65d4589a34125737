package store_test

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"headroom/store"
	"headroom/timesheet"
)

// tenant is a workspace with one of everything. All of its names are its own.
type tenant struct {
	owner   timesheet.Viewer
	member  timesheet.UserID
	client  timesheet.ClientID
	project timesheet.ProjectID
	task    timesheet.TaskID
	tag     timesheet.TagID
	entry   timesheet.EntryID
	gone    timesheet.EntryID // deleted
	timer   timesheet.EntryID // running, of the owner
	token   timesheet.TokenID
	export  timesheet.ExportID
	invited store.Invited
}

func addTenant(t testing.TB, s *store.Store, name string) (n tenant) {
	t.Helper()
	ctx := t.Context()
	n.owner = addWorkspace(t, s, name)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	named := timesheet.Some(name)
	ch := store.Change{Action: "seed"}
	member, err := s.EnsureMember(ctx, n.owner, name, name+"@example.com", timesheet.RoleMember)
	must(err)
	client, _, err := s.CreateClient(ctx, n.owner, timesheet.ClientInput{Name: named}, ch)
	must(err)
	project, _, err := s.CreateProject(ctx, n.owner, timesheet.ProjectInput{Name: named, Client: timesheet.Some(&client.ID)}, ch)
	must(err)
	task, _, err := s.CreateTask(ctx, n.owner, timesheet.TaskInput{Project: project.ID, Name: named}, ch)
	must(err)
	tag, _, err := s.CreateTag(ctx, n.owner, timesheet.TagInput{Name: named}, ch)
	must(err)
	_, _, err = s.SetProjectMember(ctx, n.owner, project.ID, member.ID, true, ch)
	must(err)
	_, _, err = s.SetBudget(ctx, n.owner, project.ID, timesheet.BudgetInput{Seconds: new(int64(3600)), Period: timesheet.BudgetTotal}, ch)
	must(err)
	for _, in := range []timesheet.RateInput{{Project: &project.ID, User: &member.ID}, {Task: &task.ID}} {
		in.Kind, in.Apply = timesheet.RateBill, timesheet.ApplyFuture
		_, _, err = s.SetRate(ctx, n.owner, in, ch)
		must(err)
	}
	monday := time.Date(2024, time.May, 6, 8, 0, 0, 0, time.UTC)
	entry := func(start time.Time) timesheet.EntryID {
		e, _, err := s.CreateTimeEntry(ctx, n.owner, timesheet.EntryInput{
			Start: timesheet.Some(start), End: timesheet.Some(start.Add(time.Hour)), Description: named,
			Project: timesheet.Some(&project.ID), Task: timesheet.Some(&task.ID), Tags: timesheet.Some([]timesheet.TagID{tag.ID}),
		}, ch)
		must(err)
		return e.ID
	}
	n.entry, n.gone = entry(monday), entry(monday.Add(24*time.Hour))
	_, _, err = s.DeleteTimeEntry(ctx, n.owner, n.gone, nil, ch)
	must(err)
	running, _, _, err := s.StartTimer(ctx, n.owner, timesheet.TimerInput{Description: name}, ch)
	must(err)
	n.member, n.client, n.project, n.task, n.tag, n.timer = member.ID, client.ID, project.ID, task.ID, tag.ID, running.ID
	n.export = createExport(t, s, n.owner, timesheet.ExportInput{}).ID
	n.token = makeToken(t, s, n.owner, store.NewToken{User: n.owner.User}).ID
	n.invited = mustInvite(t, s, n.owner, store.Invite{Name: name, Email: "invited." + name + "@example.com", Role: timesheet.RoleMember})
	return n
}

// tenantTables are all tables that hold a workspace's rows.
const tenantTables = `
SELECT array_agg(table_name::text ORDER BY table_name)
FROM information_schema.columns
WHERE table_schema = 'public' AND column_name = 'workspace_id'`

func rowsOf(t testing.TB, conn *pgx.Conn, ws timesheet.WorkspaceID) map[string]string {
	t.Helper()
	rows := map[string]string{}
	for _, table := range ask[[]string](t, conn, tenantTables) {
		rows[table] = ask[string](t, conn, `SELECT coalesce(string_agg(r::text, e'\n' ORDER BY r::text), '') FROM `+table+` r WHERE workspace_id = $1`, ws)
	}
	if len(rows) < 11 {
		t.Fatalf("only %d tables hold workspaces: the test no longer finds them", len(rows))
	}
	return rows
}

// One workspace's people, owners too, find nothing by another's ids in any
// argument of any method, and change nothing of it.
func TestTenantsAreApart(t *testing.T) {
	s, _, conn := newDatabase(t)
	ctx := t.Context()
	own, foreign := addTenant(t, s, "own"), addTenant(t, s, "foreign")
	cases := tenantCases(ctx, s, own, foreign)
	checkTenantCasesAreComplete(t, cases)
	before := rowsOf(t, conn, foreign.owner.Workspace.ID)
	for name, call := range cases {
		t.Run(name, func(t *testing.T) {
			found, err := call(own.owner)
			broken, ok := timesheet.AsError(err)
			switch {
			case err == nil && empty(found):
			case ok && (broken.Code == timesheet.CodeNotFound || broken.Code == timesheet.CodeInvalidClaim || broken.Code == timesheet.CodeIDTaken):
			case err != nil:
				t.Errorf("got %v, want NOT_FOUND", err)
			default:
				t.Errorf("found %+v, want nothing", found)
			}
		})
	}
	if diff := cmp.Diff(before, rowsOf(t, conn, foreign.owner.Workspace.ID)); diff != "" {
		t.Errorf("the other workspace has changed (-before +after):\n%s", diff)
	}
}

// empty tells whether an answer holds nothing: no thing, no rows, zero, or
// pages without nodes.
func empty(found any) bool {
	v := reflect.ValueOf(found)
	switch v.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Map:
		for _, key := range v.MapKeys() {
			if !empty(v.MapIndex(key).Interface()) {
				return false
			}
		}
		return true
	case reflect.Slice:
		return v.Len() == 0
	case reflect.Struct:
		if nodes := v.FieldByName("Nodes"); nodes.IsValid() {
			return nodes.Len() == 0 && total(v.FieldByName("Total")) == 0
		}
	}
	return v.IsZero()
}

func total(count reflect.Value) int64 {
	if count.IsNil() {
		return 0
	}
	answer := count.Call([]reflect.Value{reflect.ValueOf(context.Background())})
	return answer[0].Int()
}

// withoutIDs are the methods for viewers that take no ids: other tests show
// that they answer from the viewer's own workspace.
var withoutIDs = []string{
	"AuditLog", "CreateTag", "CreateClient", "DiscardTimer", "EnsureMember", "Exports", "Import", "InviteMember",
	"LockPeriod", "MyDay", "MyDayJoined", "ProjectBudgets", "RunningTimer", "Summary", "UnlockPeriod", "UpdateWorkspace",
	"EnsureTokens",
	"ReportOf", "SummaryOf", // tests' own
}

// checkTenantCasesAreComplete fails for a method that takes a viewer and
// stands in no case.
func checkTenantCasesAreComplete(t *testing.T, cases map[string]func(timesheet.Viewer) (any, error)) {
	t.Helper()
	known := map[string]bool{}
	for _, name := range withoutIDs {
		known[name] = true
	}
	for name := range cases {
		method, _, _ := strings.Cut(name, " ")
		known[method] = true
	}
	methods := reflect.TypeFor[*store.Store]()
	for m := range methods.Methods() {
		if m.Type.NumIn() > 2 && m.Type.In(2) == reflect.TypeFor[timesheet.Viewer]() && !known[m.Name] {
			t.Errorf("%s takes a viewer and is not tested here", m.Name)
		}
	}
}
