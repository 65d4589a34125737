package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"headroom/store"
	"headroom/timesheet"
)

// done is the value of a mutation that must succeed without warnings.
func done[T any](t testing.TB) func(T, []*timesheet.Error, error) T {
	t.Helper()
	return func(value T, warnings []*timesheet.Error, err error) T {
		t.Helper()
		if err != nil {
			t.Fatalf("mutation of %T: %v", value, err)
		}
		if len(warnings) > 0 {
			t.Errorf("mutation of %T warns of %v", value, warnings)
		}
		return value
	}
}

// change describes a mutation of these tests.
func change(action string) store.Change {
	return store.Change{Action: action, Input: map[string]string{"by": "test"}}
}

func addTag(t testing.TB, s *store.Store, v timesheet.Viewer, name string) timesheet.Tag {
	t.Helper()
	return done[timesheet.Tag](t)(s.CreateTag(t.Context(), v, timesheet.TagInput{Name: timesheet.Some(name)}, change("createTag")))
}

func tagNames(page timesheet.Connection[timesheet.Tag]) []string {
	names := make([]string, len(page.Nodes))
	for i, g := range page.Nodes {
		names[i] = g.Name
	}
	return names
}

func TestTagLife(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	ctx := t.Context()

	tag := addTag(t, s, owner, "  urgent ")
	want := timesheet.Tag{ID: tag.ID, Name: "urgent", Version: 1}
	if diff := cmp.Diff(want, tag); diff != "" {
		t.Errorf("created (-want +got):\n%s", diff)
	}
	want.Name, want.Version = "Urgent!", 2
	tag = done[timesheet.Tag](t)(s.UpdateTag(ctx, owner, tag.ID, timesheet.TagInput{Name: timesheet.Some("Urgent!")}, &[]int{1}[0], change("updateTag")))
	if diff := cmp.Diff(want, tag); diff != "" {
		t.Errorf("updated (-want +got):\n%s", diff)
	}
	want.Archived, want.Version = true, 3
	tag = done[timesheet.Tag](t)(s.ArchiveTag(ctx, owner, tag.ID, true, nil, change("archiveTag")))
	if diff := cmp.Diff(want, tag); diff != "" {
		t.Errorf("archived (-want +got):\n%s", diff)
	}
	want.Archived, want.Version = false, 4
	tag = done[timesheet.Tag](t)(s.ArchiveTag(ctx, owner, tag.ID, false, nil, change("archiveTag")))
	if diff := cmp.Diff(want, tag); diff != "" {
		t.Errorf("taken back into use (-want +got):\n%s", diff)
	}
	want.Deleted, want.Version = true, 5
	tag = done[timesheet.Tag](t)(s.DeleteTag(ctx, owner, tag.ID, nil, change("deleteTag")))
	if diff := cmp.Diff(want, tag); diff != "" {
		t.Errorf("deleted (-want +got):\n%s", diff)
	}

	_, _, err := s.DeleteTag(ctx, owner, tag.ID, nil, change("deleteTag"))
	wantCode(t, err, timesheet.CodeNotFound)
	found, err := s.TagsByID(ctx, owner, []timesheet.TagID{tag.ID})
	if diff := cmp.Diff(map[timesheet.TagID]timesheet.Tag{tag.ID: want}, found); err != nil || diff != "" {
		t.Errorf("the tombstone by id (-want +got):\n%s, error %v", diff, err)
	}
	if page, err := s.Tags(ctx, owner, timesheet.ListFilter{}, timesheet.OrderName, timesheet.Page{First: 10}); err != nil || len(page.Nodes) != 0 {
		t.Errorf("list after deletion: %v, %v", page.Nodes, err)
	}
	if again := addTag(t, s, owner, "Urgent!"); again.ID == tag.ID {
		t.Error("the name of a deleted tag gives the deleted tag back")
	}
}

func TestTagNameIsTaken(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	other := addWorkspace(t, s, "Other")
	addTag(t, s, owner, "Straße")
	second := addTag(t, s, owner, "Weg")
	addTag(t, s, other, "Straße") // names are a workspace's own

	_, _, err := s.CreateTag(t.Context(), owner, timesheet.TagInput{Name: timesheet.Some("STRASSE")}, change("createTag"))
	wantCode(t, err, timesheet.CodeNameTaken)
	_, _, err = s.UpdateTag(t.Context(), owner, second.ID, timesheet.TagInput{Name: timesheet.Some("strasse")}, nil, change("updateTag"))
	wantCode(t, err, timesheet.CodeNameTaken)
	if broken, _ := timesheet.AsError(err); broken == nil || broken.Field != "name" {
		t.Errorf("got %v, want the field name", broken)
	}
}

