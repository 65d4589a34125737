package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"

	"headroom/store"
)

// OrderRequest is what POST /debug/gate takes: an order to all servers on the
// database. DELETE takes the same, without a time, and ends the order.
type OrderRequest struct {
	Kind       string  `json:"kind"`    // one of orderKinds
	Subject    string  `json:"subject"` // who is blocked; the mode; the number of slots; CLASS=SEATS; the rung; the request's id
	ForSeconds float64 `json:"forSeconds"`
	Reason     string  `json:"reason"`
	By         string  `json:"by"`
	Unseen     bool    `json:"unseen"` // also where nobody of the name was seen of late
}

// OrderView is an order as operators see it.
type OrderView struct {
	ID          int64      `json:"id"`
	Kind        string     `json:"kind"`
	Subject     string     `json:"subject"`
	Label       string     `json:"label,omitempty"` // the workspace's name
	Text        string     `json:"text"`
	Reason      string     `json:"reason"`
	By          string     `json:"by"`
	At          time.Time  `json:"at"`
	LeftSeconds float64    `json:"leftSeconds"`       // not above 0: it has ended
	Refused     int64      `json:"refused,omitempty"` // requests, by this server
	EndedAt     *time.Time `json:"endedAt,omitempty"` // before its time
	EndedBy     string     `json:"endedBy,omitempty"`
	EndedReason string     `json:"endedReason,omitempty"`
}

// GateView is how the gate is steered: the answer of GET /debug/gate.
type GateView struct {
	Mode       string      `json:"mode"`       // in force on this server
	Configured string      `json:"configured"` // without an order
	Slots      int         `json:"slots"`      // for reports
	Orders     []OrderView `json:"orders"`     // in force on this server
	Last       []OrderView `json:"last"`       // of all servers, the newest first

	LastUnknown bool `json:"lastUnknown,omitempty"` // the database did not tell them
}

// Bounds of orders.
const (
	maxOrderFor    = 24 * time.Hour
	maxOrderReason = 500
	shownOrders    = 20

	// Whoever asks at night is told sooner than their command gives up (5 s), also by a
	// database that hangs: of orders in force the server knows by itself.
	orderWait  = 4 * time.Second
	statusWait = time.Second
)

// atMost bounds how long a handler may wait.
func atMost(d time.Duration, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), d)
		defer cancel()
		next(w, r.WithContext(ctx))
	}
}

// showGate is GET /debug/gate.
func (s *Server) showGate(w http.ResponseWriter, r *http.Request) {
	var last []store.GateOrder
	err := errAway
	if !s.health.away() {
		last, err = s.store.LastOrders(r.Context(), shownOrders)
	}
	if err != nil {
		s.log.Debug("read the last orders", "error", err)
	}
	v := GateView{LastUnknown: err != nil, Mode: s.gateName(), Configured: s.configured, Slots: s.reportSlots(), Orders: s.ordersInForce(s.now()), Last: []OrderView{}}
	for _, o := range last {
		v.Last = append(v.Last, orderView(o))
	}
	s.showJSON(w, http.StatusOK, v)
}

// ordersInForce are the orders that this server follows.
func (s *Server) ordersInForce(now time.Time) []OrderView {
	views := []OrderView{}
	for _, o := range s.orders.now.Load().all {
		if left := o.left(now); left > 0 {
			view := orderView(o.GateOrder)
			view.LeftSeconds, view.Refused = round(left.Seconds()), o.refused.Load()
			views = append(views, view)
		}
	}
	return views
}

func orderView(o store.GateOrder) OrderView {
	return OrderView{
		ID: o.ID, Kind: o.Kind, Subject: o.Subject, Label: o.Label, Text: describe(o), Reason: o.Reason, By: o.By, At: o.At.UTC(), LeftSeconds: round(o.Left.Seconds()),
		EndedAt: o.EndedAt, EndedBy: o.EndedBy, EndedReason: o.EndedCause,
	}
}

// badOrder is an order that cannot be followed: one line that says what to do.
type badOrder struct{ text string }

