package timesheet

import (
	"errors"
	"fmt"
	"testing"
)

func TestRights(t *testing.T) {
	type rights struct{ readsAll, admin, tracks, emails, editsLed, editsOther, editsOwnEntries, editsOthersEntries bool }
	for role, want := range map[Role]rights{
		RoleOwner:       {true, true, true, true, true, true, true, true},
		RoleAdmin:       {true, true, true, true, true, true, true, true},
		RoleManager:     {readsAll: true, tracks: true, emails: true, editsLed: true, editsOwnEntries: true},
		RoleMember:      {tracks: true, editsOwnEntries: true},
		RoleViewer:      {readsAll: true},
		RolePlaceholder: {},
		"":              {},
	} {
		v := Viewer{User: 1, Role: role}
		got := rights{
			v.ReadsEverybody(), v.Admin(), v.Tracks(), v.SeesEmails(), v.MayEditProject(true), v.MayEditProject(false),
			v.MayEditEntriesOf(1), v.MayEditEntriesOf(2),
		}
		if got != want {
			t.Errorf("role %q has %+v, want %+v", role, got, want)
		}
	}
}

func TestContextValues(t *testing.T) {
	ctx := t.Context()
	if v, ok := ViewerFrom(ctx); ok {
		t.Errorf("an empty context has viewer %+v", v)
	}
	if s := ServiceFrom(ctx); s.Class != ClassInteractive {
		t.Errorf("an empty context is served as %+v, want interactive", s)
	}
	ctx = WithService(WithViewer(ctx, Viewer{User: 5}), Service{Class: ClassReport})
	if v, ok := ViewerFrom(ctx); !ok || v.User != 5 {
		t.Errorf("the viewer is %+v, %v", v, ok)
	}
	if s := ServiceFrom(ctx); s.Class != ClassReport {
		t.Errorf("the service is %+v", s)
	}
}

func TestErrors(t *testing.T) {
	err := fmt.Errorf("write: %w", Errorf(CodeInvalid, "name", "%d characters", 300))
	broken, ok := AsError(err)
	if !ok || broken.Code != CodeInvalid || broken.Field != "name" || broken.Error() != "name: 300 characters" {
		t.Errorf("AsError found %+v, %v", broken, ok)
	}
	if e := NotFound("", "tag"); e.Error() != "there is no such tag" || e.Code != CodeNotFound {
		t.Errorf("NotFound is %+v", e)
	}
	if broken, ok := AsError(errors.New("other")); ok {
		t.Errorf("another error is taken for %+v", broken)
	}
}

func TestOpt(t *testing.T) {
	var none Opt[int]
	if got := none.Or(3); got != 3 {
		t.Errorf("what is not given is %d, want what was there before", got)
	}
	if got := Some(0).Or(3); got != 0 {
		t.Errorf("what is given as zero is %d", got)
	}
}
