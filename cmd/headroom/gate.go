package main

import (
	"fmt"
	"io"
	"net/http"
	"text/tabwriter"
	"time"

	"headroom/server"
)

// GateCmd steers the gates of all servers on a database. Every order needs a
// reason, ends by itself, and is kept with who gave it.
type GateCmd struct {
	Status  GateStatusCmd  `cmd:"" help:"Print the mode, the orders in force and the last ones."`
	Block   GateBlockCmd   `cmd:"" help:"Refuse a workspace, an operation or a client for a while."`
	Unblock GateUnblockCmd `cmd:"" help:"End a block before its time."`
	Mode    GateModeCmd    `cmd:"" help:"Switch the gate to adaptive, static or open for a while; auto goes back to what is configured."`
	Slots   GateSlotsCmd   `cmd:"" help:"Set how many reports run at once for a while; auto goes back to the gate's own number."`
}

// reasoned is what every change needs.
type reasoned struct {
	Operators
	Reason string `required:"" help:"Why, for those who look later." placeholder:"TEXT"`
}

// lasting is how long an order holds.
type lasting struct {
	reasoned
	For time.Duration `default:"15m" help:"How long, up to 24h; it ends by itself." placeholder:"DURATION"`
}

// whom is who is blocked.
type whom struct {
	Tenant    string `xor:"whom" required:"" help:"Workspace, by name or number. Stopping a timer stays possible." placeholder:"NAME"`
	Operation string `xor:"whom" required:"" help:"Operation by its name, by #HASH of its document, or both as headroom top shows it." placeholder:"NAME"`
	Client    string `xor:"whom" required:"" help:"Client, as NAME for all versions or NAME@VERSION. Stopping a timer stays possible." placeholder:"NAME"`
}

func (w whom) order() server.OrderRequest {
	switch {
	case w.Tenant != "":
		return server.OrderRequest{Kind: "tenant", Subject: w.Tenant}
	case w.Operation != "":
		return server.OrderRequest{Kind: "operation", Subject: w.Operation}
	}
	return server.OrderRequest{Kind: "client", Subject: w.Client}
}

// give sends an order and says what it did.
func (l lasting) give(env *environment, o server.OrderRequest) error {
	o.ForSeconds, o.Reason, o.By = l.For.Seconds(), l.Reason, operator()
	var given server.OrderView
	if err := l.ask(env.ctx, http.MethodPost, "/debug/gate", o, &given); err != nil {
		return err
	}
	fmt.Fprintf(env.stdout, "%s for %s, on all servers within a second\n", printable(given.Text), l.For)
	return nil
}

// end takes an order back.
func (r reasoned) end(env *environment, o server.OrderRequest) error {
	o.Reason, o.By = r.Reason, operator()
	var out struct{ Ended int }
	if err := r.ask(env.ctx, http.MethodDelete, "/debug/gate", o, &out); err != nil {
		return err
	}
	fmt.Fprintf(env.stdout, "ended: %s %s\n", o.Kind, o.Subject)
	return nil
}

// GateBlockCmd refuses somebody.
type GateBlockCmd struct {
	whom
	lasting
	Unseen bool `help:"Also where nobody of this name was seen of late."`
}

// Run gives the order.
func (c *GateBlockCmd) Run(env *environment) error {
	o := c.order()
	o.Unseen = c.Unseen
	return c.give(env, o)
}

// GateUnblockCmd ends a block.
type GateUnblockCmd struct {
	whom
	reasoned
}

// Run ends the order.
func (c *GateUnblockCmd) Run(env *environment) error { return c.end(env, c.order()) }

// auto is the word for what is configured.
const auto = "auto"

// GateModeCmd switches the gate.
type GateModeCmd struct {
	Mode string `arg:"" help:"adaptive follows the database and the crowd, static has fixed seats, open refuses nobody and counts; auto is what is configured."`
	lasting
}

// Run gives the order, or ends it.
func (c *GateModeCmd) Run(env *environment) error {
	if c.Mode == auto {
		return c.end(env, server.OrderRequest{Kind: "mode"})
	}
	return c.give(env, server.OrderRequest{Kind: "mode", Subject: c.Mode})
}

// GateSlotsCmd sets the number of reports.
type GateSlotsCmd struct {
	Slots string `arg:"" help:"Reports that run at once, on the whole database while the gate is adaptive, else in each server; auto is the gate's own number."`
	lasting
}

// Run gives the order, or ends it.
func (c *GateSlotsCmd) Run(env *environment) error {
	if c.Slots == auto {
		return c.end(env, server.OrderRequest{Kind: "slots"})
	}
	return c.give(env, server.OrderRequest{Kind: "slots", Subject: c.Slots})
}

// GateStatusCmd prints how the gate is steered.
type GateStatusCmd struct {
	Operators
}

// Run prints it.
func (c *GateStatusCmd) Run(env *environment) error {
	var v server.GateView
	if err := c.ask(env.ctx, http.MethodGet, "/debug/gate", nil, &v); err != nil {
		return err
	}
	fmt.Fprintf(env.stdout, "mode %s (configured %s), report slots %d\n", v.Mode, v.Configured, v.Slots)
	if len(v.Orders) == 0 {
		fmt.Fprintln(env.stdout, "no orders are in force")
	}
	for _, o := range v.Orders {
		fmt.Fprintln(env.stdout, inForce(o))
	}
	if len(v.Last) == 0 {
		return nil
	}
	fmt.Fprintln(env.stdout, "\nthe last orders:")
	return printOrders(env.stdout, v.Last)
}

// inForce is an order and what it does, on one line.
func inForce(o server.OrderView) string {
	left := time.Duration(o.LeftSeconds * float64(time.Second)).Round(time.Second)
	text := fmt.Sprintf("! %s for %s more: %s (%s)", o.Text, left, o.Reason, o.By)
	if o.Refused > 0 {
		text += fmt.Sprintf(", %d refused here", o.Refused)
	}
	return printable(text)
}

func printOrders(out io.Writer, orders []server.OrderView) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "GIVEN (UTC)\tBY\tWHAT\tREASON\tENDED")
	for _, o := range orders {
		ended := "in force"
		switch {
		case o.EndedAt != nil:
			ended = fmt.Sprintf("%s by %s: %s", o.EndedAt.UTC().Format(time.TimeOnly), o.EndedBy, o.EndedReason)
		case o.LeftSeconds <= 0:
			ended = "by itself"
		}
		fmt.Fprintln(w, printable(o.At.Format(time.DateTime))+"\t"+printable(o.By)+"\t"+printable(o.Text)+"\t"+printable(o.Reason)+"\t"+printable(ended))
	}
	return w.Flush()
}
