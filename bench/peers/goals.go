package main

// goal is what a figure of headroom's has to keep beside the same of others. It
// stands here before it is measured.
type goal struct {
	op, figure string
	against    []string // the best of these
	most       float64  // times theirs; 0: none
	least      float64
	why        string // it is missed, where that is known
	by         string // what the goal is for, where it is not for all ways to answer
}

// Why goals are missed. Times are those of EXPLAIN and of profiles, 29 November 2026.
const (
	moreWrites  = "an entry is four writes here, by hand it is one: itself, in nine indexes and after its rules and rates were asked (0.2 ms of the database's), its month's sum (0.07), its audit row and their counter (0.08); the server's part takes as long as gqlgen's"
	noWeeks     = "half a million entries make 55,721 groups, which the rows above the 500 of the answer add up: no sums by week are kept, and they would not suffice (decision 15)"
	serversPart = "the database takes a thirtieth of LIMIT's time, and what is left is the server's: a slot, the workspace's version and the report are three round trips, by hand it is one"
	perField    = "of the server's part, four times LIMIT's, allocation takes a fifth, the network's calls a sixth, and reading rows, gqlgen's executor and the HTTP server a tenth each: none would do"
	serversDay  = "the database takes two thirds of LIMIT's time, the server two and a half times: of that allocation is a fifth and the network's calls a sixth"
)

// executor is by what all answers are made that no plan of its own makes: all.
const executor = ", by gqlgen's executor"

// The figures that goals are about.
const (
	figureCPU  = "CPU"
	figureRate = "rate at 8 connections"
	figureP50  = "p50 at 1 connection"
)

var node = []string{"Mercurius", "Apollo", "PostGraphile"}

var goals = []goal{
	{op: "my day", figure: figureCPU, against: []string{"LIMIT"}, most: 1, why: serversDay},
	{op: "my day", figure: figureCPU, against: []string{"gqlgen"}, most: 1.0 / 5},
	{op: "my day", figure: figureCPU, against: node, most: 1.0 / 5},
	{op: "my day", figure: figureRate, against: []string{"LIMIT"}, least: 0.9, why: serversDay},
	{op: "my day", figure: figureRate, against: []string{"gqlgen"}, least: 5},
	{op: "my day", figure: figureRate, against: node, least: 5},
	{op: "my day", figure: figureP50, against: []string{"LIMIT"}, most: 1.3},
	{op: "my day", figure: figureP50, against: []string{"gqlgen"}, most: 1.0 / 6},
	{op: "my day", figure: figureP50, against: node, most: 1 / 2.5},
	{op: "50 projects with client and totals", figure: figureCPU, against: []string{"LIMIT"}, most: 1.3, why: perField},
	{op: "50 projects with client and totals", figure: figureCPU, against: []string{"gqlgen"}, most: 1.0 / 3, why: perField},
	{op: "50 projects with client and totals", figure: figureCPU, against: node, most: 1 / 1.8, why: perField},
	{op: "my day", figure: figureCPU, against: []string{"LIMIT"}, most: 3, by: executor},
	{op: "my day", figure: figureCPU, against: []string{"gqlgen"}, most: 0.6, by: executor},
	{op: "50 projects with client and totals", figure: figureCPU, against: []string{"LIMIT"}, most: 3, by: executor},
	{op: "50 projects with client and totals", figure: figureCPU, against: []string{"gqlgen"}, most: 0.6, by: executor},
	{op: "create entry", figure: figureCPU, against: []string{"LIMIT"}, most: 1.8, why: moreWrites},
	{op: "create entry", figure: figureCPU, against: []string{"gqlgen"}, most: 1 / 1.7, why: moreWrites},
	{op: "create entry", figure: figureCPU, against: node, most: 1 / 1.7, why: moreWrites},
	{op: "month by project", figure: figureCPU, against: []string{"LIMIT"}, most: 1.0 / 10, why: serversPart},
	{op: "month by project", figure: figureCPU, against: []string{"LIMIT on headroom's tables"}, most: 1.0 / 2},
	{op: "year by project, user and week", figure: figureCPU, against: []string{"LIMIT"}, most: 1.0 / 8, why: noWeeks},
	{op: "year by project, user and week", figure: figureCPU, against: []string{"LIMIT on headroom's tables"}, most: 1.0 / 2, why: noWeeks},
}

func (g goal) met(ratio float64) bool {
	return (g.most == 0 || ratio <= g.most) && (g.least == 0 || ratio >= g.least)
}
