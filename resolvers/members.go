package resolvers

import (
	"context"

	"headroom/dataloader"
	"headroom/graph"
	"headroom/store"
	"headroom/timesheet"
)

// Users lists the people of the workspace.
func (q query) Users(ctx context.Context, filter *timesheet.ListFilter, order timesheet.ListOrder, first *int, after *string, last *int, before *string) (*graph.UserConnection, error) {
	return page(ctx, first, after, last, before, nil, func(v timesheet.Viewer, p timesheet.Page) (timesheet.Connection[timesheet.User], error) {
		return q.Store.Users(ctx, v, orZero(filter), order, p)
	})
}

// InviteMember adds a person and shows their claim.
func (m mutation) InviteMember(ctx context.Context, in graph.InviteMemberInput) (*graph.InviteMemberPayload, error) {
	p := &graph.InviteMemberPayload{}
	done, err := change(ctx, func(v timesheet.Viewer, ch store.Change) (timesheet.User, []*timesheet.Error, error) {
		invited, warnings, err := m.Store.InviteMember(ctx, v, store.Invite{Name: in.Name, Email: in.Email, Role: in.Role}, ch)
		if err == nil {
			p.Claim = new(m.MintClaim(v.Workspace.ID, invited.User.ID, invited.ClaimID))
			p.ExpiresAt = &invited.ExpiresAt
		}
		return invited.User, warnings, err
	})
	if err != nil {
		return nil, err
	}
	p.UserPayload = *done
	return p, nil
}

// ClaimInvite turns a claim into a token; nobody has to be signed in for it.
func (m mutation) ClaimInvite(ctx context.Context, in graph.ClaimInviteInput) (*graph.ClaimInvitePayload, error) {
	ws, user, claim, ok := m.ReadClaim(in.Claim)
	if !ok {
		user = 0 // nobody: the store refuses it in its own words
	}
	p := &graph.ClaimInvitePayload{}
	minted, v, err := m.Store.ClaimInvite(ctx, ws, user, claim, in.Name.Value(), in.IdempotencyKey.Value())
	person := timesheet.User{}
	if err == nil {
		p.Token = new(m.MintToken(ws, minted))
		person, err = m.person(ctx, v)
	}
	done, err := answer(person, nil, err)
	if err != nil {
		return nil, err
	}
	p.UserPayload = *done
	return p, nil
}

// person is a viewer as others see them.
func (m mutation) person(ctx context.Context, v timesheet.Viewer) (timesheet.User, error) {
	found, err := m.Store.UsersByID(ctx, v, []timesheet.UserID{v.User})
	return found[v.User], err
}

// SetRole changes what a person may do.
func (m mutation) SetRole(ctx context.Context, in graph.SetRoleInput) (*graph.UserPayload, error) {
	return change(ctx, func(v timesheet.Viewer, ch store.Change) (timesheet.User, []*timesheet.Error, error) {
		return m.Store.SetRole(ctx, v, in.UserID, in.Role, ch)
	})
}

// RemoveMember removes a person.
func (m mutation) RemoveMember(ctx context.Context, in graph.RemoveMemberInput) (*graph.UserDeleted, error) {
	return remove(ctx, &in.UserID, func(v timesheet.Viewer, ch store.Change) (timesheet.User, []*timesheet.Error, error) {
		return m.Store.RemoveMember(ctx, v, in.UserID, ch)
	})
}

// CreateToken makes a token and shows its text.
func (m mutation) CreateToken(ctx context.Context, in graph.CreateTokenInput) (*graph.CreateTokenPayload, error) {
	p := &graph.CreateTokenPayload{}
	done, err := change(ctx, func(v timesheet.Viewer, ch store.Change) (timesheet.Token, []*timesheet.Error, error) {
		holder := some(in.UserID).Or(v.User)
		minted, warnings, err := m.Store.CreateToken(ctx, v, store.NewToken{User: holder, Name: in.Name, Scope: in.Scope, ExpiresAt: in.ExpiresAt.Value()}, ch)
		if err == nil {
			p.Text = new(m.MintToken(v.Workspace.ID, minted))
		}
		return minted, warnings, err
	})
	if err != nil {
		return nil, err
	}
	p.Payload = *done
	return p, nil
}

// RevokeToken ends a token.
func (m mutation) RevokeToken(ctx context.Context, in graph.RevokeTokenInput) (*graph.TokenDeleted, error) {
	return remove(ctx, &in.ID, func(v timesheet.Viewer, ch store.Change) (timesheet.Token, []*timesheet.Error, error) {
		return m.Store.RevokeToken(ctx, v, in.ID, ch)
	})
}

// User is whose token it is.
func (token) User(ctx context.Context, t *timesheet.Token) (*timesheet.User, error) {
	return load(ctx, dataloader.From(ctx).Users, &t.UserID)
}
