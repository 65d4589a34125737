package store

import (
	"cmp"
	"context"
	"slices"

	"headroom/timesheet"
)

// node is a row of a report while it adds up.
type node struct {
	sum    tally                     // of nodes whose totals are their own
	days   map[timesheet.Date]daySum // of nodes whose days are rounded
	totals timesheet.Totals          // once settled
	value  int64                     // of its key
	below  *node                     // the first of those below, of the next key
	next   *node                     // of those that stand side by side
}

// side are a node and those after it.
func (n *node) side(yield func(*node) bool) {
	for ; n != nil && yield(n); n = n.next {
	}
}

type daySum struct{ exact, billable int64 }

// grower makes nodes as long as there is room. Leaves are counted, as tags can
// make fifty and more of a group; above each stand as many nodes as there are
// other keys at most.
type grower struct {
	labels labels
	in     timesheet.ReportInput
	left   int // leaves that there is room for; below zero: too few
	nodes  map[place]*node
	room   []node
	others breather
}

// place is where a node stands: below another one, by its value. All are found in
// one map, since a map for each node took most of a large report's time.
type place struct {
	above *node
	value int64
}

// growRoom is how many nodes are made at once.
const growRoom = 128

// add counts a group in the node and in the nodes below it. Where a group
// belongs to several of those, as entries of several tags do, the node itself
// still counts it once. Elsewhere its totals come from those below it.
func (w *grower) add(n *node, g *group, by []timesheet.GroupKey) {
	if stands(by) {
		n.sum.add(g.sum)
	}
	if w.in.Rounds(timesheet.RoundDay) && stands(by) {
		if n.days == nil {
			n.days = map[timesheet.Date]daySum{}
		}
		day := n.days[g.day]
		n.days[g.day] = daySum{day.exact + g.sum.exact, day.billable + g.sum.billable}
	}
	if len(by) == 0 {
		return
	}
	var room [1]int64
	for _, value := range w.labels.values(room[:0], by[0], g) {
		child := w.child(n, value, len(by) == 1)
		if child == nil {
			return
		}
		w.add(child, g, by[1:])
	}
}

// child is the node below of a value, nil where there is no room for it.
func (w *grower) child(n *node, value int64, leaf bool) *node {
	at := place{n, value}
	if child := w.nodes[at]; child != nil {
		return child
	}
	if leaf {
		w.left--
	}
	if w.left < 0 {
		return nil
	}
	if len(w.room) == 0 {
		w.room = make([]node, growRoom)
	}
	child := &w.room[0]
	w.room = w.room[1:]
	child.value, child.next = value, n.below
	n.below, w.nodes[at] = child, child
	return child
}

// stands tells whether a node's totals are its own. All others' are what the
// rows below add up to, so that a bill does; but an entry can stand under
// several tags and is billed once.
func stands(by []timesheet.GroupKey) bool { return len(by) == 0 || by[0] == timesheet.GroupTag }

// fill makes the rows of a period's days, weeks, months and years that have no
// entries, within those of them that stand above.
func (w *grower) fill(n *node, by []timesheet.GroupKey, p timesheet.Period) {
	if len(by) == 0 {
		return
	}
	if _, timed := by[0].Span(0, w.labels.weekStart); !timed {
		for child := range n.below.side {
			w.fill(child, by[1:], p)
		}
		return
	}
	for day := p.From; day <= p.To; {
		first, _ := by[0].Span(day, w.labels.weekStart)
		last := min(p.To, by[0].SpanEnd(first))
		child := w.child(n, int64(first), len(by) == 1)
		if child == nil {
			return
		}
		w.fill(child, by[1:], timesheet.Period{From: day, To: last})
		day = last + 1
	}
}

// settle makes totals of sums.
func (w *grower) settle(n *node, by []timesheet.GroupKey) (err error) {
	if stands(by) {
		own := w.rounded(n)
		if n.totals, err = own.totals(); err != nil || len(by) == 0 {
			return err
		}
	}
	sum := timesheet.Totals{Amounts: []timesheet.Money{}}
	for child := range n.below.side {
		w.others.breathe()
		if err := w.settle(child, by[1:]); err != nil {
			return err
		}
		if !stands(by) {
			if err := addTotals(&sum, child.totals); err != nil {
				return err
			}
		}
	}
	if !stands(by) {
		n.totals = sum
	}
	return nil
}

