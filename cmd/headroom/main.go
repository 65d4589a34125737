// Command headroom is a time-tracking GraphQL server that cannot be brought
// down by its own reports, with the commands that prepare its database.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// commands are what the program can do.
type commands struct {
	Serve   ServeCmd   `cmd:"" help:"Serve the API; without a database URL, on a private PostgreSQL with demo data."`
	Migrate MigrateCmd `cmd:"" help:"Bring a database's schema up to date."`
	Seed    SeedCmd    `cmd:"" help:"Fill a database with made-up companies."`
	Import  ImportCmd  `cmd:"" help:"Import time entries from a CSV file."`
	Token   TokenCmd   `cmd:"" help:"Make tokens, and with the first one the workspace."`
	Fetch   FetchCmd   `cmd:"" help:"Fetch what headroom can use offline: PostgreSQL and the playground's editor."`
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
HEADROOM_DATABASE_URL; DATABASE_URL works too.`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the whole program; it returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var c commands
	exit := -1
	parser, err := kong.New(&c,
		kong.Name("headroom"), kong.Description(examples), kong.DefaultEnvars("HEADROOM"),
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
		fmt.Fprintf(stderr, "headroom: %v; see headroom --help\n", err)
		return 1
	}
	env := &environment{ctx: ctx, stdout: stdout, stderr: stderr, flags: kctx}
	err = kctx.Run(env)
	switch {
	case err == nil:
		return 0
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "headroom: interrupted:", err)
		return 130
	}
	fmt.Fprintln(stderr, "headroom:", err)
	return 1
}

// environment is what commands need of the process.
type environment struct {
	ctx            context.Context
	stdout, stderr io.Writer
	flags          *kong.Context
}
