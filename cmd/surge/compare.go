package main

import (
	"context"
	"errors"
	"io"
	"time"

	"headroom/loadtest"
)

type compareCommand struct {
	Base     string         `arg:"" help:"The server as it was: its address, the command line that starts it, or a folder of stored runs."`
	New      string         `arg:"" help:"The server as it is now, likewise."`
	Scenario string         `default:"smoke" placeholder:"S" help:"What to send to both (default: smoke)."`
	AA       bool           `name:"aa" help:"First compare the base with itself: is this machine fit to tell?" xor:"how"`
	Count    bool           `help:"Look at the server's counters only: two pairs, on a machine as busy as it may be." xor:"how"`
	Own      string         `name:"i-own" placeholder:"HOST" help:"Confirm that this host, which is not this machine, is yours to load."`
	Tokens   string         `placeholder:"FILE" help:"Act as the people in a file of lines workspace,user,role,token (default: the demo's)."`
	Seed     uint64         `default:"1" help:"Of the first pair; each pair has its own."`
	Duration *time.Duration `placeholder:"D" help:"Length of the scenario's main phase (default: its own)."`
	Rate     *float64       `placeholder:"R" help:"Interactive operations a second (default: the scenario's own)."`
	Out      string         `placeholder:"DIR" help:"Store the runs of both in base and new below it; either is a baseline for later."`
	HTML     string         `name:"html" placeholder:"FILE" help:"Write a page that opens from disk without a network."`
	JSON     string         `name:"json" placeholder:"FILE" help:"Write the comparison for programs."`
	JUnit    string         `name:"junit" placeholder:"FILE" help:"Write JUnit XML."`
	Markdown string         `placeholder:"FILE" help:"Write a summary for a pull request."`
}

// Help is shown below the flags.
func (compareCommand) Help() string {
	return `Counters are compared first: statements, rows and points of an operation, and what the database scans for it, do not depend on the machine. Then processor time of an operation decides, by the exact permutation of the runs: after 4 + 4, or else 8 + 8.

Examples:
  surge compare --tokens tokens.csv 'old/headroom serve --data-dir DIR' 'new/headroom serve --data-dir DIR'
  surge compare --count --scenario lists --tokens tokens.csv 'old/headroom serve --data-dir DIR' 'new/headroom serve --data-dir DIR'
  surge compare http://127.0.0.1:8080/graphql http://127.0.0.1:9080/graphql --aa --out runs
  surge compare runs/base runs/new --html comparison.html

Exit codes: 0 not slower, 1 usage or runs that may not be mixed, 2 no server, 4 invalid or undecided, 5 slower, 7 refused because a target is not this machine, 130 interrupted.`
}

// do compares, prints what was found, and returns the verdict.
func (c compareCommand) do(ctx context.Context, stdout, stderr io.Writer) (loadtest.Exit, error) {
	config := loadtest.Config{
		Scenario: c.Scenario, Own: c.Own, TokensFile: c.Tokens, Seed: c.Seed, Out: c.Out, Progress: stderr, Terminal: terminal(stderr),
	}
	if c.Duration != nil {
		if config.Duration = *c.Duration; config.Duration <= 0 {
			return 0, errors.New("--duration must be more than 0")
		}
	}
	if c.Rate != nil {
		if config.Rate = *c.Rate; config.Rate <= 0 {
			return 0, errors.New("--rate must be more than 0")
		}
	}
	found, err := loadtest.Compare(ctx, config, c.Base, c.New, loadtest.Comparing{AA: c.AA, Count: c.Count})
	if err != nil {
		return 0, err
	}
	study := &loadtest.Study{Comparison: found}
	return found.Exit, errors.Join(found.WriteText(stdout),
		writeAll(stdout, file{c.HTML, study.WriteHTML}, file{c.JSON, study.WriteJSON}, file{c.JUnit, study.WriteJUnit}, file{c.Markdown, study.WriteMarkdown}))
}
