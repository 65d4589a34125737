package main

import (
	"context"
	"errors"
	"io"

	"headroom/loadtest"
)

type replayCommand struct {
	File   string   `arg:"" help:"A capture of the server's, or vegeta's JSON targets."`
	Target string   `placeholder:"URL" help:"The GraphQL endpoint (default: http://127.0.0.1:8080/graphql)."`
	Admin  string   `placeholder:"URL" help:"The operators' address (default: the target's next port)."`
	IOwn   string   `name:"i-own" placeholder:"HOST" help:"Load a target that is not this machine: its host, as in --target."`
	Tokens string   `placeholder:"FILE" help:"The test server's people, in lines workspace,user,role,token (default: the demo's). The busiest captured person becomes the first of the same role."`
	Speed  float64  `default:"1" help:"How many times faster than it was captured."`
	Rate   *float64 `placeholder:"R" help:"Operations a second, for targets, which hold no times."`
	Out    string   `placeholder:"DIR" help:"Store the run."`
	Export string   `placeholder:"FILE" help:"Write vegeta's JSON targets, without tokens, and send nothing."`
}

// Help is shown below the flags.
func (replayCommand) Help() string {
	return `Captured retries are left out, since whoever replays makes their own. Dates move by whole weeks to where the test data end, ids become ids of the same kind that the person sees, idempotency keys are new.

Examples:
  curl -X DELETE http://127.0.0.1:8081/debug/capture -o capture.ndjson.gz
  surge replay capture.ndjson.gz --tokens tokens.csv --speed 5 --out replayed
  surge replay capture.ndjson.gz --tokens tokens.csv --export targets.json

Exit codes: those of surge run.`
}

// do replays a capture, prints its report, and returns the verdict.
func (r replayCommand) do(ctx context.Context, stdout, stderr io.Writer) (loadtest.Exit, error) {
	replay := loadtest.Replay{File: r.File, Speed: r.Speed}
	if r.Speed <= 0 {
		return 0, errors.New("--speed must be more than 0")
	}
	if r.Rate != nil {
		if replay.Rate = *r.Rate; replay.Rate <= 0 {
			return 0, errors.New("--rate must be more than 0")
		}
	}
	config := loadtest.Config{
		Target: r.Target, Admin: r.Admin, Own: r.IOwn, TokensFile: r.Tokens, Seed: 1, Out: r.Out, Progress: stderr, Terminal: terminal(stderr),
	}
	if r.Export != "" {
		return loadtest.ExitPass, writeAll(stdout, file{r.Export, func(w io.Writer) error {
			replay.Export = w
			_, err := replay.Send(ctx, config)
			return err
		}})
	}
	record, err := replay.Send(ctx, config)
	if record != nil {
		return record.Verdict.Exit, errors.Join(record.WriteText(stdout), err)
	}
	return 0, err
}