func (b badOrder) Error() string { return b.text }

func bad(format string, args ...any) error { return badOrder{fmt.Sprintf(format, args...)} }

// orderFailed tells operators why.
func (s *Server) orderFailed(w http.ResponseWriter, err error) {
	var b badOrder
	if errors.As(err, &b) {
		plain(w, http.StatusBadRequest, b.text)
		return
	}
	s.log.Error("an operator's order", "error", err)
	plain(w, http.StatusServiceUnavailable, "the database did not take the order, so other servers would not know of it: "+err.Error())
}

// errAway is why no order is taken.
var errAway = errors.New("it does not answer")

// giveOrder is POST /debug/gate.
func (s *Server) giveOrder(w http.ResponseWriter, r *http.Request) {
	o, req, err := s.readOrder(r)
	if o.Kind == orderKill {
		req.ForSeconds = killLasts.Seconds()
	}
	lasting := time.Duration(req.ForSeconds * float64(time.Second))
	if err == nil && !(req.ForSeconds >= 1 && req.ForSeconds <= maxOrderFor.Seconds()) {
		err = bad("an order lasts between 1s and %s: what has to last longer belongs into the configuration", maxOrderFor)
	}
	if err == nil && !req.Unseen {
		err = s.seen(o)
	}
	if err == nil {
		o, err = s.store.GiveOrder(r.Context(), o, lasting)
	}
	if err == nil {
		s.readOrders(r.Context())
	}
	if err == nil && o.Kind == orderKill {
		o, err = s.carriedOut(r.Context(), o)
	}
	if err != nil {
		s.orderFailed(w, err)
		return
	}
	s.showJSON(w, http.StatusCreated, orderView(o))
}

// endOrder is DELETE /debug/gate.
func (s *Server) endOrder(w http.ResponseWriter, r *http.Request) {
	o, _, err := s.readOrder(r)
	var n int64
	if err == nil {
		n, err = s.store.EndOrder(r.Context(), o)
	}
	if err == nil && n == 0 {
		err = s.noOrder(o)
	}
	if err != nil {
		s.orderFailed(w, err)
		return
	}
	s.readOrders(r.Context())
	s.showJSON(w, http.StatusOK, map[string]int64{"ended": n})
}

// noOrder says which orders there are instead.
func (s *Server) noOrder(o store.GateOrder) error {
	var known []string
	for _, each := range s.orders.now.Load().all {
		if each.Kind == o.Kind {
			known = append(known, each.Subject)
		}
	}
	switch {
	case o.Subject == "":
		return bad("no order about %s is in force", o.Kind)
	case o.Kind == orderSeats:
		return bad("no order about the seats of %s is in force", o.Subject)
	}
	return bad("%s %q is not blocked%s", o.Kind, o.Subject, nearest(o.Subject, known))
}

// readOrder reads and checks what does not change with time.
func (s *Server) readOrder(r *http.Request) (store.GateOrder, OrderRequest, error) {
	var req OrderRequest
	d := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 16<<10))
	d.DisallowUnknownFields()
	if err := d.Decode(&req); err != nil {
		return store.GateOrder{}, req, bad("the body is no order: %v", err)
	}
	o := store.GateOrder{Kind: req.Kind, Subject: strings.TrimSpace(req.Subject), Reason: strings.TrimSpace(req.Reason), By: strings.TrimSpace(req.By)}
	for name, text := range map[string]string{"subject": o.Subject, "reason": o.Reason, "by": o.By} {
		if len(text) > maxOrderReason || strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) }) {
			return o, req, bad("%s is one line of at most %d bytes", name, maxOrderReason)
		}
	}
	switch {
	case o.Reason == "":
		return o, req, bad("an order needs a reason: others have to know why")
	case o.By == "":
		return o, req, bad("an order needs to say by whom it is given")
	}
	if s.health.away() {
		return o, req, errAway
	}
	err := s.checkSubject(r.Context(), &o, r.Method == http.MethodDelete)
	return o, req, err
}