// rounded is a node's own sum as the report rounds it. Amounts stay those of
// the exact seconds.
func (w *grower) rounded(n *node) tally {
	t := n.sum
	switch {
	case w.in.Rounds(timesheet.RoundRow):
		t.seconds, t.billable = w.in.Rounding.Round(t.exact), w.in.Rounding.Round(t.billable)
	case w.in.Rounds(timesheet.RoundDay):
		t.seconds, t.billable = 0, 0
		for _, day := range n.days {
			t.seconds += w.in.Rounding.Round(day.exact)
			t.billable += w.in.Rounding.Round(day.billable)
		}
	}
	return t
}

// growCheck is how many groups are added between two looks at whether anybody
// still waits for them: with tags, some milliseconds.
const growCheck = 1024

// growAll adds up all groups, within the limit of leaves.
func growAll(ctx context.Context, groups []group, in timesheet.ReportInput, l labels, limit int) (*node, error) {
	root, w := &node{}, grower{labels: l, in: in, left: limit, nodes: make(map[place]*node, len(groups))}
	for i := range groups {
		if i%growCheck == 0 && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		w.others.breathe()
		if w.add(root, &groups[i], in.GroupBy); w.left < 0 {
			return nil, tooManyGroups(limit)
		}
	}
	if in.FillGaps {
		if w.fill(root, in.GroupBy, in.Span()); w.left < 0 {
			return nil, tooManyGroups(limit)
		}
	}
	return root, w.settle(root, in.GroupBy)
}

// grow makes the report's tree of the groups, sorted and cut.
func grow(ctx context.Context, groups []group, in timesheet.ReportInput, l labels, limit int) (report timesheet.Report, err error) {
	root, err := growAll(ctx, groups, in, l, limit)
	if err != nil {
		return timesheet.Report{}, err
	}
	report.Totals = root.totals
	c := cutter{left: in.MaxRows, sort: in.Sort, labels: l, other: timesheet.Totals{Amounts: []timesheet.Money{}}}
	if report.Rows, err = c.rows(root, in.GroupBy); err == nil && c.cut {
		report.Truncated, report.Other = true, &c.other
	}
	return report, err
}

// cutter turns nodes into rows as long as leaves are left.
type cutter struct {
	left   int
	sort   timesheet.ReportSort
	labels labels
	cut    bool
	other  timesheet.Totals // of the leaves that were cut
}

func (c *cutter) rows(n *node, by []timesheet.GroupKey) (rows []timesheet.ReportRow, err error) {
	rows = []timesheet.ReportRow{}
	if c.left == 0 {
		return rows, c.rest(n, len(by))
	}
	for _, child := range c.sorted(n, by[0]) {
		row := timesheet.ReportRow{Key: child.label.key, Label: child.label.text, Totals: child.node.totals}
		switch {
		case c.left == 0:
			if err := c.rest(child.node, len(by)-1); err != nil {
				return nil, err
			}
			continue
		case len(by) == 1:
			c.left--
		default:
			if row.Children, err = c.rows(child.node, by[1:]); err != nil {
				return nil, err
			}
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// rest adds up the leaves of a node that were cut, some levels below it, in no order.
func (c *cutter) rest(n *node, levels int) error {
	if levels == 0 {
		c.cut = true
		return addTotals(&c.other, n.totals)
	}
	for child := range n.below.side {
		if err := c.rest(child, levels-1); err != nil {
			return err
		}
	}
	return nil
}

type labelled struct {
	label label
	node  *node
}

func (c *cutter) sorted(n *node, key timesheet.GroupKey) []labelled {
	var children []labelled
	for child := range n.below.side {
		children = append(children, labelled{c.labels.of(key, child.value), child})
	}
	slices.SortFunc(children, func(a, b labelled) int {
		if c.sort == timesheet.SortSecondsDesc {
			return cmp.Or(cmp.Compare(b.node.totals.Seconds, a.node.totals.Seconds), a.label.compare(b.label))
		}
		return a.label.compare(b.label)
	})
	return children
}
