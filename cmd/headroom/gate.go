package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"headroom/limits"
	"headroom/server"
)

// GateCmd steers the gates of all servers on a database. Every order needs a
// reason, ends by itself, and is kept with who gave it.
type GateCmd struct {
	Status   GateStatusCmd   `cmd:"" help:"Print the mode, the orders in force and the last ones."`
	Block    GateBlockCmd    `cmd:"" help:"Refuse a workspace, an operation, a client or a token for a while."`
	Unblock  GateUnblockCmd  `cmd:"" help:"End a block before its time."`
	Kill     GateKillCmd     `cmd:"" help:"End a request that runs, as headroom top names it."`
	Brownout GateBrownoutCmd `cmd:"" help:"Hold the gate on a rung of its ladder, such as read_only, for a while; auto lets it go."`
	Set      GateSetCmd      `cmd:"" help:"Set the seats of a class for a while, such as report=2; CLASS=auto goes back to the gate's own number."`
	Mode     GateModeCmd     `cmd:"" help:"Switch the gate to adaptive, static or open for a while; auto goes back to what is configured."`
}

// reasoned is what every change needs.
type reasoned struct {
	Operators
	Reason string `env:"-" required:"" help:"Why, for those who look later." placeholder:"TEXT"`
}

// lasting is how long an order holds.
type lasting struct {
	reasoned
	For time.Duration `env:"-" default:"15m" help:"How long, such as 15m or 2h, up to 24h; it ends by itself." placeholder:"DURATION"`
}

// whom is who is blocked.
type whom struct {
	Tenant    string `env:"-" xor:"whom" required:"" help:"Workspace, by name or number. Stopping a timer stays possible." placeholder:"NAME"`
	Operation string `env:"-" xor:"whom" required:"" help:"Operation by its name, by #HASH of its document, or both as headroom top shows it." placeholder:"NAME"`
	Client    string `env:"-" xor:"whom" required:"" help:"Client, as NAME for all versions or NAME@VERSION. Stopping a timer stays possible." placeholder:"NAME"`
	Token     string `env:"-" xor:"whom" required:"" help:"Token, by its number in the log or its id in the API. Stopping a timer stays possible." placeholder:"ID"`
}

func (w whom) order() server.OrderRequest {
	switch {
	case w.Tenant != "":
		return server.OrderRequest{Kind: "tenant", Subject: w.Tenant}
	case w.Operation != "":
		return server.OrderRequest{Kind: "operation", Subject: w.Operation}
	case w.Token != "":
		return server.OrderRequest{Kind: "token", Subject: w.Token}
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
	fmt.Fprintln(env.stdout, strings.TrimSpace("ended: "+o.Kind+" "+o.Subject))
	return nil
}

// auto is the word for what is configured.
const auto = "auto"

// steer gives an order of a kind, about one thing where there are several of it, or
// ends the one in force where auto is wanted.
func (l lasting) steer(env *environment, kind, what, wanted string) error {
	o := server.OrderRequest{Kind: kind, Subject: what}
	switch {
	case wanted == auto:
		return l.end(env, o)
	case what == "":
		o.Subject = wanted
	default:
		o.Subject = what + "=" + wanted
	}
	return l.give(env, o)
}

// GateBlockCmd refuses somebody.
type GateBlockCmd struct {
	whom
	lasting
	Unseen bool `env:"-" help:"Also where nobody of this name was seen of late."`
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

// GateModeCmd switches the gate.
type GateModeCmd struct {
	Mode string `arg:"" help:"adaptive follows the database and the crowd, static has fixed seats, open refuses nobody and counts; auto is what is configured."`
	lasting
}

// Run gives the order, or ends it.
func (c *GateModeCmd) Run(env *environment) error { return c.steer(env, "mode", "", c.Mode) }

// GateSetCmd sets the seats of a class.
type GateSetCmd struct {
	Seats string `arg:"" help:"CLASS=SEATS. Those of report are for the whole database while the gate is adaptive; all others, of control, interactive and background, are each server's." placeholder:"CLASS=SEATS"`
	lasting
}

// Run gives the order, or ends it.
func (c *GateSetCmd) Run(env *environment) error {
	class, number, ok := strings.Cut(c.Seats, "=")
	if !ok || class == "" || number == "" {
		return fmt.Errorf("%q is no CLASS=SEATS, such as report=2", c.Seats)
	}
	if class == limits.Report.String() {
		return c.steer(env, "slots", "", number)
	}
	return c.steer(env, "seats", class, number)
}

// GateBrownoutCmd holds the gate on a rung.
type GateBrownoutCmd struct {
	Rung string `arg:"" help:"no_background, kept_reports, no_extras, refuse_reports, read_only or only_control; each includes those before it, and the gate may go higher by itself. auto lets it go."`
	lasting
}

// Run gives the order, or ends it.
func (c *GateBrownoutCmd) Run(env *environment) error { return c.steer(env, "brownout", "", c.Rung) }

// GateKillCmd ends a request.
type GateKillCmd struct {
	Request string `arg:"" help:"Its id, as headroom top, the live page and the log have it."`
	reasoned
}

// Run gives the order, which is over once it was carried out.
func (c *GateKillCmd) Run(env *environment) error {
	var done server.OrderView
	o := server.OrderRequest{Kind: "kill", Subject: c.Request, Reason: c.Reason, By: operator()}
	if err := c.ask(env.ctx, http.MethodPost, "/debug/gate", o, &done); err != nil {
		return err
	}
	fmt.Fprintln(env.stdout, printable(done.Text))
	return nil
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
	if v.LastUnknown {
		fmt.Fprintln(env.stdout, "the database does not answer: what was ordered before is not known")
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
