package dataloader

import (
	"headroom/store"
	"headroom/timesheet"
)

// LevelOfEntries announces entries that stand side by side in the answer: the
// first look-up of something that one refers to fetches it for all of them.
func (s *Set) LevelOfEntries(entries []timesheet.TimeEntry) {
	var users []timesheet.UserID
	var projects []timesheet.ProjectID
	var tasks []timesheet.TaskID
	var tags []timesheet.TagID
	for _, e := range entries {
		users = append(users, e.UserID)
		projects = appendSome(projects, e.ProjectID)
		tasks = appendSome(tasks, e.TaskID)
		tags = append(tags, e.TagIDs...)
	}
	s.Users.Expect(users)
	s.Projects.Expect(projects)
	s.Tasks.Expect(tasks)
	s.Tags.Expect(tags)
}

// LevelOfWeek announces the rows of a week.
func (s *Set) LevelOfWeek(rows []timesheet.WeekRow) {
	var projects []timesheet.ProjectID
	var tasks []timesheet.TaskID
	for _, r := range rows {
		projects = appendSome(projects, r.ProjectID)
		tasks = appendSome(tasks, r.TaskID)
	}
	s.Projects.Expect(projects)
	s.Tasks.Expect(tasks)
}

// LevelOfClients announces clients that stand side by side, and remembers them
// for the projects that refer to them.
func (s *Set) LevelOfClients(clients []timesheet.Client) {
	var ids []timesheet.ClientID
	for _, c := range clients {
		ids = append(ids, c.ID)
	}
	s.Clients.prime(func(c timesheet.Client) timesheet.ClientID { return c.ID }, clients...)
	s.ProjectsOfClient.expect(ids)
}

// LevelOfProjects announces projects that stand side by side, and remembers
// them for the tasks and entries that refer to them.
func (s *Set) LevelOfProjects(projects []timesheet.Project) {
	ids, clients := make([]timesheet.ProjectID, 0, len(projects)), make([]timesheet.ClientID, 0, len(projects))
	for _, p := range projects {
		ids = append(ids, p.ID)
		clients = appendSome(clients, p.ClientID)
	}
	s.Projects.prime(func(p timesheet.Project) timesheet.ProjectID { return p.ID }, projects...)
	s.TasksOfProject.expect(ids)
	s.MembersOfProject.expect(ids)
	s.TrackedSeconds.expect(ids)
	s.Budgets.Expect(ids)
	s.Burns.Expect(ids)
	s.Clients.Expect(clients)
}

// LevelOfTasks announces tasks that stand side by side.
func (s *Set) LevelOfTasks(tasks []timesheet.Task) {
	var projects []timesheet.ProjectID
	for _, t := range tasks {
		projects = append(projects, t.ProjectID)
	}
	s.Projects.Expect(projects)
}

// LevelOfRates announces rates that stand side by side.
func (s *Set) LevelOfRates(rates []timesheet.Rate) {
	var users []timesheet.UserID
	var projects []timesheet.ProjectID
	var tasks []timesheet.TaskID
	for _, r := range rates {
		users = appendSome(users, r.User)
		projects = appendSome(projects, r.Project)
		tasks = appendSome(tasks, r.Task)
	}
	s.Users.Expect(users)
	s.Projects.Expect(projects)
	s.Tasks.Expect(tasks)
}

func appendSome[K any](ids []K, id *K) []K {
	if id == nil {
		return ids
	}
	return append(ids, *id)
}

// Know remembers what entries refer to, of which a zero value may not be seen,
// and announces it as the level below them.
func (s *Set) Know(refs store.Referred) {
	know(s.Users, refs.Users, func(u timesheet.User) bool { return u.ID != 0 })
	know(s.Clients, refs.Clients, func(c timesheet.Client) bool { return c.ID != 0 })
	if projects := know(s.Projects, refs.Projects, func(p timesheet.Project) bool { return p.ID != 0 }); len(projects) > 0 {
		s.LevelOfProjects(projects)
	}
	if tasks := know(s.Tasks, refs.Tasks, func(t timesheet.Task) bool { return t.ID != 0 }); len(tasks) > 0 {
		s.LevelOfTasks(tasks)
	}
}

// KnowBeside remembers what was read beside projects.
func (s *Set) KnowBeside(b store.BesideProjects) {
	know(s.Clients, b.Clients, func(timesheet.Client) bool { return true })
	s.TrackedSeconds.prime(timesheet.Opt[timesheet.Period]{}, b.Seconds)
}

// know returns the things that are seen.
func know[K comparable, V any](l Loader[K, V], things map[K]V, seen func(V) bool) (all []V) {
	l.loader.prime(len(things), struct{}{}, func(add func(K, V, bool)) {
		for key, thing := range things {
			found := seen(thing)
			add(key, thing, found)
			if found {
				all = append(all, thing)
			}
		}
	})
	return all
}
