package server

import (
	"context"
	"crypto/subtle"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"headroom/limits"
	"headroom/store"
	"headroom/timesheet"
)

// authenticate reads the bearer token without I/O. A bad one is refused at
// once; none at all leaves the request a stranger's.
func (s *Server) authenticate(r *request) *fault {
	header := r.Header.Get("Authorization")
	if header == "" {
		r.account = s.strangersAccount(r.Request)
		return nil
	}
	scheme, text, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		r.account = s.strangersAccount(r.Request)
		return refuse(codeUnauthenticated, "send the token as Authorization: Bearer")
	}
	c, ok := s.demo[text]
	if !ok {
		c, ok = s.keys.readToken(text, s.now())
	}
	if !ok {
		r.account = s.strangersAccount(r.Request)
		return refuse(codeUnauthenticated, "the token is not valid, or it has expired")
	}
	r.token = &c
	r.account = s.accountOf(c)
	return nil
}

// authorize decides whether this token, or none, may run this document, and
// learns who asks.
func (s *Server) authorize(ctx context.Context, r *request) *fault {
	if r.token == nil {
		if r.doc.access == strangers || r.doc.access == inspectors && s.inspect {
			return nil
		}
		return refuse(codeUnauthenticated, "this operation needs a token: send it as Authorization: Bearer")
	}
	if r.doc.op.Operation == ast.Mutation && r.token.scope != timesheet.ScopeWrite {
		return refuse(codeForbidden, "this token may only read")
	}
	if s.health.away() { // or everybody who is not in memory would wait for nothing
		return s.unavailable()
	}
	viewer, err := s.store.Viewer(ctx, r.token.workspace, r.token.user, r.token.token)
	switch {
	case errors.Is(err, store.ErrNoViewer):
		return refuse(codeUnauthenticated, "the token has been revoked, or its owner has left the workspace")
	case err != nil:
		s.log.Warn("read who asks", "request", r.id, "error", err)
		return s.unavailable()
	}
	r.viewer = viewer
	return nil
}

// account is what a request's points are taken from.
type account struct {
	tenant  string           // shares the gate's queues fairly with other tenants
	budgets []limits.Account // of operations: the person's and the workspace's
	buckets []limits.Account // those, and the front where it is none of them
	front   limits.Account   // pays for refused documents: a token's own, so that a lost one locks nobody else out
	short   *limits.Shortage // the budget that has refused this request
	charged bool             // the front has paid for this request
}

func (s *Server) accountOf(c credential) account {
	const prefix = "token "
	b := strconv.AppendInt(append(make([]byte, 0, 64), prefix...), int64(c.workspace), 10)
	wsEnd := len(b)
	b = strconv.AppendInt(append(b, '/'), int64(c.user), 10)
	userEnd := len(b)
	own := string(strconv.AppendInt(append(b, '/'), int64(c.token), 10))
	ws, user := own[len(prefix):wsEnd], own[len(prefix):userEnd] // one allocation for the three
	all := []limits.Account{
		{Budget: s.userBudget, Key: user},
		{Budget: s.workspaceBudget, Key: ws},
		{Budget: s.userBudget, Key: own},
	}
	return account{tenant: ws, budgets: all[:2], buckets: all, front: all[2]}
}

// strangersAccount hangs the bucket of a client without a token on its address.
func (s *Server) strangersAccount(r *http.Request) account {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	all := []limits.Account{{Budget: s.userBudget, Key: "address " + host}}
	return account{tenant: all[0].Key, budgets: all, buckets: all, front: all[0]}
}

func (a account) reserve(points float64) (*limits.Reservation, *limits.Shortage) {
	return limits.Reserve(points, a.budgets...)
}

// debt is what is owed for refused documents, nil for nothing.
func (a account) debt() *limits.Shortage { return limits.Short(0, a.front) }

// charge takes points for what a refused request has cost the server.
func (a account) charge(points float64) { a.front.Budget.Charge(a.front.Key, points) }

// operatorsOnly asks for the operators' token, where one is set; probes need
// none.
func (s *Server) operatorsOnly(next http.Handler) http.Handler {
	if len(s.adminToken) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !openToAll(r.URL.Path) && subtle.ConstantTimeCompare([]byte(text), s.adminToken) != 1 {
			s.refuse(w, r, refuse(codeUnauthenticated, "this address is for operators: send their token as Authorization: Bearer"))
			return
		}
		next.ServeHTTP(w, r)
	})
}
