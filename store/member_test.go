package store_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"headroom/store"
	"headroom/timesheet"
)

func TestEnsureMember(t *testing.T) {
	s, owner := newWorkspace(t)
	ctx := t.Context()
	mia, err := s.EnsureMember(ctx, owner, " Mia ", "Mia@Example.com", timesheet.RoleMember)
	if err != nil {
		t.Fatal(err)
	}
	email := "Mia@Example.com"
	want := timesheet.User{ID: mia.ID, Name: "Mia", Email: &email, Role: timesheet.RoleMember, Version: 1}
	if diff := cmp.Diff(want, mia); diff != "" {
		t.Errorf("new member (-want +got):\n%s", diff)
	}
	again, err := s.EnsureMember(ctx, owner, "Other", "mia@example.COM", timesheet.RoleAdmin)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, again); diff != "" {
		t.Errorf("a member keeps their role and name (-want +got):\n%s", diff)
	}
	pia, err := s.EnsureMember(ctx, owner, "Pia", "pia@example.com", timesheet.RolePlaceholder)
	if err != nil {
		t.Fatal(err)
	}
	promoted, err := s.EnsureMember(ctx, owner, "Pia P.", "pia@example.com", timesheet.RoleManager)
	if err != nil {
		t.Fatal(err)
	}
	if promoted.ID != pia.ID || promoted.Role != timesheet.RoleManager || promoted.Version != 2 {
		t.Errorf("promoted placeholder is %+v, want id %d, MANAGER, version 2", promoted, pia.ID)
	}
}

func TestEnsureMemberRefuses(t *testing.T) {
	s, owner := newWorkspace(t)
	for name, who := range map[string]store.Person{
		"no name":             {Name: "", Email: "a@example.com"},
		"no address":          {Name: "A", Email: ""},
		"address without at":  {Name: "A", Email: "example.com"},
		"address with two":    {Name: "A", Email: "a@b@example.com"},
		"address without end": {Name: "A", Email: "a@"},
		"broken address":      {Name: "A", Email: "a\xff@example.com"},
		"long address":        {Name: "A", Email: fmt.Sprintf("%0255d@example.com", 1)},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.EnsureMember(t.Context(), owner, who.Name, who.Email, timesheet.RoleMember)
			wantCode(t, err, timesheet.CodeInvalid)
		})
	}
}

func TestUsersByIDAndEmails(t *testing.T) {
	s, owner := newWorkspace(t)
	ctx := t.Context()
	stranger := addWorkspace(t, s, "Other")
	member := addViewer(t, s, owner, "mia", timesheet.RoleMember)
	manager := addViewer(t, s, owner, "max", timesheet.RoleManager)
	viewer := addViewer(t, s, owner, "vic", timesheet.RoleViewer)
	gone := addViewer(t, s, owner, "gus", timesheet.RoleMember)
	if _, _, err := s.RemoveMember(ctx, owner, gone.User, store.Change{Action: "removeMember"}); err != nil {
		t.Fatal(err)
	}
	ids := []timesheet.UserID{owner.User, member.User, gone.User, stranger.User, 999}
	for name, c := range map[string]struct {
		asks   timesheet.Viewer
		emails []timesheet.UserID
	}{
		"owner sees all addresses":   {owner, []timesheet.UserID{owner.User, member.User, gone.User}},
		"manager sees all addresses": {manager, []timesheet.UserID{owner.User, member.User, gone.User}},
		"member sees their own":      {member, []timesheet.UserID{member.User}},
		"viewer sees none":           {viewer, nil},
	} {
		t.Run(name, func(t *testing.T) {
			users, err := s.UsersByID(ctx, c.asks, ids)
			if err != nil {
				t.Fatal(err)
			}
			if len(users) != 3 || !users[gone.User].Deleted || users[member.User].Name != "mia" {
				t.Errorf("got %v; want the owner, mia and gus, who is deleted", users)
			}
			var emails []timesheet.UserID
			for _, id := range ids {
				if users[id].Email != nil {
					emails = append(emails, id)
				}
			}
			if diff := cmp.Diff(c.emails, emails); diff != "" {
				t.Errorf("addresses seen (-want +got):\n%s", diff)
			}
		})
	}
	_, err := s.MemberByEmail(ctx, member, "olga@example.com")
	wantCode(t, err, timesheet.CodeNotFound) // else addresses could be probed
	_, err = s.MemberByEmail(ctx, owner, "gus@example.com")
	wantCode(t, err, timesheet.CodeNotFound)
	_, err = s.MemberByEmail(ctx, owner, "nonsense")
	wantCode(t, err, timesheet.CodeInvalid)
}

