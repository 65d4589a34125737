package server

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"headroom/timesheet"
)

// who asks: a workspace, an operation, a client's version, or the three together.
// What a dimension leaves out is empty.
type who struct {
	tenant    timesheet.WorkspaceID
	operation string
	client    string
}

// The dimensions that spenders are added up in.
const (
	byTenant = iota
	byOperation
	byClient
	byTheirOperation // of a workspace
	byTheirClient
	byAll // the three together: who is to blame
	dimensions
)

// What stands for operations and clients of which none is to be told from the rest.
const (
	anyOperation = "(any operation)"
	anyClient    = "(any client)"
)

// in is the part of w that a dimension looks at.
func (w who) in(dimension int) who {
	switch dimension {
	case byTenant:
		return who{tenant: w.tenant}
	case byOperation:
		return who{operation: w.operation}
	case byClient:
		return who{client: w.client}
	case byTheirOperation:
		return who{w.tenant, w.operation, anyClient}
	case byTheirClient:
		return who{w.tenant, anyOperation, w.client}
	}
	return w
}

// spent is what somebody asked for and got.
type spent struct {
	name    string  // of the workspace
	asked   float64 // points quoted, refused ones too
	work    float64 // points taken: about milliseconds of database and server time
	ran     int64
	refused int64
	late    int64 // ended by their deadline
	waited  time.Duration
}

func (s *spent) add(o spent) {
	if o.name != "" {
		s.name = o.name
	}
	s.asked += o.asked
	s.work += o.work
	s.ran += o.ran
	s.refused += o.refused
	s.late += o.late
	s.waited += o.waited
}

// weight decides who gives way in a full table.
func (s *spent) weight() float64 { return s.asked + float64(s.refused) }

// mostSpenders bounds a table, and with it what a flood of made-up names costs.
const mostSpenders = 500

// others stands for all who had to give way.
var others = who{tenant: -1, operation: "(others)", client: "(others)"}

type spenderTable map[who]*spent

// at returns the row of a key. In a full table the least row gives way and is
// added to others: whoever does much is soon above those who do little.
func (t spenderTable) at(key who) *spent {
	if row := t[key]; row != nil {
		return row
	}
	if len(t) >= mostSpenders {
		least, lightest := who{}, -1.0
		for k, row := range t {
			if w := row.weight(); k != others && (lightest < 0 || w < lightest) {
				least, lightest = k, w
			}
		}
		rest := t[others]
		if rest == nil {
			rest = &spent{}
		}
		rest.add(*t[least])
		rest.name = ""
		delete(t, least)
		t[others] = rest
	}
	row := &spent{}
	t[key] = row
	return row
}

// spenderSpan is how long a slice of the spenders is, and spenderSlices how many
// are looked at together: a minute of the past, and the slice that goes on.
const (
	spenderSpan   = 10 * time.Second
	spenderSlices = 7
)

// spenders are sums by tenant, operation and client of the last minute. They are
// kept in slices of ten seconds, which are forgotten one by one.
type spenders struct {
	slices [spenderSlices]struct {
		at     int64 // which span of time
		tables [dimensions]spenderTable
	}
}

func (s *spenders) add(w who, o spent, now time.Time) {
	at := now.UnixNano() / int64(spenderSpan)
	slice := &s.slices[at%spenderSlices]
	if slice.at != at || slice.tables[0] == nil {
		slice.at = at
		for d := range slice.tables {
			slice.tables[d] = spenderTable{}
		}
	}
	for d, table := range slice.tables {
		table.at(w.in(d)).add(o)
	}
}

// spender is a row of the sums.
type spender struct {
	who
	spent
}

// sums adds up the last minute in one dimension, with what is running beside it.
func (s *spenders) sums(dimension int, now time.Time, running map[who]spent) []spender {
	at := now.UnixNano() / int64(spenderSpan)
	all := map[who]*spent{}
	add := func(k who, o spent) {
		if all[k] == nil {
			all[k] = &spent{}
		}
		all[k].add(o)
	}
	for i := range s.slices {
		if age := at - s.slices[i].at; age < 0 || age >= spenderSlices {
			continue
		}
		for k, row := range s.slices[i].tables[dimension] {
			add(k, *row)
		}
	}
	for k, o := range running {
		add(k.in(dimension), o)
	}
	rows := make([]spender, 0, len(all))
	for k, o := range all {
		rows = append(rows, spender{k, *o})
	}
	return rows
}

// sortSpenders puts those first who asked for most, used most, or were refused
// most; else the order is that of the names.
func sortSpenders(rows []spender, by string) {
	slices.SortFunc(rows, func(a, b spender) int {
		order := cmp.Compare(b.work, a.work)
		switch by {
		case "refused":
			order = cmp.Compare(b.refused, a.refused)
		case "asked":
			order = cmp.Compare(b.asked, a.asked)
		}
		return cmp.Or(order, cmp.Compare(b.weight(), a.weight()), cmp.Compare(a.tenant, b.tenant), cmp.Compare(a.operation, b.operation), cmp.Compare(a.client, b.client))
	})
}

// askers are who asked for most, of the rows of each dimension: a workspace's operation
// of one client, or where that scatters its operation of any, any operation of its
// client, or all that it asked. What names one thing more is worth twice as much.
func askers(rows *[dimensions][]spender) (out []spender) {
	for _, d := range [...]int{byAll, byTheirOperation, byTheirClient, byTenant} {
		for _, r := range rows[d] {
			if r.who == others {
				continue
			}
			if d == byTenant {
				r.operation, r.client = anyOperation, anyClient
			}
			out = append(out, r)
		}
	}
	sortSpenders(out, "asked")
	slices.SortStableFunc(out, func(a, b spender) int {
		return cmp.Compare(blame(b.asked, b.operation, b.client), blame(a.asked, a.operation, a.client))
	})
	return out
}

// blame is how much speaks for having found who it is.
func blame(asked float64, operation, client string) float64 {
	if operation != anyOperation {
		asked *= 2
	}
	if client != anyClient {
		asked *= 2
	}
	return asked
}

// block is what headroom gate block takes to refuse them, and as few others as can be:
// "" where it would refuse everybody.
func (s spender) block(rows *[dimensions][]spender) (flag string) {
	least := math.Inf(1)
	for _, way := range []struct {
		dimension int
		possible  bool
		flag      string
	}{
		{byOperation, s.operation != anyOperation, "--operation " + shellWord(s.operation)},
		{byClient, s.client != anyClient && s.client != "", "--client " + shellWord(s.client)},
		{byTenant, s.tenant > 0 && len(rows[byTenant]) > 1, "--tenant " + s.tenantKey()},
	} {
		if !way.possible {
			continue
		}
		all := 0.0 // that it would refuse
		for _, r := range rows[way.dimension] {
			if r.who == s.in(way.dimension) {
				all = r.asked
			}
		}
		if all < least {
			least, flag = all, way.flag
		}
	}
	return flag
}

// shellWord is one word of a shell, whatever a client calls itself.
func shellWord(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }
