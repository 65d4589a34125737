package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"golang.org/x/text/unicode/norm"

	"headroom/timesheet"
)

// Keys by which rows name people and things; the names in them are folded.
type (
	// person is known by their address, and by their name only without one.
	person      struct{ email, name string }
	projectName struct{ client, name string }
	projectKey  struct {
		client timesheet.ClientID
		name   string
	}
	taskKey struct {
		project timesheet.ProjectID
		name    string
	}
	memberKey struct {
		project timesheet.ProjectID
		user    timesheet.UserID
	}
)

// foundProject and foundTask are what an entry needs to know of them.
type foundProject struct {
	id       timesheet.ProjectID
	billable bool
}

type foundTask struct {
	id       timesheet.TaskID
	billable *bool // nil: as the project
}

// importNames remember what earlier rows have named. Ids below zero are those
// of a preview, which creates nothing.
type importNames struct {
	folded   map[string]folded // by what a row says
	people   map[person]timesheet.UserID
	clients  map[string]timesheet.ClientID
	projects map[projectKey]foundProject
	tasks    map[taskKey]foundTask
	tags     map[string]timesheet.TagID
	members  map[memberKey]bool
	imagined int64 // the last id of a preview
}

// reset forgets what was found, but not how names are folded.
func (n *importNames) reset() {
	n.people, n.clients, n.projects = map[person]timesheet.UserID{}, map[string]timesheet.ClientID{}, map[projectKey]foundProject{}
	n.tasks, n.tags, n.members = map[taskKey]foundTask{}, map[string]timesheet.TagID{}, map[memberKey]bool{}
	if n.folded == nil {
		n.folded = map[string]folded{}
	}
}

// folded is a name as it is shown and compared, or why it is none.
type folded struct{ name, key, fault string }

// fold folds a text once, since a file says the same names again and again.
func (n *importNames) fold(field timesheet.ImportField, text string) folded {
	clean, index := cleanName, text
	if field == timesheet.FieldUserEmail {
		clean, index = cleanEmail, "\x00"+text // no name begins with U+0000
	}
	f, ok := n.folded[index]
	if ok {
		return f
	}
	var err error
	if f.name, f.key, err = clean(string(field), text); err != nil {
		f.fault = err.Error()
		if broken, ok := timesheet.AsError(err); ok {
			f.fault = broken.Message
		}
	}
	n.folded[index] = f
	return f
}

// clean finds the keys of a row's names, or says which of them is no name.
func (n *importNames) clean(it *importItem) {
	fold := func(field timesheet.ImportField, text *string) (key string) {
		if *text == "" || it.bad != nil {
			return ""
		}
		f := n.fold(field, *text)
		if f.fault != "" {
			it.refuse(field, timesheet.RowBadName, f.fault)
		}
		*text = f.name
		return f.key
	}
	it.who = person{fold(timesheet.FieldUserEmail, &it.row.Email), fold(timesheet.FieldUser, &it.row.User)}
	if it.who.email != "" {
		it.who.name = ""
	}
	it.project = projectName{fold(timesheet.FieldClient, &it.row.Client), fold(timesheet.FieldProject, &it.row.Project)}
	it.task = fold(timesheet.FieldTask, &it.row.Task)
	for _, tag := range it.row.Tags {
		key := fold(timesheet.FieldTags, &tag)
		it.tags = append(it.tags, folded{name: tag, key: key})
	}
	slices.SortFunc(it.tags, func(a, b folded) int { return strings.Compare(a.key, b.key) })
	it.tags = slices.CompactFunc(it.tags, func(a, b folded) bool { return a.key == b.key })
	it.row.Description = norm.NFC.String(it.row.Description)
	if err := checkDescription(it.row.Description); err != nil && it.bad == nil {
		it.refuse(timesheet.FieldDescription, timesheet.RowInvalidUTF8, "a description is text in UTF-8 without U+0000")
	}
}

// wanted is somebody or something that a row names.
type wanted[K comparable] struct {
	key         K
	name, email string
}

// wants collects what is wanted, each once and in the order of the file.
type wants[K comparable] struct {
	seen map[K]bool
	all  []wanted[K]
}

func (n *wants[K]) add(key K, name, email string) {
	if n.seen == nil {
		n.seen = map[K]bool{}
	}
	if !n.seen[key] {
		n.seen[key] = true
		n.all = append(n.all, wanted[K]{key, name, email})
	}
}

// valuesOf is one value of each, for a statement's array.
func valuesOf[K comparable, V any](all []wanted[K], value func(wanted[K]) V) []V {
	values := make([]V, len(all))
	for i, w := range all {
		values[i] = value(w)
	}
	return values
}

// lookup is how one kind of thing is found and made.
type lookup[K comparable, V any] struct {
	known   map[K]V
	read    func([]wanted[K]) error // adds to known what exists
	insert  func([]wanted[K]) error
	imagine func(id int64) V // for a preview
}

// ensure makes known hold what is wanted: as far as it exists, if rows may only
// name what does.
func (l lookup[K, V]) ensure(im *importer, n wants[K]) error {
	missing := func(all []wanted[K]) []wanted[K] {
		return slices.DeleteFunc(slices.Clone(all), func(w wanted[K]) bool { _, ok := l.known[w.key]; return ok })
	}
	unknown := missing(n.all)
	if len(unknown) == 0 {
		return nil
	}
	if err := l.read(unknown); err != nil {
		return err
	}
	unknown = missing(unknown)
	switch {
	case len(unknown) == 0 || im.o.KnownOnly:
		return nil
	case im.o.Preview:
		for _, w := range unknown {
			im.known.imagined--
			l.known[w.key] = l.imagine(im.known.imagined)
		}
		return nil
	}
	if err := l.insert(unknown); err != nil {
		return err
	}
	return l.read(unknown)
}

// resolve finds what the rows name, creates what is missing, and returns the
// rows that can be written.
func (im *importer) resolve(ctx context.Context, tx pgx.Tx, items []*importItem) ([]*importItem, error) {
	for _, step := range []struct {
		kind string
		run  func(context.Context, pgx.Tx, []*importItem) error
	}{
		{"people", im.resolvePeople},
		{"clients", im.resolveClients},
		{"projects", im.resolveProjects},
		{"tasks", im.resolveTasks},
		{"tags", im.resolveTags},
		{"members of projects", im.joinProjects},
	} {
		if err := step.run(ctx, tx, items); err != nil {
			return nil, fmt.Errorf("find or create %s: %w", step.kind, err)
		}
		items = slices.DeleteFunc(items, func(it *importItem) bool { return it.bad != nil })
	}
	return items, nil
}

// unknown refuses a row that names what does not exist and may not be created.
func (it *importItem) unknown(field timesheet.ImportField, noun string) {
	it.refuse(field, timesheet.RowUnknownName, "there is no such "+noun)
}
