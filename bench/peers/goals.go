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

// Why goals are missed.
const (
	moreWrites = "an entry is four writes here: itself, its month's sum, its audit row, their counter; by hand it is one"
	ofReports  = "more than half is the server's: the report is priced, admitted, put together and written by gqlgen's executor"
	noWeeks    = "no sums by week are kept: half a million entries are read, and the server puts tens of thousands of groups together"
	perField   = "each of 250 values is written by gqlgen's executor, the request is priced, admitted and logged, and what the writers beside it have added since the last minute's folding is summed up: without writers the database takes 0.3 ms"
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
	{op: "my day", figure: figureCPU, against: []string{"LIMIT"}, most: 1},
	{op: "my day", figure: figureCPU, against: []string{"gqlgen"}, most: 1.0 / 5},
	{op: "my day", figure: figureCPU, against: node, most: 1.0 / 5},
	{op: "my day", figure: figureRate, against: []string{"LIMIT"}, least: 0.9},
	{op: "my day", figure: figureRate, against: []string{"gqlgen"}, least: 5},
	{op: "my day", figure: figureRate, against: node, least: 5},
	{op: "my day", figure: figureP50, against: []string{"LIMIT"}, most: 1.3},
	{op: "my day", figure: figureP50, against: []string{"gqlgen"}, most: 1.0 / 6},
	{op: "my day", figure: figureP50, against: node, most: 1 / 2.5},
	{op: "50 projects with client and totals", figure: figureCPU, against: []string{"LIMIT"}, most: 1.3, why: perField},
	{op: "50 projects with client and totals", figure: figureCPU, against: []string{"gqlgen"}, most: 1.0 / 3},
	{op: "50 projects with client and totals", figure: figureCPU, against: node, most: 1 / 1.8},
	{op: "my day", figure: figureCPU, against: []string{"LIMIT"}, most: 3, by: executor},
	{op: "my day", figure: figureCPU, against: []string{"gqlgen"}, most: 0.6, by: executor},
	{op: "50 projects with client and totals", figure: figureCPU, against: []string{"LIMIT"}, most: 3, by: executor},
	{op: "50 projects with client and totals", figure: figureCPU, against: []string{"gqlgen"}, most: 0.6, by: executor},
	{op: "create entry", figure: figureCPU, against: []string{"LIMIT"}, most: 1.8, why: moreWrites},
	{op: "create entry", figure: figureCPU, against: []string{"gqlgen"}, most: 1 / 1.7, why: moreWrites},
	{op: "create entry", figure: figureCPU, against: node, most: 1 / 1.7, why: moreWrites},
	{op: "month by project", figure: figureCPU, against: []string{"LIMIT"}, most: 1.0 / 10, why: ofReports},
	{op: "month by project", figure: figureCPU, against: []string{"LIMIT on headroom's tables"}, most: 1.0 / 2},
	{op: "year by project, user and week", figure: figureCPU, against: []string{"LIMIT"}, most: 1.0 / 8, why: noWeeks},
	{op: "year by project, user and week", figure: figureCPU, against: []string{"LIMIT on headroom's tables"}, most: 1.0 / 2, why: noWeeks},
}

func (g goal) met(ratio float64) bool {
	return (g.most == 0 || ratio <= g.most) && (g.least == 0 || ratio >= g.least)
}
