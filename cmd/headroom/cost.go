package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"headroom/limits"
	"headroom/server"
)

// CostCmd prices documents before a client is released.
type CostCmd struct {
	Files          []string `arg:"" name:"file" help:"GraphQL documents, or manifests (.json) of Apollo, Relay or graphql-codegen; patterns such as 'ops/*.graphql' too."`
	Vars           string   `help:"JSON file of variables; a key that is an operation's name holds those of that operation. What is missing is assumed at its dearest." placeholder:"FILE"`
	Budget         float64  `default:"1000" help:"Points that one operation may cost for the largest workspace." placeholder:"POINTS"`
	Nodes          int64    `default:"10000" help:"Objects that one operation may ask for." placeholder:"N"`
	Schema         string   `help:"SDL with @cost and @listSize, a file or a URL (default: this program's own)." placeholder:"URL|FILE"`
	Page           int64    `help:"Largest page that the server of --schema accepts; without it a size that is not given is taken to be any number." placeholder:"N"`
	Statistics     string   `help:"What the largest workspaces hold, as a server's /debug/statistics tells it, a file or a URL; without it prices are the schema's." placeholder:"URL|FILE"`
	AdminTokenFile string   `help:"File with the bearer token of the operators' address that --statistics names." placeholder:"FILE"`
	JSON           bool     `name:"json" help:"Print JSON instead of a table."`
}

// costLine is the price of one operation, as --json prints it.
type costLine struct {
	File        string              `json:"file"`
	Operation   string              `json:"operation"`
	Points      float64             `json:"points"`
	Nodes       int64               `json:"nodes"`
	Class       string              `json:"class,omitempty"`
	Role        string              `json:"role,omitempty"` // for which it is dearest, where that matters
	Verdict     string              `json:"verdict"`        // ACCEPTED or why not
	Assumed     map[string]any      `json:"assumed,omitempty"`
	Suggestions []limits.Suggestion `json:"suggestions,omitempty"`
}

const costAccepted = "ACCEPTED"

// Run prints the price of every operation and fails if one can be dearer than
// the budget. Without --schema URL it needs neither a server nor a network.
func (c *CostCmd) Run(env *environment) error {
	sdl, err := readSchema(env.ctx, c.Schema)
	if err != nil {
		return err
	}
	vars, err := readVars(c.Vars)
	if err != nil {
		return err
	}
	pricer, err := server.NewPricer(sdl, limits.Caps{Points: c.Budget, Nodes: c.Nodes})
	if err != nil {
		return err
	}
	if c.Page > 0 {
		pricer.Pages(c.Page)
	}
	if err := c.follow(env.ctx, pricer); err != nil {
		return err
	}
	files, err := expand(c.Files)
	if err != nil {
		return err
	}
	documents, err := server.ReadDocuments(files)
	if err != nil {
		return err
	}
	var lines []costLine
	refused := 0
	for _, d := range documents {
		line := priceLine(env.ctx, pricer, d, vars)
		if line.Verdict != costAccepted {
			refused++
		}
		lines = append(lines, line)
	}
	if err := c.print(env.stdout, lines); err != nil {
		return err
	}
	vars.tellUnused(env.stderr)
	if refused > 0 {
		return fmt.Errorf("%d of %d operations would be refused", refused, len(lines))
	}
	return nil
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

// follow reads the statistics, where they are named.
func (c *CostCmd) follow(ctx context.Context, pricer *server.Pricer) error {
	if c.Statistics == "" {
		return nil
	}
	token := ""
	if c.AdminTokenFile != "" {
		secret, err := readSecret(c.AdminTokenFile)
		if err != nil {
			return err
		}
		token = string(secret)
	}
	text, err := readPlace(ctx, c.Statistics, token)
	if err != nil {
		return fmt.Errorf("--statistics: %w", err)
	}
	found, err := server.ReadStatistics(strings.NewReader(text), time.Now())
	if err != nil {
		return fmt.Errorf("--statistics: %w", err)
	}
	pricer.Follow(found)
	return nil
}

func priceLine(ctx context.Context, pricer *server.Pricer, d server.Document, vars *givenVars) costLine {
	line := costLine{File: d.File, Operation: d.Name, Verdict: costAccepted}
	quote, err := pricer.Price(ctx, d.Trusted, vars.of(d.Name))
	unknown := vars.unknown(d.Name, quote.Takes)
	if err != nil {
		line.Verdict = err.Error()
		return line
	}
	if unknown != "" {
		line.Verdict = unknown
		return line
	}
	line.Role = string(quote.Role)
	line.Points, line.Nodes, line.Class, line.Assumed = quote.Price.Expected, quote.Price.Nodes, quote.Class.String(), quote.Assumed
	if quote.Over != nil {
		line.Verdict, line.Suggestions = quote.Over.Error(), quote.Over.Suggestions
	}
	if bad := quote.Refused; bad != nil && quote.Over == nil {
		line.Verdict, line.Suggestions = bad.Error(), bad.Suggestions
	}
	return line
}

func (c *CostCmd) print(out io.Writer, lines []costLine) error {
	if c.JSON {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(lines)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "OPERATION\tFILE\tPOINTS\tNODES\tCLASS\tVERDICT")
	for _, l := range lines {
		verdict := strings.ToLower(l.Verdict)
		if l.Verdict != costAccepted {
			verdict = l.Verdict
		}
		for _, s := range l.Suggestions {
			if s.Kind == limits.ReduceArgument {
				verdict += fmt.Sprintf("; %s of %s at most %s", s.Argument, s.Path, s.MaxAccepted)
				break
			}
		}
		if l.Role != "" {
			verdict += fmt.Sprintf(" (asked by a %s)", strings.ToLower(l.Role))
		}
		for _, name := range slices.Sorted(maps.Keys(l.Assumed)) {
			verdict += fmt.Sprintf(" ($%s assumed: %v)", name, l.Assumed[name])
		}
		fmt.Fprintf(w, "%s\t%s\t%.2f\t%d\t%s\t%s\n", l.Operation, l.File, l.Points, l.Nodes, l.Class, verdict)
	}
	return w.Flush()
}

// expand lists the files of patterns, so that quoted ones work as well.
func expand(patterns []string) (files []string, err error) {
	for _, p := range patterns {
		found, err := filepath.Glob(p)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p, err)
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("%s: there is no such file", p)
		}
		files = append(files, found...)
	}
	return files, nil
}

// maxPlace bounds what is read from an address.
const maxPlace = 64 << 20

// readSchema reads an SDL from a file or an address; the empty place stands for
// this program's own.
func readSchema(ctx context.Context, place string) (string, error) {
	if place == "" {
		return "", nil
	}
	text, err := readPlace(ctx, place, "")
	if err != nil {
		return "", fmt.Errorf("--schema: %w", err)
	}
	return text, nil
}

// readPlace reads a file or an address, with a bearer token unless that is empty.
func readPlace(ctx context.Context, place, token string) (string, error) {
	if !strings.HasPrefix(place, "http://") && !strings.HasPrefix(place, "https://") {
		text, err := os.ReadFile(place)
		return string(text), err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, place, nil)
	if err != nil {
		return "", err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxPlace+1))
	switch {
	case err != nil:
		return "", err
	case resp.StatusCode != http.StatusOK:
		return "", fmt.Errorf("%s answers %s", place, resp.Status)
	case len(text) > maxPlace:
		return "", fmt.Errorf("%s is larger than 64 MiB", place)
	}
	return string(text), nil
}