func TestTagVersionConflict(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	tag := addTag(t, s, owner, "a")
	stale := tag.Version
	current := done[timesheet.Tag](t)(s.UpdateTag(t.Context(), owner, tag.ID, timesheet.TagInput{Name: timesheet.Some("b")}, &stale, change("updateTag")))

	calls := map[string]func(ch store.Change) (timesheet.Tag, []*timesheet.Error, error){
		"update": func(ch store.Change) (timesheet.Tag, []*timesheet.Error, error) {
			return s.UpdateTag(t.Context(), owner, tag.ID, timesheet.TagInput{Name: timesheet.Some("c")}, &stale, ch)
		},
		"archive": func(ch store.Change) (timesheet.Tag, []*timesheet.Error, error) {
			return s.ArchiveTag(t.Context(), owner, tag.ID, true, &stale, ch)
		},
		"delete": func(ch store.Change) (timesheet.Tag, []*timesheet.Error, error) {
			return s.DeleteTag(t.Context(), owner, tag.ID, &stale, ch)
		},
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			key := "conflict " + name
			for _, ch := range []store.Change{{Action: name}, {Action: name, Key: &key}, {Action: name, Key: &key}} {
				got, _, err := call(ch)
				wantCode(t, err, timesheet.CodeVersionConflict)
				if diff := cmp.Diff(current, got); diff != "" {
					t.Errorf("current tag, with key %v (-want +got):\n%s", ch.Key, diff)
				}
			}
		})
	}
}

func TestTagIsMadeOncePerKey(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	key := "make it once"
	ch := store.Change{Action: "createTag", Key: &key, Input: "once"}
	first := done[timesheet.Tag](t)(s.CreateTag(t.Context(), owner, timesheet.TagInput{Name: timesheet.Some("once")}, ch))
	again := done[timesheet.Tag](t)(s.CreateTag(t.Context(), owner, timesheet.TagInput{Name: timesheet.Some("once")}, ch))
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("repeat (-first +again):\n%s", diff)
	}
}

