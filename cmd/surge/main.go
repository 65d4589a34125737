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

	"github.com/alecthomas/kong"

	"headroom/loadtest"
)

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	go heed(cancel, os.Stderr)
	os.Exit(int(run(ctx, os.Args[1:], os.Stdout, os.Stderr)))
}

// heed ends the load at the first signal, keeps what there is of its results from
// the second, and leaves at the third.
func heed(cancel func(), stderr io.Writer) {
	signals := make(chan os.Signal, 3)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	<-signals
	cancel()
	<-signals
	fmt.Fprintln(stderr, "surge: stopping, and storing what there is; once more leaves it unstored")
	<-signals
	os.Exit(int(loadtest.ExitInterrupted))
}

type commands struct {
	Version kong.VersionFlag `help:"Print the program's version."`

	Run        runCommand        `cmd:"" help:"Send a scenario, print a report, and exit with the verdict."`
	Breakpoint breakpointCommand `cmd:"" help:"Find the greatest rates at which a scenario's promises hold."`
	Validate   validateCommand   `cmd:"" help:"Check a scenario against the server's schema, and send nothing of it."`
	Replay     replayCommand     `cmd:"" help:"Send a capture again."`
	Compare    compareCommand    `cmd:"" help:"Tell whether one server is slower than another."`
	Forecast   forecastCommand   `cmd:"" help:"Tell how much headroom is left, and when growth uses it up."`
	Report     reportCommand     `cmd:"" help:"Make pages and files of stored runs."`
}

// Help is shown below the program's description.
func (commands) Help() string {
	return `Examples:
  headroom serve &
  surge run smoke
  surge run report-storm --tokens tokens.csv --twice --serve 'headroom serve --data-dir DIR'
  surge breakpoint baseline --tokens tokens.csv --out found
  surge compare --tokens tokens.csv 'old/headroom serve --data-dir DIR' 'new/headroom serve --data-dir DIR'
  surge report found --html report.html`
}

// command is one of them, with its flags read.
type command interface {
	do(ctx context.Context, stdout, stderr io.Writer) (loadtest.Exit, error)
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

// terminal tells whether a person watches w.
func terminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
