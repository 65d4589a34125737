package store_test

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
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
	"ReportOf", // a test's own
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

// tenantCases call each method with ids of the foreign workspace, one argument
// at a time.
func tenantCases(ctx context.Context, s *store.Store, own, foreign tenant) map[string]func(timesheet.Viewer) (any, error) {
	type viewer = timesheet.Viewer
	ch, page := store.Change{Action: "attack"}, timesheet.Page{First: 10}
	name := timesheet.Some("attack")
	period := timesheet.Period{From: timesheet.NewDate(2024, 5, 1), To: timesheet.NewDate(2024, 5, 31)}
	start := timesheet.Some(time.Date(2024, time.May, 8, 8, 0, 0, 0, time.UTC))
	end := timesheet.Some(start.Value.Add(time.Hour))
	id := timesheet.EntryID(uuid.Must(uuid.NewV7()))
	cases := map[string]func(viewer) (any, error){
		"ClaimInvite": func(v viewer) (any, error) {
			token, _, err := s.ClaimInvite(ctx, v.Workspace.ID, foreign.invited.User.ID, foreign.invited.ClaimID, nil, nil)
			return token, err
		},
		"MemberByEmail": func(v viewer) (any, error) { return s.MemberByEmail(ctx, v, "foreign@example.com") },
		"UsersByID": func(v viewer) (any, error) {
			return s.UsersByID(ctx, v, []timesheet.UserID{foreign.member, foreign.owner.User})
		},
		"ClientsByID": func(v viewer) (any, error) { return s.ClientsByID(ctx, v, []timesheet.ClientID{foreign.client}) },
		"ProjectsByID": func(v viewer) (any, error) {
			return s.ProjectsByID(ctx, v, []timesheet.ProjectID{foreign.project})
		},
		"TasksByID": func(v viewer) (any, error) { return s.TasksByID(ctx, v, []timesheet.TaskID{foreign.task}) },
		"TagsByID":  func(v viewer) (any, error) { return s.TagsByID(ctx, v, []timesheet.TagID{foreign.tag}) },
		"EntriesByID": func(v viewer) (any, error) {
			return s.EntriesByID(ctx, v, []timesheet.EntryID{foreign.entry, foreign.timer, foreign.gone})
		},
		"Users": func(v viewer) (any, error) {
			return s.Users(ctx, v, timesheet.ListFilter{Text: "foreign"}, timesheet.OrderName, page)
		},
		"Clients": func(v viewer) (any, error) {
			return s.Clients(ctx, v, timesheet.ListFilter{Text: "foreign"}, timesheet.OrderName, page)
		},
		"Tags": func(v viewer) (any, error) {
			return s.Tags(ctx, v, timesheet.ListFilter{Text: "foreign"}, timesheet.OrderName, page)
		},
		"Projects of a client": func(v viewer) (any, error) {
			return s.Projects(ctx, v, timesheet.ListFilter{Client: &foreign.client}, timesheet.OrderName, page)
		},
		"ProjectsOfClients": func(v viewer) (any, error) {
			return s.ProjectsOfClients(ctx, v, []timesheet.ClientID{foreign.client}, timesheet.ListFilter{}, page)
		},
		"TasksOfProjects": func(v viewer) (any, error) {
			return s.TasksOfProjects(ctx, v, []timesheet.ProjectID{foreign.project}, timesheet.ListFilter{}, page)
		},
		"MembersOfProjects": func(v viewer) (any, error) {
			return s.MembersOfProjects(ctx, v, []timesheet.ProjectID{foreign.project}, page)
		},
		"WeekGrid": func(v viewer) (any, error) {
			return s.WeekGrid(ctx, v, foreign.owner.User, &period.From, time.Now())
		},
		"TrackedSeconds": func(v viewer) (any, error) {
			return s.TrackedSeconds(ctx, v, []timesheet.ProjectID{foreign.project}, nil)
		},

		"Rates of a project": func(v viewer) (any, error) {
			return s.Rates(ctx, v, timesheet.RateFilter{Project: &foreign.project}, page)
		},
		"Rates of a task": func(v viewer) (any, error) {
			return s.Rates(ctx, v, timesheet.RateFilter{Task: &foreign.task}, page)
		},
		"Rates of a person": func(v viewer) (any, error) {
			return s.Rates(ctx, v, timesheet.RateFilter{User: &foreign.member}, page)
		},
		"Budgets": func(v viewer) (any, error) { return s.Budgets(ctx, v, []timesheet.ProjectID{foreign.project}) },
		"Burns": func(v viewer) (any, error) {
			return s.Burns(ctx, v, []timesheet.ProjectID{foreign.project}, time.Now())
		},
		"SetBudget": func(v viewer) (any, error) {
			p, _, err := s.SetBudget(ctx, v, foreign.project, timesheet.BudgetInput{Seconds: new(int64(60)), Period: timesheet.BudgetTotal}, ch)
			return p, err
		},
		"SetRate of a project": func(v viewer) (any, error) {
			r, _, err := s.SetRate(ctx, v, timesheet.RateInput{Kind: timesheet.RateBill, Project: &foreign.project, Apply: timesheet.ApplyFuture}, ch)
			return r, err
		},
		"SetRate of a task": func(v viewer) (any, error) {
			r, _, err := s.SetRate(ctx, v, timesheet.RateInput{Kind: timesheet.RateBill, Task: &foreign.task, Apply: timesheet.ApplyFuture}, ch)
			return r, err
		},
		"SetRate of a person": func(v viewer) (any, error) {
			r, _, err := s.SetRate(ctx, v, timesheet.RateInput{Kind: timesheet.RateCost, User: &foreign.member, Apply: timesheet.ApplyFuture}, ch)
			return r, err
		},

		"UpdateClient": func(v viewer) (any, error) {
			c, _, err := s.UpdateClient(ctx, v, foreign.client, timesheet.ClientInput{Name: name}, nil, ch)
			return c, err
		},
		"ArchiveClient": func(v viewer) (any, error) {
			c, _, err := s.ArchiveClient(ctx, v, foreign.client, true, nil, ch)
			return c, err
		},
		"DeleteClient": func(v viewer) (any, error) {
			c, _, err := s.DeleteClient(ctx, v, foreign.client, nil, ch)
			return c, err
		},
		"UpdateTag": func(v viewer) (any, error) {
			g, _, err := s.UpdateTag(ctx, v, foreign.tag, timesheet.TagInput{Name: name}, nil, ch)
			return g, err
		},
		"ArchiveTag": func(v viewer) (any, error) {
			g, _, err := s.ArchiveTag(ctx, v, foreign.tag, true, nil, ch)
			return g, err
		},
		"DeleteTag": func(v viewer) (any, error) { g, _, err := s.DeleteTag(ctx, v, foreign.tag, nil, ch); return g, err },
		"CreateProject for a client": func(v viewer) (any, error) {
			p, _, err := s.CreateProject(ctx, v, timesheet.ProjectInput{Name: name, Client: timesheet.Some(&foreign.client)}, ch)
			return p, err
		},
		"UpdateProject": func(v viewer) (any, error) {
			p, _, err := s.UpdateProject(ctx, v, foreign.project, timesheet.ProjectInput{Name: name}, nil, ch)
			return p, err
		},
		"UpdateProject to a client": func(v viewer) (any, error) {
			p, _, err := s.UpdateProject(ctx, v, own.project, timesheet.ProjectInput{Client: timesheet.Some(&foreign.client)}, nil, ch)
			return p, err
		},
		"ArchiveProject": func(v viewer) (any, error) {
			p, _, err := s.ArchiveProject(ctx, v, foreign.project, true, nil, ch)
			return p, err
		},
		"DeleteProject": func(v viewer) (any, error) {
			p, _, err := s.DeleteProject(ctx, v, foreign.project, nil, ch)
			return p, err
		},
		"SetProjectMember in a project": func(v viewer) (any, error) {
			p, _, err := s.SetProjectMember(ctx, v, foreign.project, own.member, true, ch)
			return p, err
		},
		"SetProjectMember of a person": func(v viewer) (any, error) {
			p, _, err := s.SetProjectMember(ctx, v, own.project, foreign.member, true, ch)
			return p, err
		},
		"RemoveProjectMember in a project": func(v viewer) (any, error) {
			p, _, err := s.RemoveProjectMember(ctx, v, foreign.project, foreign.member, ch)
			return p, err
		},
		"RemoveProjectMember of a person": func(v viewer) (any, error) {
			p, _, err := s.RemoveProjectMember(ctx, v, own.project, foreign.member, ch)
			return p, err
		},
		"CreateTask in a project": func(v viewer) (any, error) {
			k, _, err := s.CreateTask(ctx, v, timesheet.TaskInput{Project: foreign.project, Name: name}, ch)
			return k, err
		},
		"UpdateTask": func(v viewer) (any, error) {
			k, _, err := s.UpdateTask(ctx, v, foreign.task, timesheet.TaskInput{Name: name}, nil, ch)
			return k, err
		},
		"ArchiveTask": func(v viewer) (any, error) {
			k, _, err := s.ArchiveTask(ctx, v, foreign.task, true, nil, ch)
			return k, err
		},
		"DeleteTask": func(v viewer) (any, error) { k, _, err := s.DeleteTask(ctx, v, foreign.task, nil, ch); return k, err },

		"Export": func(v viewer) (any, error) { return s.Export(ctx, v, foreign.export) },
		"CancelExport": func(v viewer) (any, error) {
			x, _, err := s.CancelExport(ctx, v, foreign.export, ch)
			return x, err
		},

		"SetRole": func(v viewer) (any, error) {
			u, _, err := s.SetRole(ctx, v, foreign.member, timesheet.RoleOwner, ch)
			return u, err
		},
		"RemoveMember": func(v viewer) (any, error) { u, _, err := s.RemoveMember(ctx, v, foreign.member, ch); return u, err },
		"CreateToken": func(v viewer) (any, error) {
			k, _, err := s.CreateToken(ctx, v, store.NewToken{User: foreign.member, Name: "attack", Scope: timesheet.ScopeWrite}, ch)
			return k, err
		},
		"RevokeToken": func(v viewer) (any, error) { k, _, err := s.RevokeToken(ctx, v, foreign.token, ch); return k, err },

		"StopTimer": func(v viewer) (any, error) {
			e, _, err := s.StopTimer(ctx, v, &foreign.timer, nil, ch)
			return e, err
		},
		"ContinueEntry": func(v viewer) (any, error) {
			e, _, _, err := s.ContinueEntry(ctx, v, foreign.entry, ch)
			return e, err
		},
		"DeleteTimeEntry": func(v viewer) (any, error) {
			e, _, err := s.DeleteTimeEntry(ctx, v, foreign.entry, nil, ch)
			return e, err
		},
		"RestoreTimeEntry": func(v viewer) (any, error) { e, _, err := s.RestoreTimeEntry(ctx, v, foreign.gone, ch); return e, err },
		"UpdateTimeEntry": func(v viewer) (any, error) {
			e, _, err := s.UpdateTimeEntry(ctx, v, foreign.entry, timesheet.EntryInput{Description: name}, nil, ch)
			return e, err
		},
		"BulkEditTimeEntries": func(v viewer) (any, error) {
			results, _, err := s.BulkEditTimeEntries(ctx, v, []timesheet.EntryID{foreign.entry}, timesheet.EntryInput{Description: name}, ch)
			if err == nil && results[0].Entry == nil {
				err = results[0].Error
			}
			return results, err
		},
	}
	for what, in := range map[string]timesheet.EntryInput{
		"project": {Project: timesheet.Some(&foreign.project)},
		"task":    {Project: timesheet.Some(&own.project), Task: timesheet.Some(&foreign.task)},
		"tag":     {Tags: timesheet.Some([]timesheet.TagID{own.tag, foreign.tag})},
	} {
		in.Start, in.End = start, end
		cases["CreateTimeEntry with a "+what] = func(v viewer) (any, error) {
			e, _, err := s.CreateTimeEntry(ctx, v, in, ch)
			return e, err
		}
		cases["UpdateTimeEntry to a "+what] = func(v viewer) (any, error) {
			e, _, err := s.UpdateTimeEntry(ctx, v, own.entry, in, nil, ch)
			return e, err
		}
		cases["BulkEditTimeEntries to a "+what] = func(v viewer) (any, error) {
			in := in
			in.Start, in.End = timesheet.Opt[time.Time]{}, timesheet.Opt[time.Time]{}
			results, _, err := s.BulkEditTimeEntries(ctx, v, []timesheet.EntryID{own.entry}, in, ch)
			if err == nil && results[0].Error != nil {
				err = results[0].Error
			}
			return results, err
		}
		cases["StartTimer with a "+what] = func(v viewer) (any, error) {
			e, _, _, err := s.StartTimer(ctx, v, timesheet.TimerInput{ID: &id, Project: in.Project.Value, Task: in.Task.Value, Tags: in.Tags.Value}, ch)
			return e, err
		}
	}
	cases["CreateTimeEntry of a person"] = func(v viewer) (any, error) {
		e, _, err := s.CreateTimeEntry(ctx, v, timesheet.EntryInput{User: &foreign.member, Start: start, End: end}, ch)
		return e, err
	}
	for what, f := range map[string]timesheet.EntryFilter{
		"person":  {Users: []timesheet.UserID{foreign.owner.User}},
		"project": {Projects: []timesheet.ProjectID{foreign.project}},
		"client":  {Clients: []timesheet.ClientID{foreign.client}},
		"task":    {Tasks: []timesheet.TaskID{foreign.task}},
		"tag":     {Tags: []timesheet.TagID{foreign.tag}},
		"text":    {Text: "foreign"},
	} {
		cases["CreateExport of a "+what] = func(v viewer) (any, error) {
			x, _, err := s.CreateExport(ctx, v, timesheet.ExportInput{Period: period, Filter: f, Format: timesheet.ExportCSV}, exportTerms, ch)
			if f.Text != "" && err == nil {
				return nil, nil // a text is nobody's: the file will be empty
			}
			return x, err
		}
		cases["TimeEntries of a "+what] = func(v viewer) (any, error) { return s.TimeEntries(ctx, v, f, page) }
		cases["TimeEntriesJoined of a "+what] = func(v viewer) (any, error) {
			found, refs, err := s.TimeEntriesJoined(ctx, v, f, page, store.Joins{User: true, Project: true, Client: true, Task: true})
			if len(refs.Users)+len(refs.Projects)+len(refs.Clients)+len(refs.Tasks) > 0 {
				return refs, err
			}
			return found, err
		}
		cases["Report of a "+what] = func(v viewer) (any, error) {
			r, err := s.Report(ctx, v, timesheet.ReportInput{
				Period: period, GroupBy: []timesheet.GroupKey{timesheet.GroupProject}, Filter: f, MaxRows: 10,
			}, time.Now())
			if err == nil && r.Totals.EntryCount != 0 {
				err = fmt.Errorf("the report counts %d entries", r.Totals.EntryCount)
			}
			return r.Rows, err
		}
	}
	return cases
}