func TestTagPages(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	for _, name := range []string{"delta", "Alpha", "echo", "BRAVO", "charlie"} {
		addTag(t, s, owner, name)
	}
	lists := map[timesheet.ListOrder][]string{
		timesheet.OrderName:   {"Alpha", "BRAVO", "charlie", "delta", "echo"},
		timesheet.OrderNewest: {"charlie", "BRAVO", "echo", "Alpha", "delta"},
	}
	for order, want := range lists {
		t.Run(string(order), func(t *testing.T) {
			read := func(p timesheet.Page) timesheet.Connection[timesheet.Tag] {
				page, err := s.Tags(t.Context(), owner, timesheet.ListFilter{}, order, p)
				if err != nil {
					t.Fatal(err)
				}
				return page
			}
			var forth, back []string
			for page := (timesheet.Connection[timesheet.Tag]{HasNextPage: true, Cursor: func(int) string { return "" }}); page.HasNextPage; {
				page = read(timesheet.Page{First: 2, After: page.Cursor(len(page.Nodes) - 1)})
				forth = append(forth, tagNames(page)...)
			}
			for page := (timesheet.Connection[timesheet.Tag]{HasPreviousPage: true, Cursor: func(int) string { return "" }}); page.HasPreviousPage; {
				page = read(timesheet.Page{Last: 2, Before: page.Cursor(0)})
				back = slices.Concat(tagNames(page), back)
			}
			if diff := cmp.Diff(want, forth); diff != "" {
				t.Errorf("forward (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(want, back); diff != "" {
				t.Errorf("backward (-want +got):\n%s", diff)
			}
			total, err := read(timesheet.Page{First: 2}).Total(t.Context())
			if err != nil || total != len(want) {
				t.Errorf("total %d, %v, want %d", total, err, len(want))
			}
		})
	}
}

func TestTagCursorOfAnotherListIsRefused(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	addTag(t, s, owner, "a")
	addTag(t, s, owner, "b")
	named, err := s.Tags(t.Context(), owner, timesheet.ListFilter{}, timesheet.OrderName, timesheet.Page{First: 1})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Tags(t.Context(), owner, timesheet.ListFilter{}, timesheet.OrderNewest, timesheet.Page{First: 1, After: named.Cursor(0)})
	wantCode(t, err, timesheet.CodeInvalid)
	_, err = s.Projects(t.Context(), owner, timesheet.ListFilter{}, timesheet.OrderName, timesheet.Page{First: 1, After: named.Cursor(0)})
	wantCode(t, err, timesheet.CodeInvalid)
}

func TestTagFilter(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	for _, name := range []string{"100% done", "under_score", "Übung", "plain"} {
		addTag(t, s, owner, name)
	}
	old := addTag(t, s, owner, "old")
	done[timesheet.Tag](t)(s.ArchiveTag(t.Context(), owner, old.ID, true, nil, change("archiveTag")))
	yes, no := true, false
	tests := []struct {
		name   string
		filter timesheet.ListFilter
		want   []string
	}{
		{"nothing asked", timesheet.ListFilter{}, []string{"100% done", "old", "plain", "under_score", "Übung"}},
		{"archived", timesheet.ListFilter{Archived: &yes}, []string{"old"}},
		{"in use", timesheet.ListFilter{Archived: &no}, []string{"100% done", "plain", "under_score", "Übung"}},
		{"a percent sign is a character", timesheet.ListFilter{Text: "%"}, []string{"100% done"}},
		{"an underscore is a character", timesheet.ListFilter{Text: "r_s"}, []string{"under_score"}},
		{"case does not matter", timesheet.ListFilter{Text: "üBUNG"}, []string{"Übung"}},
		{"a decomposed letter is the composed one", timesheet.ListFilter{Text: "U\u0308b"}, []string{"Übung"}},
		{"text and archive together", timesheet.ListFilter{Text: "l", Archived: &no}, []string{"plain"}},
		{"no match", timesheet.ListFilter{Text: "nothing like it"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			page, err := s.Tags(t.Context(), owner, tt.filter, timesheet.OrderName, timesheet.Page{First: 100})
			if err != nil {
				t.Fatal(err)
			}
			if got := tagNames(page); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if total, err := page.Total(t.Context()); err != nil || total != len(tt.want) {
				t.Errorf("total %d, %v, want %d", total, err, len(tt.want))
			}
		})
	}
	for _, text := range []string{"a\x00b", "\xff", strings.Repeat("x", 256)} {
		_, err := s.Tags(t.Context(), owner, timesheet.ListFilter{Text: text}, timesheet.OrderName, timesheet.Page{First: 1})
		wantCode(t, err, timesheet.CodeInvalid)
	}
}

// What each role may do to clients and tags, which are everybody's.
func TestTagAndClientRights(t *testing.T) {
	t.Parallel()
	s, owner := newWorkspace(t)
	tests := []struct {
		role            timesheet.Role
		curate, destroy bool
	}{
		{timesheet.RoleOwner, true, true},
		{timesheet.RoleAdmin, true, true},
		{timesheet.RoleManager, true, false},
		{timesheet.RoleMember, false, false},
		{timesheet.RoleViewer, false, false},
	}
	for _, tt := range tests {
		t.Run(string(tt.role), func(t *testing.T) {
			v := addViewer(t, s, owner, string(tt.role), tt.role)
			allowed := func(what string, want bool, err error) {
				t.Helper()
				broken, _ := timesheet.AsError(err)
				if got := err == nil; got != want || !want && (broken == nil || broken.Code != timesheet.CodeForbidden) {
					t.Errorf("%s: %v, want allowed %t", what, err, want)
				}
			}
			tag := addTag(t, s, owner, "tag for "+v.Workspace.Name+string(tt.role))
			_, _, err := s.CreateTag(t.Context(), v, timesheet.TagInput{Name: timesheet.Some(fmt.Sprint("new ", tt.role))}, change("createTag"))
			allowed("create a tag", tt.curate, err)
			_, _, err = s.UpdateTag(t.Context(), v, tag.ID, timesheet.TagInput{}, nil, change("updateTag"))
			allowed("update a tag", tt.curate, err)
			_, _, err = s.ArchiveTag(t.Context(), v, tag.ID, true, nil, change("archiveTag"))
			allowed("archive a tag", tt.curate, err)
			_, _, err = s.DeleteTag(t.Context(), v, tag.ID, nil, change("deleteTag"))
			allowed("delete a tag", tt.destroy, err)

			client := addClient(t, s, owner, "client for "+string(tt.role))
			addMember(t, s, owner, addProject(t, s, owner, "seen by "+string(tt.role), &client.ID).ID, v.User, false)
			_, _, err = s.CreateClient(t.Context(), v, timesheet.ClientInput{Name: timesheet.Some(fmt.Sprint("new ", tt.role))}, change("createClient"))
			allowed("create a client", tt.curate, err)
			_, _, err = s.UpdateClient(t.Context(), v, client.ID, timesheet.ClientInput{}, nil, change("updateClient"))
			allowed("update a client", tt.curate, err)
			_, _, err = s.ArchiveClient(t.Context(), v, client.ID, true, nil, change("archiveClient"))
			allowed("archive a client", tt.curate, err)
			_, _, err = s.DeleteClient(t.Context(), v, client.ID, nil, change("deleteClient"))
			allowed("delete a client", tt.destroy, err)
		})
	}
}
