// Command surge loads a headroom server and decides whether it keeps its
// promises. Its exit code is the verdict; `surge run --help` lists the codes.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"headroom/loadtest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends surge at once
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(int(code))
}

type commands struct {
	Version kong.VersionFlag `help:"Print the program's version."`

	Run    runCommand    `cmd:"" help:"Run a scenario, print a report, and exit with the verdict."`
	Report reportCommand `cmd:"" help:"Make pages and files of stored runs."`
}

// command is one of them, with its flags read.
type command interface {
	do(ctx context.Context, stdout, stderr io.Writer) (loadtest.Exit, error)
}

type runCommand struct {
	Scenario string         `arg:"" help:"smoke (under a minute, for CI) or report-storm (five times the reports that the server can do, beside interactive work that must not feel it)."`
	Target   string         `placeholder:"URL" help:"The GraphQL endpoint, on this machine (default: http://127.0.0.1:8080/graphql)."`
	Admin    string         `placeholder:"URL" help:"The operators' address; its metrics are kept with the results (default: the target's next port)."`
	Token    string         `placeholder:"T" help:"Act as the person of this token." xor:"people"`
	Tokens   string         `placeholder:"FILE" help:"Act as the people in a file of lines workspace,user,role,token, as written by headroom seed --tokens (default: the demo's owner, manager and member)." xor:"people"`
	Out      string         `placeholder:"DIR" help:"Write run.json, report.txt, and results.csv for vegeta report and vegeta plot."`
	Seed     uint64         `default:"1" help:"Fixes arrivals, operations, people and variables."`
	Duration *time.Duration `placeholder:"D" help:"Length of the main phase (default: smoke 45s, report-storm 30s)."`
	Rate     *float64       `placeholder:"R" help:"Interactive operations a second (default: smoke 80, report-storm 30 % of what the server can do, at most 300)."`
	Twice    bool           `help:"report-storm: start the server with --serve, once with --limits on and once off, and pass only if exactly the first holds."`
	Serve    string         `placeholder:"CMD" help:"Command line of the server for --twice; --limits, --addr and --admin-addr are added to it."`
}

// Help is shown below the flags.
func (runCommand) Help() string {
	return `Examples:
  surge run smoke
  surge run smoke --token "$TOKEN" --duration 20s --rate 150 --out surge-out
  surge run report-storm --tokens tokens.csv
  surge run report-storm --tokens tokens.csv --twice --serve 'headroom serve --data-dir DIR'

Exit codes: 0 every objective met, 1 usage, 2 no GraphQL server or token refused, 3 an objective violated, 4 invalid (the generator was the bottleneck) or undecided (too few samples), 7 refused because the target is not this machine, 130 interrupted with a partial report.`
}

// run is the whole program: it returns the code to exit with.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) loadtest.Exit {
	var cli commands
	helped := false
	parser, err := kong.New(&cli, kong.Vars{"version": version()}, kong.Name("surge"), kong.Description("Loads a headroom server and decides whether it keeps its promises."),
		kong.Writers(stdout, stderr), kong.Exit(func(int) { helped = true }), kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}))
	if err != nil {
		fmt.Fprintln(stderr, "surge:", err)
		return loadtest.ExitUsage
	}
	parsed, err := parser.Parse(args)
	if helped {
		return loadtest.ExitPass
	}
	if err == nil {
		var code loadtest.Exit
		chosen := parsed.Selected().Target.Interface().(command)
		if code, err = chosen.do(ctx, stdout, stderr); err == nil {
			return code
		}
	}
	hint := ""
	if wrong, ok := errors.AsType[*kong.ParseError](err); ok {
		hint = "; see surge --help"
		if chosen := wrong.Context.Selected(); chosen != nil {
			hint = "; see surge " + chosen.Name + " --help"
		}
	}
	fmt.Fprintf(stderr, "surge: %v%s\n", err, hint)
	return loadtest.ExitOf(err)
}

// version is what the build knows of itself: a tag, or a commit with its date.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "surge, of a build that says nothing of itself"
	}
	return "surge " + info.Main.Version + " " + info.GoVersion
}

// do runs the scenario, prints its report, and returns the verdict.
func (r runCommand) do(ctx context.Context, stdout, stderr io.Writer) (loadtest.Exit, error) {
	if r.Twice != (r.Serve != "") {
		return 0, errors.New("--twice and --serve go together")
	}
	config := loadtest.Config{
		Scenario: r.Scenario, Target: r.Target, Admin: r.Admin, Token: r.Token, TokensFile: r.Tokens,
		Seed: r.Seed, Out: r.Out, Progress: stderr, Terminal: terminal(stderr),
	}
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

// terminal tells whether a person watches w.
func terminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
