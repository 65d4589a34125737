package loadtest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// A Replay is a capture to be sent again.
type Replay struct {
	File   string
	Speed  float64   // how many times faster it is sent; 0: 1
	Rate   float64   // arrivals a second of a file that holds no times
	Export io.Writer // write vegeta's JSON targets there and send nothing; nil: send
}

// script is a stream whose every arrival is given. It is its own shape.
type script []scripted

// scripted is one call of a script.
type scripted struct {
	due  time.Duration // since the phase's start
	op   *Operation
	user *User
	vars map[string]any
}

func (s script) length() time.Duration { return s[len(s)-1].due + time.Second }

func (s script) by(t float64) float64 {
	n, _ := slices.BinarySearchFunc(s, t, func(c scripted, t float64) int { return cmp.Compare(c.due.Seconds(), t) })
	return float64(n)
}

// dues are the times as they are given.
func (s script) dues() []time.Duration {
	list := make([]time.Duration, len(s))
	for i, call := range s {
		list[i] = call.due
	}
	return list
}

// scripted is a call that was given, ready to be sent.
func (d *deck) scripted(c scripted) (call, error) {
	op, err := d.load(c.op) // it is loaded already
	if err != nil {
		return call{}, err
	}
	variables, err := json.Marshal(c.vars)
	if err != nil {
		return call{op: op}, fmt.Errorf("encode the variables of %s: %w", op.Name, err)
	}
	return call{op: op, user: c.user, body: slices.Concat(op.head, variables, []byte("}"))}, nil
}

// peak is the greatest number within a second.
func (s script) peak() float64 {
	most, from := 0, 0
	for i := range s {
		for s[i].due-s[from].due >= time.Second {
			from++
		}
		most = max(most, i-from+1)
	}
	return float64(most)
}

func (s script) check() error { return nil }

// Send replays a capture and judges it by the promises of an ordinary minute.
func (r Replay) Send(ctx context.Context, c Config) (*Record, error) {
	if _, err := c.addresses(); err != nil {
		return nil, err // a refusal for safety comes before all others
	}
	if r.Speed == 0 {
		r.Speed = 1
	}
	if !(r.Speed > 0 && r.Speed <= 100) {
		return nil, stopf(ExitUsage, "a speed of %v is not between 0 and 100", r.Speed)
	}
	if err := usable(c.Out); err != nil {
		return nil, err
	}
	captured, err := readCapture(r.File, r.Rate)
	if err != nil {
		return nil, err
	}
	s, err := connect(ctx, c)
	if err != nil {
		return nil, err
	}
	defer s.client.close()
	scenario, err := s.replay(ctx, captured, r)
	if err != nil {
		return nil, err
	}
	if r.Export != nil {
		return nil, s.export(r.Export, scenario)
	}
	s.scripted = scenario
	return s.run(ctx, nil)
}

// replay turns a capture into a scenario of one phase.
func (s *session) replay(ctx context.Context, c *capture, r Replay) (*Scenario, error) {
	t, err := s.translator(ctx, c)
	if err != nil {
		return nil, err
	}
	streams, retries := map[Class]script{}, 0
	var first *int64
	for _, row := range c.rows {
		if row.Attempt > 1 {
			retries++ // whoever replays makes retries of their own
			continue
		}
		op := t.operations[row.Operation]
		user := t.users[row.User]
		if op == nil || user == nil {
			continue
		}
		if first == nil {
			first = &row.At
		}
		due := time.Duration(float64(row.At-*first) / r.Speed * float64(time.Microsecond))
		class := op.Class
		streams[class] = append(streams[class], scripted{due, op.Operation, user, t.variables(op, row, user)})
	}
	if len(streams) == 0 {
		return nil, stopf(ExitUsage, "%s holds nothing to send again", r.File)
	}
	ordinary, err := loadSpec("smoke") // its promises are those of an ordinary minute
	if err != nil {
		return nil, err
	}
	phase := Phase{Name: "replay", Judged: true}
	scenario := &Scenario{Name: "replay", Rounds: 1}
	for _, class := range slices.Sorted(maps.Keys(streams)) {
		stream := streams[class]
		phase.For = max(phase.For, stream.length())
		phase.Streams = append(phase.Streams, Stream{Class: class, Rate: stream})
		if known := ordinary.classes[class]; known != nil {
			for _, o := range known.objectives {
				o.phase = phase.Name
				scenario.Objectives = append(scenario.Objectives, o)
			}
		}
	}
	scenario.Phases = []Phase{phase}
	s.spec = &spec{name: "replay", raw: t.fingerprint(c, r)}
	s.say("%s", t.summary(c, retries))
	return scenario, nil
}

// export writes what would be sent as vegeta's JSON targets, in order, without
// tokens.
func (s *session) export(w io.Writer, scenario *Scenario) error {
	plan, err := newPlan(scenario.Phases, s.Seed)
	if err != nil {
		return &Stop{ExitUsage, err}
	}
	encode := vegeta.NewJSONTargetEncoder(w)
	for i, arrival := range plan.arrivals {
		call := plan.streams[arrival.stream].Rate.(script)[plan.nth[i]]
		var body bytes.Buffer
		if err := json.NewEncoder(&body).Encode(map[string]any{"operationName": call.op.Name, "query": call.op.Document, "variables": call.vars}); err != nil {
			return fmt.Errorf("encode %s: %w", call.op.Name, err)
		}
		target := vegeta.Target{
			Method: http.MethodPost, URL: s.target.String(), Body: body.Bytes(),
			Header: http.Header{"Content-Type": {"application/json"}},
		}
		if err := encode.Encode(&target); err != nil {
			return fmt.Errorf("write the targets: %w", err)
		}
	}
	return nil
}
