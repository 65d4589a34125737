package timesheet

import "context"

// Role is what a person may do in a workspace.
type Role string

// Owners and admins may do everything; managers read and report everybody and
// edit the projects they lead; members see their own entries and the projects
// they belong to; viewers read everything and change nothing; placeholders
// are imported people without an account, who cannot sign in.
const (
	RoleOwner       Role = "OWNER"
	RoleAdmin       Role = "ADMIN"
	RoleManager     Role = "MANAGER"
	RoleMember      Role = "MEMBER"
	RoleViewer      Role = "VIEWER"
	RolePlaceholder Role = "PLACEHOLDER"
)

// Viewer is who asks: one person in one workspace, by one token, with the
// workspace's settings, which most rules need.
type Viewer struct {
	Workspace Workspace
	User      UserID
	Role      Role
	Token     TokenID
	Scope     Scope
	Self      User // who User is, as of when they were looked up; zero: not looked up
}

// ReadsEverybody tells whether the viewer sees all entries and all projects.
func (v Viewer) ReadsEverybody() bool {
	switch v.Role {
	case RoleOwner, RoleAdmin, RoleManager, RoleViewer:
		return true
	}
	return false
}

// Admin tells whether the viewer may change everything in the workspace.
func (v Viewer) Admin() bool { return v.Role == RoleOwner || v.Role == RoleAdmin }

// Tracks tells whether the viewer may keep time entries of their own.
func (v Viewer) Tracks() bool { return v.Admin() || v.Role == RoleManager || v.Role == RoleMember }

// SeesEmails tells whether the viewer sees other people's addresses.
func (v Viewer) SeesEmails() bool { return v.Admin() || v.Role == RoleManager }

// SeesRates tells whether the viewer sees what is billed, and by it budgets in
// money. Members see the amounts of their own entries, and no rates.
func (v Viewer) SeesRates() bool { return v.ReadsEverybody() }

// SeesCosts tells whether the viewer sees what people cost. Viewers do not:
// they are often the client.
func (v Viewer) SeesCosts() bool { return v.Admin() || v.Role == RoleManager }

// MayEditProject tells whether the viewer may change a project, its tasks and
// its members; lead says whether they lead it.
func (v Viewer) MayEditProject(lead bool) bool {
	return v.Admin() || v.Role == RoleManager && lead
}

// MayEditEntriesOf tells whether the viewer may change a person's entries.
func (v Viewer) MayEditEntriesOf(u UserID) bool { return v.Admin() || v.Tracks() && v.User == u }

type viewerKey struct{}

// WithViewer puts who asks into the context.
func WithViewer(ctx context.Context, v Viewer) context.Context {
	return context.WithValue(ctx, viewerKey{}, v)
}

// ViewerFrom is who asks; ok is false for a request without a token.
func ViewerFrom(ctx context.Context) (v Viewer, ok bool) {
	v, ok = ctx.Value(viewerKey{}).(Viewer)
	return v, ok
}
