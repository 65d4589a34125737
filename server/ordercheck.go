package server

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"headroom/graph"
	"headroom/limits"
	"headroom/spelling"
	"headroom/store"
	"headroom/timesheet"
)

// modesOfGate are those that an order may ask for.
var modesOfGate = []string{string(Adaptive), string(Fixed), modeOpen}

// checkSubject checks what an order is about, and gives a workspace its number.
func (s *Server) checkSubject(ctx context.Context, o *store.GateOrder, ends bool) error {
	one := o.Kind == orderMode || o.Kind == orderSlots || o.Kind == orderBrownout
	switch {
	case !slices.Contains(orderKinds, o.Kind):
		return bad("kind %q is none of %s%s", o.Kind, strings.Join(orderKinds, ", "), nearest(o.Kind, orderKinds))
	case ends && o.Kind == orderKill:
		return bad("a request that was ended cannot be taken up again")
	case ends && one:
		o.Subject = ""
		return nil
	case o.Subject == "":
		return bad("%s is empty", o.Kind)
	case (one || o.Kind == orderSeats) && s.mode.Mode == Off:
		return bad("this server runs with --limits off: it has no gate")
	}
	switch o.Kind {
	case orderMode:
		if !slices.Contains(modesOfGate, o.Subject) {
			return bad("mode %q is not adaptive, static or open%s", o.Subject, nearest(o.Subject, modesOfGate))
		}
	case orderTenant:
		return s.findTenant(ctx, o)
	case orderToken:
		return s.findToken(ctx, o)
	case orderSlots:
		return s.checkSeats(limits.Report, o.Subject)
	case orderSeats:
		return s.checkClassSeats(o, ends)
	case orderBrownout:
		return s.checkRung(o.Subject)
	}
	return nil
}

// checkSeats checks a number of seats, which are connections too.
func (s *Server) checkSeats(class limits.Class, text string) error {
	n, err := strconv.Atoi(text)
	if most := s.mostSeats(class); err != nil || n < 1 || n > most {
		return bad("%q is no whole number of seats between 1 and %d, the connections of the pool of class %s", text, most, class)
	}
	return nil
}

// checkClassSeats takes CLASS=SEATS, or the class alone where the order ends.
func (s *Server) checkClassSeats(o *store.GateOrder, ends bool) error {
	name, number, _ := strings.Cut(o.Subject, "=")
	class, err := limits.ParseClass(name)
	classes := []string{limits.Control.String(), limits.Interactive.String(), limits.Background.String()}
	if err != nil || class == limits.Report {
		return bad("class %q is none of %s%s", name, strings.Join(classes, ", "), nearest(name, classes))
	}
	o.Subject, o.Label = name, number
	if ends {
		return nil
	}
	return s.checkSeats(class, number)
}

// checkRung checks a rung of the ladder, on which an order may hold the gate.
func (s *Server) checkRung(name string) error {
	var rungs []string
	for step := limits.NoBackground; step <= limits.OnlyControl; step++ {
		rungs = append(rungs, step.String())
	}
	switch {
	case !slices.Contains(rungs, name):
		return bad("rung %q is none of %s%s", name, strings.Join(rungs, ", "), nearest(name, rungs))
	case s.gateName() == modeOpen:
		return bad("the gate is open and refuses nobody: headroom gate mode auto, or serve with --limits on, comes first")
	}
	return nil
}

// findToken takes a token's number, as the log has it, or its id.
func (s *Server) findToken(ctx context.Context, o *store.GateOrder) error {
	id, err := strconv.ParseInt(o.Subject, 10, 64)
	if err != nil {
		known, isID := graph.ID(o.Subject).Key().(timesheet.TokenID)
		if !isID {
			return bad("token %q is neither a token's number, as the log has it, nor its id: never give its text", o.Subject)
		}
		id = int64(known)
	}
	ctx = timesheet.WithService(ctx, timesheet.Service{Class: timesheet.ClassControl})
	name, workspace, ok, err := s.store.FindToken(ctx, timesheet.TokenID(id))
	if err != nil {
		return err
	}
	if !ok {
		return bad("there is no token %d", id)
	}
	o.Subject, o.Label = strconv.FormatInt(id, 10), fmt.Sprintf("%s of %s", name, workspace)
	return nil
}

// findTenant takes a workspace's name or number.
func (s *Server) findTenant(ctx context.Context, o *store.GateOrder) error {
	ctx = timesheet.WithService(ctx, timesheet.Service{Class: timesheet.ClassControl})
	all, err := s.store.FindWorkspaces(ctx, "")
	if err != nil {
		return err
	}
	var found []timesheet.Workspace
	var known []string
	for _, w := range all {
		if strconv.FormatInt(int64(w.ID), 10) == o.Subject || w.Name == o.Subject {
			found = append(found, w)
		}
		known = append(known, w.Name)
	}
	switch len(found) {
	case 0:
		return bad("there is no workspace %q%s", o.Subject, nearest(o.Subject, known))
	case 1:
		o.Subject, o.Label = strconv.FormatInt(int64(found[0].ID), 10), found[0].Name
		return nil
	}
	return bad("%d workspaces are named %q: say which by its number", len(found), o.Subject)
}

// seen refuses blocks of an operation or a client that nobody has sent of late:
// most likely the name is mistyped.
func (s *Server) seen(o store.GateOrder) error {
	var known []string
	switch o.Kind {
	case orderOperation:
		known = s.documents.labels()
	case orderClient:
	default:
		return nil
	}
	s.lookout.mu.Lock()
	for _, row := range s.lookout.spenders.sums(byAll, s.now(), nil) {
		known = append(known, map[string]string{orderOperation: row.operation, orderClient: row.client}[o.Kind])
	}
	s.lookout.mu.Unlock()
	for _, label := range known {
		names := []string{label}
		if name, hash, ok := strings.Cut(label, "#"); ok && o.Kind == orderOperation {
			names = append(names, name, "#"+hash)
		}
		if at := strings.LastIndexByte(label, '@'); at > 0 && o.Kind == orderClient {
			names = append(names, label[:at])
		}
		if slices.Contains(names, o.Subject) {
			return nil
		}
		known = append(known, names[1:]...)
	}
	return bad("no %s %q was seen here of late%s; --unseen blocks it all the same", o.Kind, o.Subject, nearest(o.Subject, known))
}

// nearest asks whether a word was meant that is known, if one is near.
func nearest(word string, known []string) string {
	if best := spelling.Nearest(word, known); best != "" {
		return fmt.Sprintf(": did you mean %q?", best)
	}
	return ""
}
