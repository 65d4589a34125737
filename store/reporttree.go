package store

import (
	"cmp"
	"slices"

	"headroom/timesheet"
)

// node is a row of a report while it adds up.
type node struct {
	sum   tally
	below map[int64]*node // by the value of the next key
}

// add counts a group in the node and in the nodes below it. Where a group
// belongs to several of those, as entries of several tags do, the node itself
// still counts it once.
func (n *node) add(g group, by []timesheet.GroupKey, l labels) {
	n.sum.add(g.sum)
	if len(by) == 0 {
		return
	}
	if n.below == nil {
		n.below = map[int64]*node{}
	}
	for _, value := range l.values(by[0], g) {
		child := n.below[value]
		if child == nil {
			child = &node{}
			n.below[value] = child
		}
		child.add(g, by[1:], l)
	}
}

// grow makes the report's tree of the groups, sorted and cut.
func grow(groups []group, in timesheet.ReportInput, l labels) (report timesheet.Report, err error) {
	root := &node{}
	for _, g := range groups {
		root.add(g, in.GroupBy, l)
	}
	if report.Totals, err = root.sum.totals(); err != nil {
		return timesheet.Report{}, err
	}
	c := cutter{left: in.MaxRows, sort: in.Sort, labels: l}
	if report.Rows, err = c.rows(root, in.GroupBy); err != nil || !c.cut {
		return report, err
	}
	other, err := c.other.totals()
	report.Truncated, report.Other = true, &other
	return report, err
}

// cutter turns nodes into rows as long as leaves are left.
type cutter struct {
	left   int
	sort   timesheet.ReportSort
	labels labels
	cut    bool
	other  tally // of the leaves that were cut
}

func (c *cutter) rows(n *node, by []timesheet.GroupKey) ([]timesheet.ReportRow, error) {
	rows := []timesheet.ReportRow{}
	for _, child := range c.sorted(n, by[0]) {
		row := timesheet.ReportRow{Key: child.label.key, Label: child.label.text}
		var err error
		if len(by) > 1 {
			if row.Children, err = c.rows(child.node, by[1:]); err != nil {
				return nil, err
			}
			if len(row.Children) == 0 {
				continue
			}
		} else if !c.take(child.node) {
			continue
		}
		if row.Totals, err = child.node.sum.totals(); err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// take uses up one of the leaves that are left.
func (c *cutter) take(leaf *node) bool {
	if c.left == 0 {
		c.cut = true
		c.other.add(leaf.sum)
		return false
	}
	c.left--
	return true
}

type labelled struct {
	label label
	node  *node
}

func (c *cutter) sorted(n *node, key timesheet.GroupKey) []labelled {
	children := make([]labelled, 0, len(n.below))
	for value, child := range n.below {
		children = append(children, labelled{c.labels.of(key, value), child})
	}
	slices.SortFunc(children, func(a, b labelled) int {
		if c.sort == timesheet.SortSecondsDesc {
			return cmp.Or(cmp.Compare(b.node.sum.seconds, a.node.sum.seconds), a.label.compare(b.label))
		}
		return a.label.compare(b.label)
	})
	return children
}
