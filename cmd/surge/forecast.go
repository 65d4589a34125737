package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"headroom/loadtest"
)

type forecastCommand struct {
	Runs           []string `arg:"" name:"run" help:"Folders of stored runs of surge breakpoint, one for each amount of data; the one with the least data is today's."`
	Usage          string   `required:"" placeholder:"FILE" help:"What tenants did, as headroom usage prints it."`
	Peak           float64  `placeholder:"R" help:"Operations a second expected at the busiest (default: the busiest minute of the last year)."`
	FailoverFactor float64  `default:"1" help:"By which the peak rises for the sites that are left when one fails: 2 for two sites, 1.5 for three."`
	AtLeast        float64  `default:"2" help:"How many times the expected peak the server is to bear; exit code 6 below."`
	HTML           string   `name:"html" placeholder:"FILE" help:"Write a page that opens from disk without a network."`
	JSON           string   `name:"json" placeholder:"FILE" help:"Write the forecast for programs."`
}

// Help is shown below the flags.
func (forecastCommand) Help() string {
	return `Examples:
  headroom usage > usage.csv
  surge breakpoint baseline --tokens tokens.csv --out at-1x
  surge forecast at-1x at-3x at-10x --usage usage.csv --failover-factor 2 --html capacity.html

Exit codes: 0 enough headroom, 1 usage or runs that may not be mixed, 6 less than --at-least.`
}

// do computes a forecast, prints it, and returns whether it is enough.
func (f forecastCommand) do(_ context.Context, stdout, _ io.Writer) (loadtest.Exit, error) {
	runs, err := readRuns(f.Runs)
	if err != nil {
		return 0, err
	}
	usage, err := os.Open(f.Usage)
	if err != nil {
		return 0, fmt.Errorf("open the usage: %w", err)
	}
	defer usage.Close()
	found, err := loadtest.NewForecast(runs, usage, loadtest.Plan{Peak: f.Peak, Factor: f.FailoverFactor, Target: f.AtLeast}, time.Now())
	if err != nil {
		return 0, err
	}
	study := &loadtest.Study{Forecast: found}
	return found.Exit, errors.Join(found.WriteText(stdout), writeAll(stdout, file{f.HTML, study.WriteHTML}, file{f.JSON, study.WriteJSON}))
}
