package store

import (
	"cmp"
	"context"
	"slices"

	"headroom/timesheet"
)

// node is a row of a report while it adds up.
type node struct {
	sum   tally
	below map[int64]*node // by the value of the next key
}

// grower makes nodes as long as there is room. Leaves are counted, as tags can
// make fifty and more of a group; above each stand as many nodes as there are
// other keys at most.
type grower struct {
	labels labels
	left   int // leaves that there is room for; below zero: too few
}

// add counts a group in the node and in the nodes below it. Where a group
// belongs to several of those, as entries of several tags do, the node itself
// still counts it once.
func (w *grower) add(n *node, g group, by []timesheet.GroupKey) {
	n.sum.add(g.sum)
	if len(by) == 0 {
		return
	}
	if n.below == nil {
		n.below = map[int64]*node{}
	}
	for _, value := range w.labels.values(by[0], g) {
		child := n.below[value]
		if child == nil {
			if len(by) == 1 {
				w.left--
			}
			if w.left < 0 {
				return
			}
			child = &node{}
			n.below[value] = child
		}
		w.add(child, g, by[1:])
	}
}

// growCheck is how many groups are added between two looks at whether anybody
// still waits for them: with tags, some milliseconds.
const growCheck = 1024

// growAll adds up all groups, within the limit of leaves.
func growAll(ctx context.Context, groups []group, by []timesheet.GroupKey, l labels, limit int) (*node, error) {
	root, w := &node{}, grower{labels: l, left: limit}
	for i, g := range groups {
		if i%growCheck == 0 && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if w.add(root, g, by); w.left < 0 {
			return nil, tooManyGroups(limit)
		}
	}
	return root, nil
}

// grow makes the report's tree of the groups, sorted and cut.
func grow(ctx context.Context, groups []group, in timesheet.ReportInput, l labels, limit int) (report timesheet.Report, err error) {
	root, err := growAll(ctx, groups, in.GroupBy, l, limit)
	if err != nil {
		return timesheet.Report{}, err
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
