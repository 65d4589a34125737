package main

import (
	"context"
	"errors"
	"fmt"
	"math"

	"headroom/limits"
	"headroom/server"
)

// CostCmd prices documents before a client is released.
type CostCmd struct {
	Files          []string `arg:"" name:"file" help:"GraphQL documents, or manifests (.json) of Apollo, Relay or graphql-codegen; patterns such as 'ops/*.graphql' too."`
	Vars           string   `help:"JSON file of variables; a key that is an operation's name holds those of that operation. What is missing is assumed at its dearest." placeholder:"FILE"`
	Budget         float64  `default:"1000" help:"Points that one operation may cost for the largest workspace (default: ${default})." placeholder:"POINTS"`
	Nodes          int64    `default:"10000" help:"Objects that one operation may ask for (default: ${default})." placeholder:"N"`
	Schema         string   `help:"SDL with @cost and @listSize, a file or a URL (default: this program's own)." placeholder:"URL|FILE"`
	Page           int64    `help:"Largest page that the server of --schema accepts; without it a size that is not given is taken to be any number." placeholder:"N"`
	Statistics     string   `help:"What the largest workspaces hold, as a server's /debug/statistics tells it, a file or a URL; without it prices are the schema's." placeholder:"URL|FILE"`
	AdminTokenFile string   `help:"File with the bearer token of the operators' address that --statistics names." placeholder:"FILE"`
	JSON           bool     `name:"json" help:"Print JSON instead of a table."`
}

// Help is shown above the flags.
func (c *CostCmd) Help() string {
	return `Examples:
  headroom cost 'ops/*.graphql'
  headroom cost 'ops/*.graphql' --vars vars.json --budget 500
  headroom cost persisted-query-manifest.json --json > prices.json
  headroom cost ops.json --statistics http://localhost:8081/debug/statistics
  headroom cost 'ops/*.graphql' --schema https://api.example.com/schema.graphql --page 50

--vars is such as {"first": 20, "MyReport": {"input": {"maxRows": 100}}}.

Exit codes: 0 all accepted, 1 an operation would be refused, 2 something that was given is wrong: a flag, a file, a schema, a variable. What is right is priced all the same.`
}

// Run prints the price of every operation and fails if one can be dearer than
// the budget. Without --schema URL it needs neither a server nor a network.
func (c *CostCmd) Run(env *environment) error {
	pricer, vars, err := c.prepare(env.ctx)
	if err != nil {
		return badInput{err}
	}
	files, bad := expand(c.Files)
	documents, errs := server.ReadDocuments(files)
	bad = append(bad, errs...)
	var lines []costLine
	refused := 0
	for _, d := range documents {
		line := priceLine(env.ctx, pricer, d, vars)
		for _, defect := range line.Defects {
			bad = append(bad, errors.New(defect))
		}
		if len(line.Defects) == 0 && line.Verdict != costAccepted {
			refused++
		}
		lines = append(lines, line)
	}
	notes, err := vars.unused()
	if err != nil {
		bad = append(bad, err)
	}
	if err := c.print(env, lines, notes); err != nil {
		return err
	}
	if refused > 0 {
		err = fmt.Errorf("%d of %d operations would be refused", refused, len(lines))
	}
	if len(bad) > 0 {
		return badInput(append(bad, err))
	}
	return err
}

// prepare reads all that operations are priced by.
func (c *CostCmd) prepare(ctx context.Context) (*server.Pricer, *givenVars, error) {
	sdl, err := readSchema(ctx, c.Schema)
	if err != nil {
		return nil, nil, err
	}
	vars, err := readVars(c.Vars)
	if err != nil {
		return nil, nil, err
	}
	pricer, err := server.NewPricer(sdl, limits.Caps{Points: c.Budget, Nodes: c.Nodes})
	if err != nil {
		return nil, nil, fmt.Errorf("--schema %s: %w", c.Schema, err)
	}
	if c.Page > 0 {
		pricer.Pages(c.Page)
	}
	if c.Statistics != "" {
		found, err := readStatistics(ctx, c.Statistics, c.AdminTokenFile)
		if err != nil {
			return nil, nil, err
		}
		pricer.Follow(found)
	}
	return pricer, vars, nil
}

// print prints the prices, unless there is none, and what is only worth a note.
func (c *CostCmd) print(env *environment, lines []costLine, notes []string) (err error) {
	switch {
	case c.JSON:
		err = printJSON(env.stdout, lines)
	case len(lines) > 0:
		err = printTable(env.stdout, lines)
	}
	for _, note := range notes {
		fmt.Fprintln(env.stderr, "headroom:", note)
	}
	return err
}

// Validate refuses budgets that no price could exceed, or that every price does.
func (c *CostCmd) Validate() error {
	if !(c.Budget >= 0 && c.Budget <= math.MaxFloat64) {
		return fmt.Errorf("--budget is %v: give a finite number of points, 0 or more", c.Budget)
	}
	if c.Nodes < 0 {
		return fmt.Errorf("--nodes is %d: give 0 or more", c.Nodes)
	}
	if c.Page < 0 || c.Page > math.MaxInt32 {
		return fmt.Errorf("--page is %d: give a number from 1 to %d", c.Page, math.MaxInt32)
	}
	if c.Page > 0 && c.Schema == "" {
		return errors.New("--page belongs to --schema: what this program's own schema accepts is known")
	}
	return nil
}

func priceLine(ctx context.Context, pricer *server.Pricer, d server.Document, vars *givenVars) costLine {
	line := costLine{File: d.File, Operation: d.Name, Verdict: costAccepted}
	if !d.Untold {
		line.ID = d.ID
	}
	quote, err := pricer.Price(ctx, d.Trusted, vars.of(d.Name))
	vars.know(d, quote)
	var unfit server.UnfitError
	if err != nil && !errors.As(err, &unfit) {
		line.Verdict = err.Error()
		return line
	}
	if line.Defects = vars.defects(d, quote.Takes, unfit); len(line.Defects) > 0 {
		line.Verdict = costUnfit
		return line
	}
	line.Role = string(quote.Role)
	line.Points, line.Nodes, line.Class, line.Assumed = limits.Round(quote.Price.Expected), quote.Price.Nodes, quote.Class.String(), quote.Assumed
	if quote.Over != nil {
		line.Verdict, line.Suggestions = quote.Over.Error(), quote.Over.Suggestions
	}
	if bad := quote.Refused; bad != nil && quote.Over == nil {
		line.Verdict, line.Suggestions = bad.Error(), bad.Suggestions
	}
	return line
}
