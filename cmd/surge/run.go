package main

import (
	"context"
	"errors"
	"io"
	"time"

	"headroom/loadtest"
)

// sending is what all commands that send a scenario ask for.
type sending struct {
	Scenario string `arg:"" help:"Name of a built-in scenario (baseline, failover, growth, lists, office-day, report-storm, smoke, soak), or a YAML file."`
	Target   string `placeholder:"URL" help:"The GraphQL endpoint (default: http://127.0.0.1:8080/graphql)."`
	Admin    string `placeholder:"URL" help:"The operators' address, whose counters are kept with the results (default: the target's next port)."`
	IOwn     string `name:"i-own" placeholder:"HOST" help:"Load a target that is not this machine: its host, as in --target."`
	Token    string `placeholder:"T" help:"Act as the person of this token." xor:"people"`
	Tokens   string `placeholder:"FILE" help:"Act as the people in a file of lines workspace,user,role,token, as written by headroom seed --tokens (default: the demo's owner, manager and member)." xor:"people"`
}

func (s sending) config(progress io.Writer) loadtest.Config {
	return loadtest.Config{
		Scenario: s.Scenario, Target: s.Target, Admin: s.Admin, Own: s.IOwn, Token: s.Token, TokensFile: s.Tokens,
		Progress: progress, Terminal: terminal(progress),
	}
}

type runCommand struct {
	sending
	Out      string         `placeholder:"DIR" help:"Store the run: run.json, report.txt, and results.csv for vegeta report and vegeta plot."`
	Seed     uint64         `default:"1" help:"Fixes arrivals, operations, people and variables."`
	Duration *time.Duration `placeholder:"D" help:"Length of the main phase (default: as the scenario says)."`
	Rate     *float64       `placeholder:"R" help:"Interactive operations a second of the main phase; all fixed rates change alike (default: as the scenario says)."`
	Twice    bool           `help:"Start the server with --serve, once with --limits on and once off, and pass only if exactly the first holds."`
	Serve    string         `placeholder:"CMD" help:"Command line of the server for --twice; --limits, --addr and --admin-addr are added to it."`
}

// Help is shown below the flags.
func (runCommand) Help() string {
	return `Examples:
  surge run smoke
  surge run smoke --token "$TOKEN" --duration 20s --rate 150 --out surge-out
  surge run my-scenario.yaml --tokens tokens.csv
  surge run report-storm --tokens tokens.csv --twice --serve 'headroom serve --data-dir DIR'
  surge run baseline --target https://staging.example.com/graphql --i-own staging.example.com --tokens tokens.csv

Exit codes: 0 every objective met, 1 usage, 2 no GraphQL server or token refused, 3 an objective violated, 4 invalid (the generator was the bottleneck) or undecided (too few samples), 7 refused because the target is not this machine, 130 interrupted with a partial report.`
}

// do runs the scenario, prints its report, and returns the verdict.
func (r runCommand) do(ctx context.Context, stdout, stderr io.Writer) (loadtest.Exit, error) {
	if r.Twice != (r.Serve != "") {
		return 0, errors.New("--twice and --serve go together")
	}
	config := r.config(stderr)
	config.Seed, config.Out = r.Seed, r.Out
	if r.Duration != nil {
		if config.Duration = *r.Duration; config.Duration <= 0 {
			return 0, errors.New("--duration must be more than 0")
		}
	}
	if r.Rate != nil {
		if config.Rate = *r.Rate; config.Rate <= 0 {
			return 0, errors.New("--rate must be more than 0")
		}
	}
	if r.Twice {
		pair, err := loadtest.Twice(ctx, config, r.Serve)
		if err != nil {
			return 0, err
		}
		return pair.Exit, pair.WriteText(stdout)
	}
	report, err := loadtest.Run(ctx, config)
	if report != nil {
		err = errors.Join(report.WriteText(stdout), err)
		return report.Verdict.Exit, err
	}
	return 0, err
}

type validateCommand struct{ sending }

// do checks the scenario and tells what it would send.
func (v validateCommand) do(ctx context.Context, stdout, stderr io.Writer) (loadtest.Exit, error) {
	return loadtest.ExitPass, loadtest.Validate(ctx, v.config(stderr), stdout)
}

// Help is shown below the flags.
func (validateCommand) Help() string {
	return `Examples:
  surge validate my-scenario.yaml
  surge validate failover --target http://127.0.0.1:9000/graphql

Exit codes: 0 it fits, 1 it does not, and where, 2 the server shows no schema, 7 refused because the target is not this machine.`
}

type breakpointCommand struct {
	sending
	From  float64 `placeholder:"R" help:"Arrivals a second to begin with, all streams together (default: the scenario's own)."`
	To    float64 `placeholder:"R" help:"Arrivals a second beyond which nothing is sought (default: 10000)."`
	Last  string  `enum:"all,interactive,collapse" default:"collapse" help:"The last of the three rates to seek: all, interactive or collapse."`
	Audit bool    `help:"Send half of what was found once more, and fail unless the server's headroom_ratio there is within 15 % of how many times that load it bears."`
	Out   string  `placeholder:"DIR" help:"Store what was found: run.json and report.txt."`
	Seed  uint64  `default:"1" help:"Fixes arrivals, operations, people and variables."`
}

// Help is shown below the flags.
func (breakpointCommand) Help() string {
	return `It sends the mix of the scenario's main phase in steps of a constant rate, each 1.6 times the one before until a promise breaks, halves the interval to 3 %, and sends the result once more for 20 seconds. It finds three rates: at which every promise holds, at which those to people at a screen hold while reports may be refused, and up to which more load gives no less goodput. Each names what broke above it and what was used up.

Examples:
  surge breakpoint baseline
  surge breakpoint baseline --tokens tokens.csv --from 200 --to 3000 --out found
  surge breakpoint baseline --tokens tokens.csv --last interactive --audit
  surge breakpoint my-scenario.yaml

Exit codes: 0 found, 1 usage, 2 no GraphQL server or token refused, 3 promises break at every rate or the audit does not hold, 4 invalid (the generator was the bottleneck), 7 refused because the target is not this machine, 130 interrupted with a partial report.`
}

// do searches, prints what was found, and returns the verdict.
func (b breakpointCommand) do(ctx context.Context, stdout, stderr io.Writer) (loadtest.Exit, error) {
	if !(b.From >= 0 && b.To >= 0) { // so that NaN is refused too
		return 0, errors.New("--from and --to must not be less than 0")
	}
	config := b.config(stderr)
	config.Seed, config.Out = b.Seed, b.Out
	record, err := loadtest.Breakpoint(ctx, config, loadtest.Search{From: b.From, To: b.To, Last: b.Last, Audit: b.Audit})
	if record != nil {
		return record.Verdict.Exit, errors.Join(record.WriteText(stdout), err)
	}
	return 0, err
}