func TestUsersList(t *testing.T) {
	s, owner := newWorkspace(t)
	ctx := t.Context()
	addWorkspace(t, s, "Other")
	for _, name := range []string{"ömer", "Zoe", "anna", "Anna", "bob"} {
		role := timesheet.RoleMember
		if name == "bob" {
			role = timesheet.RoleManager
		}
		if _, err := s.EnsureMember(ctx, owner, name, name+"@example.com", role); err != nil && name != "Anna" {
			t.Fatal(err)
		}
	}
	if _, err := s.EnsureMember(ctx, owner, "Anna", "anna2@example.com", timesheet.RolePlaceholder); err != nil {
		t.Fatal(err)
	}
	names := func(f timesheet.ListFilter, o timesheet.ListOrder, page timesheet.Page) (names []string) {
		t.Helper()
		for {
			users, err := s.Users(ctx, owner, f, o, page)
			if err != nil {
				t.Fatal(err)
			}
			var part []string
			for _, u := range users.Nodes {
				part = append(part, u.Name)
			}
			if page.First > 0 {
				names = append(names, part...)
				if !users.HasNextPage {
					return names
				}
				page.After = users.Cursor(len(part) - 1)
			} else {
				names = append(part, names...)
				if !users.HasPreviousPage {
					return names
				}
				page.Before = users.Cursor(0)
			}
		}
	}
	byName := names(timesheet.ListFilter{}, timesheet.OrderName, timesheet.Page{First: 100})
	if len(byName) != 6 || byName[0] != "anna" || byName[1] != "Anna" || byName[2] != "bob" {
		t.Errorf("by name: %v", byName)
	}
	newest := names(timesheet.ListFilter{}, timesheet.OrderNewest, timesheet.Page{First: 100})
	if diff := cmp.Diff([]string{"Anna", "bob", "anna", "Zoe", "ömer", "Olga"}, newest); diff != "" {
		t.Errorf("newest (-want +got):\n%s", diff)
	}
	for _, size := range []int{1, 2, 4} {
		if diff := cmp.Diff(byName, names(timesheet.ListFilter{}, timesheet.OrderName, timesheet.Page{First: size})); diff != "" {
			t.Errorf("forwards by %d (-want +got):\n%s", size, diff)
		}
		if diff := cmp.Diff(newest, names(timesheet.ListFilter{}, timesheet.OrderNewest, timesheet.Page{Last: size})); diff != "" {
			t.Errorf("backwards by %d (-want +got):\n%s", size, diff)
		}
	}
	for name, c := range map[string]struct {
		filter timesheet.ListFilter
		want   []string
	}{
		"part of a name in any case": {timesheet.ListFilter{Text: "ANN"}, []string{"anna", "Anna"}},
		"role":                       {timesheet.ListFilter{Roles: []timesheet.Role{timesheet.RoleManager, timesheet.RoleOwner}}, []string{"bob", "Olga"}},
		"role and text":              {timesheet.ListFilter{Roles: []timesheet.Role{timesheet.RolePlaceholder}, Text: "a"}, []string{"Anna"}},
		"wildcards are letters":      {timesheet.ListFilter{Text: "%"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, names(c.filter, timesheet.OrderName, timesheet.Page{First: 100})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			users, err := s.Users(ctx, owner, c.filter, timesheet.OrderName, timesheet.Page{First: 1})
			if err != nil {
				t.Fatal(err)
			}
			if total, err := users.Total(ctx); err != nil || total != len(c.want) {
				t.Errorf("total is %d (%v), want %d", total, err, len(c.want))
			}
		})
	}
	_, err := s.Users(ctx, owner, timesheet.ListFilter{Text: "\x00"}, timesheet.OrderName, timesheet.Page{First: 1})
	wantCode(t, err, timesheet.CodeInvalid)
}
