package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"headroom/npmfetch"
	"headroom/server"
	"headroom/store"
	"headroom/store/localpg"
	"headroom/timesheet"
)

// MigrateCmd brings the schema up to date.
type MigrateCmd struct {
	Database
}

// Run migrates; several may run at once, one works.
func (c *MigrateCmd) Run(env *environment) error {
	log := logger(os.Stderr, 0)
	dsn, stop, err := c.open(env.ctx, log)
	if err != nil {
		return err
	}
	defer stop()
	if err := store.Migrate(env.ctx, dsn, log); err != nil {
		return store.Explain(err)
	}
	fmt.Fprintln(env.stdout, "the schema is up to date")
	return nil
}

// FetchCmd fetches ahead of time.
type FetchCmd struct{}

// Run fetches PostgreSQL and the editor into the cache.
func (c *FetchCmd) Run(env *environment) error {
	log := logger(os.Stderr, 0)
	dir, err := localpg.Fetch(env.ctx, log)
	if err != nil {
		return err
	}
	fmt.Fprintln(env.stdout, "PostgreSQL:", dir)
	if err := server.FetchPlayground(env.ctx, npmfetch.Config{Log: log}); err != nil {
		return err
	}
	fmt.Fprintln(env.stdout, "playground: its editor is in the cache")
	return nil
}

// TokenCmd makes tokens.
type TokenCmd struct {
	Create TokenCreateCmd `cmd:"" help:"Make a token, and the person and the workspace where they are new."`
}

// TokenCreateCmd makes one token.
type TokenCreateCmd struct {
	Database
	Workspace  string        `required:"" help:"Name of the workspace; made where there is none."`
	Email      string        `required:"" help:"Address of the person."`
	Person     string        `help:"Name of a new person (default: the address)." placeholder:"NAME"`
	Role       string        `default:"" enum:",owner,admin,manager,member,viewer" help:"owner, admin, manager, member or viewer; the first person of a workspace is its owner, a new one there a member unless told."`
	Scope      string        `default:"write" enum:"read,write" help:"What the token may be used for."`
	Expires    time.Duration `help:"How long the token is valid (default: until revoked)." placeholder:"DURATION"`
	Timezone   string        `default:"UTC" help:"IANA zone of a new workspace."`
	Currency   string        `default:"EUR" help:"Currency of a new workspace."`
	SecretFile string        `help:"File with the key of tokens, as serve has it." placeholder:"FILE"`
}

// Run prints the token's text alone, so that a script can keep it.
func (c *TokenCreateCmd) Run(env *environment) error {
	if c.Expires < 0 {
		return errors.New("--expires is not negative; without it the token is valid until it is revoked")
	}
	s, closeStore, err := c.openStore(env.ctx, logger(os.Stderr, 4))
	if err != nil {
		return err
	}
	defer closeStore()
	v, user, err := c.person(env.ctx, s, env.stderr)
	if err != nil {
		return err
	}
	in := store.NewToken{User: user, Name: "command line", Scope: timesheet.Scope(strings.ToUpper(c.Scope))}
	if c.Expires > 0 {
		at := time.Now().Add(c.Expires).UTC().Truncate(time.Second)
		in.ExpiresAt = &at
	}
	token, _, err := s.CreateToken(env.ctx, v, in, store.Change{Action: "createToken", Input: in})
	if err != nil {
		return err
	}
	secret, err := (&ServeFlags{SecretFile: c.SecretFile}).secret(env.ctx, s)
	if err != nil {
		return err
	}
	fmt.Fprintln(env.stdout, server.NewKeys(secret).MintToken(v.Workspace.ID, token))
	return nil
}

// person finds or makes the workspace and the person in it.
func (c *TokenCreateCmd) person(ctx context.Context, s *store.Store, told io.Writer) (timesheet.Viewer, timesheet.UserID, error) {
	name := c.Person
	if name == "" {
		name = c.Email
	}
	found, err := s.FindWorkspaces(ctx, c.Workspace)
	if err != nil {
		return timesheet.Viewer{}, 0, err
	}
	if len(found) > 1 {
		return timesheet.Viewer{}, 0, fmt.Errorf("%d workspaces are named %q", len(found), c.Workspace)
	}
	if len(found) == 0 {
		if c.Role != "" && c.Role != "owner" {
			return timesheet.Viewer{}, 0, errors.New("the first person of a new workspace is its owner: use --role owner")
		}
		if err := checkZone(c.Timezone); err != nil {
			return timesheet.Viewer{}, 0, err
		}
		v, err := s.CreateWorkspace(ctx, store.NewWorkspace{
			Name: c.Workspace, TimeZone: c.Timezone, WeekStart: time.Monday, Currency: c.Currency,
			Owner: store.Person{Name: name, Email: c.Email},
		})
		if err == nil {
			fmt.Fprintf(told, "made the workspace %s; %s is its owner\n", c.Workspace, c.Email)
		}
		return v, v.User, err
	}
	v, err := s.OwnerViewer(ctx, found[0].ID)
	if err != nil {
		return v, 0, err
	}
	role := timesheet.RoleMember
	if c.Role != "" {
		role = timesheet.Role(strings.ToUpper(c.Role))
	}
	u, err := s.EnsureMember(ctx, v, name, c.Email, role)
	if err != nil {
		return v, 0, err
	}
	if c.Role != "" && u.Role != role {
		return v, 0, fmt.Errorf("%s is %s in %s already: leave --role out, or change it with setRole", c.Email, strings.ToLower(string(u.Role)), c.Workspace)
	}
	fmt.Fprintf(told, "%s is %s in the workspace %s\n", c.Email, strings.ToLower(string(u.Role)), c.Workspace)
	return v, u.ID, nil
}
