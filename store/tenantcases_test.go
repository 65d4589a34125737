package store_test

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"headroom/store"
	"headroom/timesheet"
)

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
		"ProjectsJoined of a client": func(v viewer) (any, error) {
			found, beside, err := s.ProjectsJoined(ctx, v, timesheet.ListFilter{Client: &foreign.client}, timesheet.OrderName, page, store.ProjectJoins{Client: true, Tracked: true})
			if len(beside.Clients)+len(beside.Seconds) > 0 {
				return beside, err
			}
			return found, err
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
		"StopTimerJoined": func(v viewer) (any, error) {
			e, refs, _, err := s.StopTimerJoined(ctx, v, &foreign.timer, nil, ch, store.Joins{User: true, Project: true, Client: true, Task: true})
			return []any{e, refs}, err
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
		cases["CreateTimeEntryJoined with a "+what] = func(v viewer) (any, error) {
			e, refs, _, err := s.CreateTimeEntryJoined(ctx, v, in, ch, store.Joins{User: true, Project: true, Client: true, Task: true})
			return []any{e, refs}, err
		}
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
		cases["StartTimerJoined with a "+what] = func(v viewer) (any, error) {
			done, _, err := s.StartTimerJoined(ctx, v, timesheet.TimerInput{Project: in.Project.Value, Task: in.Task.Value, Tags: in.Tags.Value}, ch, store.Joins{User: true, Project: true, Client: true, Task: true})
			return done, err
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
