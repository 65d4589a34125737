package loadtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// What is asked before a run.
const (
	typenameQuery = `{__typename}`
	viewerQuery   = `{viewer{role}}`
	scoutQuery    = `{ viewer { user { id } workspace { id } } projects(first: 50) { nodes { id } } timeEntries(first: 1) { nodes { day } } }`
)

// allowed parses an address and refuses it unless it names this machine, or the
// host that was said to be one's own.
func allowed(address, own string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, stopf(ExitUsage, "%q is not an address such as http://127.0.0.1:8080/graphql", address)
	}
	if !here(u.Hostname()) && u.Hostname() != own {
		return nil, stopf(ExitRefused, "%s is not this machine: to load it, say that it is yours with --i-own %s", u.Host, u.Hostname())
	}
	if u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	}
	return u, nil
}

// here tells whether a host is this machine by what it is called. What localhost
// resolves to is seen when a socket is connected.
func here(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// adminOf is the operators' address that goes with a target: the next port.
func adminOf(target *url.URL) string {
	port, err := strconv.Atoi(target.Port())
	if err != nil {
		return ""
	}
	return "http://" + net.JoinHostPort(target.Hostname(), strconv.Itoa(port+1))
}

// query sends one document outside the load and decodes its data. A reply
// that is not GraphQL, or none, is an error; GraphQL errors are not.
func (c *client) query(ctx context.Context, token, document string, data any) (answer, *reply, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	body, err := json.Marshal(map[string]string{"query": document})
	if err != nil {
		return answer{}, nil, fmt.Errorf("encode a query: %w", err)
	}
	got := c.send(ctx, "", token, body).answer
	if got.err != nil {
		return got, nil, got.err
	}
	var r reply
	if err := json.Unmarshal(got.body, &r); err != nil || r.Data == nil && r.Errors == nil {
		return got, nil, errNotGraphQL
	}
	for name, field := range r.Data {
		if err := json.Unmarshal(fmt.Appendf(nil, `{%q:%s}`, name, field), data); err != nil {
			return got, nil, fmt.Errorf("decode %s: %w", name, err)
		}
	}
	return got, &r, nil
}

var errNotGraphQL = errors.New("the answer is not GraphQL")

// preflight makes sure that a GraphQL server answers and lets these people in,
// so that a run of minutes does not end in a page of failures.
func (c *client) preflight(ctx context.Context, users []*User) error {
	got, _, err := c.query(ctx, "", typenameQuery, &struct{}{})
	switch {
	case ctx.Err() != nil:
		return stopf(ExitInterrupted, "stopped before anything was sent")
	case errors.Is(err, errNotGraphQL):
		return stopf(ExitUnreachable, "%s answers %s, not GraphQL: is the path right?", c.target, whatIs(got))
	case errors.Is(err, syscall.ECONNREFUSED):
		return stopf(ExitUnreachable, "nothing listens on %s: start it with `headroom serve`", c.target.Host)
	case err != nil:
		return stopf(ExitUnreachable, "%s does not answer: %s", c.target, root(err))
	case got.status == http.StatusNotFound, got.status == http.StatusMethodNotAllowed:
		return stopf(ExitUnreachable, "%s answers %d: is the path right?", c.target, got.status)
	}
	for _, user := range firstOfEachRole(users) {
		if err := c.admit(ctx, user); err != nil {
			return err
		}
	}
	return nil
}

// admit checks a person's token and learns the role where it is not known.
func (c *client) admit(ctx context.Context, user *User) error {
	var data struct{ Viewer *struct{ Role string } }
	got, r, err := c.query(ctx, user.Token, viewerQuery, &data)
	if err != nil {
		return stopf(ExitUnreachable, "%s does not say who I am: %s", c.target, root(err))
	}
	code := r.code()
	refused := got.status == http.StatusUnauthorized || got.status == http.StatusForbidden || code == "UNAUTHENTICATED" || code == "FORBIDDEN"
	switch {
	case refused || data.Viewer == nil && len(r.Errors) == 0:
		return stopf(ExitUnreachable, "the token of %s is refused (%d %s): give one with --token or --tokens", user, got.status, code)
	case data.Viewer != nil && user.Role == "":
		user.Role = strings.ToLower(data.Viewer.Role)
	}
	return nil
}

// String names a person without the token.
func (u *User) String() string {
	if u.Name == "" {
		return "the person given"
	}
	return u.Name + " of " + u.Workspace
}

func firstOfEachRole(users []*User) []*User {
	seen := map[string]bool{}
	var first []*User
	for _, user := range users {
		if !seen[user.Role] {
			seen[user.Role] = true
			first = append(first, user)
		}
	}
	return first
}

// whatIs describes an answer that was not the one expected.
func whatIs(a answer) string {
	if to := a.header.Get("Location"); a.status/100 == 3 && to != "" {
		return fmt.Sprintf("%d, a redirect to %s", a.status, to)
	}
	kind, _, _ := strings.Cut(a.header.Get("Content-Type"), ";")
	if kind == "" {
		kind = "nothing known"
	}
	text := fmt.Sprintf("%d with %s", a.status, kind)
	lower := bytes.ToLower(a.body)
	if from := bytes.Index(lower, []byte("<title>")); from >= 0 {
		title, _, found := bytes.Cut(a.body[from+len("<title>"):], []byte("<"))
		if found {
			text += fmt.Sprintf(" (%q)", strings.TrimSpace(string(title[:min(len(title), 60)])))
		}
	}
	return text
}

// maxScouts bounds how many people's data is looked at before a run.
const maxScouts = 200

// scout learns what drawn calls refer to: each person's projects and the
// newest day with work. What it cannot learn is left out.
func (c *client) scout(ctx context.Context, users []*User) (*scene, error) {
	days := make([]time.Time, min(len(users), maxScouts))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for i := range days {
		group.Go(func() error {
			days[i] = c.scoutOne(groupCtx, users[i])
			return groupCtx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return nil, stopf(ExitInterrupted, "stopped before anything was sent")
	}
	s := &scene{users: users}
	for _, day := range days {
		if day.After(s.last) {
			s.last = day
		}
	}
	if s.last.IsZero() {
		s.last = time.Now().UTC().Truncate(24 * time.Hour)
	}
	return s, nil
}

func (c *client) scoutOne(ctx context.Context, user *User) time.Time {
	var data struct {
		Viewer      viewer
		Projects    struct{ Nodes []struct{ ID string } }
		TimeEntries struct{ Nodes []struct{ Day string } }
	}
	if _, _, err := c.query(ctx, user.Token, scoutQuery, &data); err != nil {
		return time.Time{}
	}
	user.id, user.workspaceID, user.projects = data.Viewer.User.ID, data.Viewer.Workspace.ID, nil
	for _, project := range data.Projects.Nodes {
		user.projects = append(user.projects, project.ID)
	}
	for _, entry := range data.TimeEntries.Nodes {
		if day, err := time.Parse(time.DateOnly, entry.Day); err == nil {
			return day
		}
	}
	return time.Time{}
}
