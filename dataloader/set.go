package dataloader

import (
	"context"
	"runtime"
	"time"

	"headroom/store"
	"headroom/timesheet"
)

// Set is the loaders of one request and its viewer. What the viewer may not
// see is not found; tombstones are found, so that history keeps its names.
type Set struct {
	Users    Loader[timesheet.UserID, timesheet.User]
	Clients  Loader[timesheet.ClientID, timesheet.Client]
	Projects Loader[timesheet.ProjectID, timesheet.Project]
	Tasks    Loader[timesheet.TaskID, timesheet.Task]
	Tags     Loader[timesheet.TagID, timesheet.Tag]
	Entries  Loader[timesheet.EntryID, timesheet.TimeEntry]

	ProjectsOfClient Children[timesheet.ClientID, List, timesheet.Connection[timesheet.Project]]
	TasksOfProject   Children[timesheet.ProjectID, List, timesheet.Connection[timesheet.Task]]
	MembersOfProject Children[timesheet.ProjectID, timesheet.Page, timesheet.Connection[timesheet.User]]
	// TrackedSeconds finds nothing for a project without entries.
	TrackedSeconds Children[timesheet.ProjectID, timesheet.Opt[timesheet.Period], int64]

	// Budgets and Burns find nothing for a project without a budget.
	Budgets Loader[timesheet.ProjectID, timesheet.Budget]
	Burns   Loader[timesheet.ProjectID, timesheet.Burn]

	wave wave
}

// List is a filter and a page, comparable, as the look-ups of a batch share it.
type List struct {
	Text     string
	Archived timesheet.Opt[bool]
	Client   timesheet.Opt[timesheet.ClientID]
	Page     timesheet.Page
}

// ListOf is the list of a filter and a page.
func ListOf(f timesheet.ListFilter, p timesheet.Page) List {
	return List{Text: f.Text, Archived: given(f.Archived), Client: given(f.Client), Page: p}
}

func (l List) filter() timesheet.ListFilter {
	return timesheet.ListFilter{Text: l.Text, Archived: pointer(l.Archived), Client: pointer(l.Client)}
}

func given[T any](p *T) (o timesheet.Opt[T]) {
	if p != nil {
		o = timesheet.Some(*p)
	}
	return o
}

func pointer[T any](o timesheet.Opt[T]) *T {
	if !o.Given {
		return nil
	}
	return &o.Value
}

// New makes the loaders of a request. They work once With has put them into
// the request's context.
func New(db *store.Store, v timesheet.Viewer) *Set {
	s := &Set{wave: wave{yield: runtime.Gosched}}
	s.Users = things(s, "users", announced(db.UsersByID, v, nil))
	if v.Self.ID != 0 {
		s.Users.prime(func(timesheet.User) timesheet.UserID { return v.User }, v.Self)
	}
	s.Clients = things(s, "clients", announced(db.ClientsByID, v, s.LevelOfClients))
	s.Projects = things(s, "projects", announced(db.ProjectsByID, v, s.LevelOfProjects))
	s.Tasks = things(s, "tasks", announced(db.TasksByID, v, s.LevelOfTasks))
	s.Tags = things(s, "tags", announced(db.TagsByID, v, nil))
	s.Entries = things(s, "entries", announced(db.EntriesByID, v, s.LevelOfEntries))
	s.ProjectsOfClient = children(s, "projects of clients", func(ctx context.Context, l List, ids []timesheet.ClientID) (map[timesheet.ClientID]timesheet.Connection[timesheet.Project], error) {
		pages, err := db.ProjectsOfClients(ctx, v, ids, l.filter(), l.Page)
		s.LevelOfProjects(nodes(pages))
		return pages, err
	})
	s.TasksOfProject = children(s, "tasks of projects", func(ctx context.Context, l List, ids []timesheet.ProjectID) (map[timesheet.ProjectID]timesheet.Connection[timesheet.Task], error) {
		pages, err := db.TasksOfProjects(ctx, v, ids, l.filter(), l.Page)
		s.LevelOfTasks(nodes(pages))
		return pages, err
	})
	s.MembersOfProject = children(s, "members of projects", func(ctx context.Context, p timesheet.Page, ids []timesheet.ProjectID) (map[timesheet.ProjectID]timesheet.Connection[timesheet.User], error) {
		return db.MembersOfProjects(ctx, v, ids, p)
	})
	s.TrackedSeconds = children(s, "tracked seconds", func(ctx context.Context, p timesheet.Opt[timesheet.Period], ids []timesheet.ProjectID) (map[timesheet.ProjectID]int64, error) {
		return db.TrackedSeconds(ctx, v, ids, pointer(p))
	})
	s.Budgets = things(s, "budgets", announced(db.Budgets, v, nil))
	s.Burns = things(s, "burns", func(ctx context.Context, ids []timesheet.ProjectID) (map[timesheet.ProjectID]timesheet.Burn, error) {
		return db.Burns(ctx, v, ids, time.Now())
	})
	return s
}

// announced reads things by id and announces them as a level, so that the
// level below them is known.
func announced[K comparable, V any](read func(context.Context, timesheet.Viewer, []K) (map[K]V, error), v timesheet.Viewer, level func([]V)) func(context.Context, []K) (map[K]V, error) {
	return func(ctx context.Context, keys []K) (map[K]V, error) {
		found, err := read(ctx, v, keys)
		if level != nil {
			values := make([]V, 0, len(found))
			for _, value := range found {
				values = append(values, value)
			}
			level(values)
		}
		return found, err
	}
}

func nodes[K comparable, V any](pages map[K]timesheet.Connection[V]) []V {
	var all []V
	for _, page := range pages {
		all = append(all, page.Nodes...)
	}
	return all
}

type setKey struct{}

// With puts the loaders into the request's context, under which their batches
// will run: it must hold the request's deadline, its store.Operation and its
// timesheet.Service already.
func With(ctx context.Context, s *Set) context.Context {
	s.wave.ctx = ctx
	return context.WithValue(ctx, setKey{}, s)
}

// From returns the loaders of the request. There must be some.
func From(ctx context.Context) *Set { return ctx.Value(setKey{}).(*Set) }

// Clear forgets everything read so far, as one must after a mutation. Look-ups
// under way are answered.
func (s *Set) Clear() {
	s.wave.mu.Lock()
	defer s.wave.mu.Unlock()
	for _, l := range s.wave.loaders {
		l.clearLocked()
	}
}

// Sent tells what each loader has sent so far.
func (s *Set) Sent() []Count {
	s.wave.mu.Lock()
	defer s.wave.mu.Unlock()
	var counts []Count
	for _, l := range s.wave.loaders {
		if c := l.sentLocked(); c.Batches > 0 {
			counts = append(counts, c)
		}
	}
	return counts
}
