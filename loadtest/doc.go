// Package loadtest decides by experiment whether a headroom server keeps its
// promises under load.
//
// # Model
//
// A Scenario is a row of phases on one clock, read from YAML (spec). Each phase
// has streams: a shape of arrivals a second, and a mix of GraphQL operations drawn
// for each arrival; or a crowd, whose every arrival is a client with connections
// of its own. All arrivals of a run are computed before it starts (plan), so the
// load is open: nothing the server does slows down who comes next.
//
// vegeta drives and counts; three of its seams carry what it lacks. The pacer
// waits for each arrival's due time itself, because vegeta's own sleep comes
// 0.5 ms late and cannot be cancelled. The targeter is a constant, because its
// calls do not come in the order of arrivals. Our http.RoundTripper is the
// client: it finds the due time through X-Vegeta-Seq, draws operation, person
// and variables from (seed, seq), sends, tries again as real clients do,
// classifies and keeps one row for each operation.
//
// # Promises
//
//   - Response time counts from the moment an arrival was due, not from when
//     the generator got round to it: response = end - due, service = end -
//     sent, lag = sent - due.
//   - The same seed gives the same arrivals, operations, people and variables.
//   - What is in flight is capped, and what comes beyond the cap is counted as
//     dropped, at once; it is never queued and never called the server's fault.
//   - Every planned arrival ends in exactly one outcome, or the run is void.
//   - A run whose generator was the bottleneck never passes, and fails only
//     where service time or outcomes alone prove the failure.
//   - An objective is met or violated only when 95 % of the possible luck is
//     ruled out; otherwise it is undecided.
//   - Only loopback targets are ever dialled, unless the host is named as one's
//     own.
//   - What was sent is stored even where the disk is full, and never passes then.
package loadtest
