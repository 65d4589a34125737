// Command headroom is a time-tracking GraphQL server that cannot be brought
// down by its own reports, with the commands that prepare its database.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// commands are what the program can do.
type commands struct {
	Version kong.VersionFlag `help:"Print the program's version."`

	Serve   ServeCmd   `cmd:"" help:"Serve the API; without a database URL, on a private PostgreSQL with demo data."`
	Migrate MigrateCmd `cmd:"" help:"Bring a database's schema up to date."`
	Seed    SeedCmd    `cmd:"" help:"Fill a database with made-up companies."`
	Import  ImportCmd  `cmd:"" help:"Import time entries from a CSV file."`
	Token   TokenCmd   `cmd:"" help:"Make tokens, and with the first one the workspace."`
	Cost    CostCmd    `cmd:"" help:"Price documents before a client is released, without a server."`
	Prices  PricesCmd  `cmd:"" help:"Show the published price table, compare it with what was learned, publish a new one."`
	Fetch   FetchCmd   `cmd:"" help:"Fetch what headroom can use offline: PostgreSQL and the playground's editor."`
	Rollups RollupsCmd `cmd:"" help:"Compare the sums of months with the entries, or bring them in order."`
	Usage   UsageCmd   `cmd:"" help:"Print the busiest minute and the entries of each tenant and week, as CSV for surge forecast."`
	Top     TopCmd     `cmd:"" help:"Show who asks for most at the moment, and what the gate does about it."`
	Gate    GateCmd    `cmd:"" help:"Block somebody, switch the gate or set the report slots for a while, on all servers."`
	Config  ConfigCmd  `cmd:"" help:"Print the configuration that serve would run with, secrets hidden."`
}

const examples = `A time-tracking GraphQL server that protects itself.

Examples:
  headroom serve                                       demo data on a private PostgreSQL
  headroom serve --database-url postgres://host/db     your database
  headroom token create --workspace Acme --email you@acme.example --role owner
  headroom import entries.csv --timezone Europe/Bucharest
  headroom seed --entries 300000 --tenants 20 --tokens tokens.csv

Every flag can be given in the environment as HEADROOM_ and its name, such as
HEADROOM_DATABASE_URL; DATABASE_URL works too. What an order of headroom gate is
about stands on its command line alone.`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the whole program; it returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	unsetEmpty()
	var c commands
	exit := -1
	parser, err := kong.New(&c,
		kong.Vars{"version": version()}, kong.Name("headroom"), kong.Description(examples), kong.DefaultEnvars("HEADROOM"),
		kong.Writers(stdout, stderr), kong.Exit(func(code int) { exit = code }), kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		fmt.Fprintln(stderr, "headroom:", err)
		return 1
	}
	kctx, err := parser.Parse(args)
	if exit >= 0 {
		return exit // --help was answered
	}
	if err != nil {
		fmt.Fprintf(stderr, "headroom: %s; see headroom%s --help\n", oneLine(err), commandOf(err))
		if commandOf(err) == " cost" {
			return exitBadInput
		}
		return 1
	}
	env := &environment{ctx: ctx, stdout: stdout, stderr: stderr, flags: kctx}
	err = kctx.Run(env)
	var bad badInput
	switch {
	case err == nil:
		return 0
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "headroom: interrupted:", oneLine(err))
		return 130
	case errors.As(err, &bad):
		return bad.tell(stderr)
	}
	fmt.Fprintln(stderr, "headroom:", oneLine(err))
	return 1
}

// exitBadInput is the exit code of a command whose 1 is a verdict.
const exitBadInput = 2

// badInput are the things that are wrong with what such a command was given; nil ones
// are none.
type badInput []error

func (b badInput) Error() string { return errors.Join(b...).Error() }

// tell prints each in a line of its own.
func (b badInput) tell(stderr io.Writer) int {
	for _, err := range b {
		if err != nil {
			fmt.Fprintln(stderr, "headroom:", oneLine(err))
		}
	}
	return exitBadInput
}

// commandOf is the command that arguments went wrong for, as far as they name one.
func commandOf(err error) (name string) {
	var parse *kong.ParseError
	if errors.As(err, &parse) {
		for _, step := range parse.Context.Path {
			if step.Command != nil {
				name += " " + step.Command.Name
			}
		}
	}
	return name
}

// unsetEmpty has an empty variable stand for none, as deployment files write
// what is not set.
func unsetEmpty() {
	for _, pair := range os.Environ() {
		if name, value, _ := strings.Cut(pair, "="); value == "" && strings.HasPrefix(name, "HEADROOM_") {
			os.Unsetenv(name)
		}
	}
}

// version is what the build knows of itself: a tag, or a commit with its date.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "headroom, of a build that says nothing of itself"
	}
	return "headroom " + info.Main.Version + " " + info.GoVersion
}

// oneLine is an error for a terminal or a log of lines, which the words of other
// programs may have several of.
func oneLine(err error) string {
	lines := strings.FieldsFunc(err.Error(), func(c rune) bool { return c == '\n' || c == '\r' })
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	return strings.ReplaceAll(strings.Join(lines, "; "), ":; ", ": ")
}

// environment is what commands need of the process.
type environment struct {
	ctx            context.Context
	stdout, stderr io.Writer
	flags          *kong.Context
}
