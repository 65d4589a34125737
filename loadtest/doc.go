// Package loadtest decides by experiment whether a headroom server keeps its
// promises under load.
//
// # Model
//
// A Scenario is a row of phases on one clock. Each phase has streams: a shape
// of arrivals a second, and a mix of GraphQL operations drawn for each
// arrival. All arrivals of a run are computed before it starts (plan), so the
// load is open: nothing the server does slows down who comes next.
//
// vegeta drives and counts; three of its seams carry what it lacks. The pacer
// waits for each arrival's due time itself, because vegeta's own sleep comes
// 0.5 ms late and cannot be cancelled. The targeter is a constant, because its
// calls do not come in the order of arrivals. Our http.RoundTripper is the
// client: it finds the due time through X-Vegeta-Seq, draws operation, person
// and variables from (seed, seq), sends, classifies and keeps one row.
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
//   - Only loopback targets are ever dialled.
package loadtest
