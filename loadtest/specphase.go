package loadtest

import (
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// What of a phase is judged.
const (
	judgeNothing = "nothing" // it warms up
	judgeHealth  = "health"  // the generator, and what is promised to its clients
	judgeSLO     = "slo"     // all promises
)

func (s *spec) readPhases(node ast.Node) {
	s.items(node, "phases", func(n ast.Node) {
		p := &phaseSpec{at: n, judge: judgeSLO}
		s.object(n, "a phase",
			field{"name", func(n ast.Node) { p.name = s.text(n, "name") }},
			field{"for", func(n ast.Node) { p.length = s.duration(n, "for") }},
			field{"judge", func(n ast.Node) { p.judge = s.oneOf(n, "judge", judgeNothing, judgeHealth, judgeSLO) }},
			field{"burst", func(n ast.Node) { p.burst = s.duration(n, "burst") }},
			field{"streams", func(n ast.Node) {
				s.items(n, "streams", func(n ast.Node) { p.streams = append(p.streams, s.stream(n, p)) })
			}})
		if p.name == "" || p.length == 0 {
			s.fail(n, "a phase needs a name and for")
		}
		for _, promise := range p.served {
			if !p.sends(promise.kind) {
				s.fail(n, "served promises something to clients that are %s, and none of those reconnect in phase %s", promise.kind, p.name)
			}
		}
		if slices.ContainsFunc(s.phases, func(other *phaseSpec) bool { return other.name == p.name }) {
			s.fail(n, "two phases are called %s", p.name)
		}
		s.phases = append(s.phases, p)
	})
	if !slices.ContainsFunc(s.phases, func(p *phaseSpec) bool { return p.judge != judgeNothing }) {
		s.fail(node, "no phase is judged")
	}
}

// promised tells whether a phase promises what a server breaks that answers nothing
// right. Few attempts and little waste are none of that, nor are a class's promises any
// to clients that reconnect.
func (s *spec) promised(p *phaseSpec) bool {
	return p.judge != judgeNothing && len(p.served) > 0 ||
		p.judge == judgeSLO && slices.ContainsFunc(s.order, func(class Class) bool { return p.has(class) && s.demands(class) })
}

// demands tells whether errors break what is promised to a class: few refusals do not.
func (s *spec) demands(class Class) bool {
	wrong := sample{row: row{outcome: Failed}}
	c := s.classes[class]
	return c != nil && slices.ContainsFunc(c.objectives, func(o Objective) bool { return o.counts(wrong) && o.bad(wrong) })
}

// sends tells whether clients of a kind come in a phase and reconnect.
func (p *phaseSpec) sends(kind string) bool {
	return slices.ContainsFunc(p.streams, func(st *streamSpec) bool {
		return len(st.each) > 0 && (len(st.clients) == 0 && kind == behaviours[0].Name ||
			slices.ContainsFunc(st.clients, func(c Share) bool { return c.Behaviour.Name == kind }))
	})
}

// stream reads a mix that arrives at a rate, or clients that reconnect.
func (s *spec) stream(node ast.Node, p *phaseSpec) *streamSpec {
	st := &streamSpec{at: node}
	s.object(node, "a stream",
		field{"mix", func(n ast.Node) { st.mix = s.mix(n) }},
		field{"rate", func(n ast.Node) { st.rate = s.rate(n) }},
		field{"arrivals", func(n ast.Node) { st.even = s.oneOf(n, "arrivals", "poisson", "even") == "even" }},
		field{"clients", func(n ast.Node) { st.clients = s.shares(n) }},
		field{"late", func(n ast.Node) { st.patience.Late = s.duration(n, "late") }},
		field{"abandon", func(n ast.Node) { st.patience.Abandon = s.duration(n, "abandon") }},
		field{"reconnect", func(n ast.Node) { s.reconnect(n, st, p) }})
	if (st.rate == nil) == (len(st.each) == 0) || (len(st.mix) == 0) == (len(st.each) == 0) {
		s.fail(node, "a stream needs a mix with a rate, or reconnect")
		return st
	}
	ops := slices.Clone(st.each)
	for _, w := range st.mix {
		ops = append(ops, w.Operation)
	}
	st.class = ops[0].Class
	for _, op := range ops {
		if op.Class != st.class {
			s.fail(node, "%s is of class %s and %s of class %s: give each class a stream", ops[0].Name, st.class, op.Name, op.Class)
		}
	}
	if s.classes[st.class] == nil {
		known := make([]string, 0, len(s.order))
		for _, class := range s.order {
			known = append(known, string(class))
		}
		s.fail(node, "class %s of %s is not among the classes%s", st.class, ops[0].Name, suggest(string(st.class), known))
		return st
	}
	if st.patience != (Patience{}) && (st.patience.Late == 0 || st.patience.Abandon == 0) {
		s.fail(node, "late and abandon of a stream go together")
	}
	return st
}

// mix reads the name of a mix, or one in its place.
func (s *spec) mix(node ast.Node) []Weighted {
	switch node.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return s.weights(node)
	}
	name := s.text(node, "mix")
	mix := s.mixes[name]
	if mix == nil {
		known := make([]string, 0, len(s.mixes))
		for name := range s.mixes {
			known = append(known, name)
		}
		s.fail(node, "unknown mix %q%s", name, suggest(name, known))
	}
	return mix
}

// shares reads kinds of clients with their weights.
func (s *spec) shares(node ast.Node) (list []Share) {
	s.each(node, "clients", func(name string, at, v ast.Node) {
		if s.kind(at, name) != nil {
			list = append(list, Share{behaviourNamed(name), s.whole(v, "the weight of "+name, 1, 1_000_000)})
		}
	})
	return list
}

func (s *spec) kind(at ast.Node, name string) *Behaviour {
	b := behaviourNamed(name)
	if b == nil {
		known := make([]string, 0, len(behaviours))
		for _, b := range behaviours {
			known = append(known, b.Name)
		}
		s.fail(at, "unknown kind of client %q%s", name, suggest(name, known))
	}
	return b
}

// reconnect reads a crowd of clients on new connections.
func (s *spec) reconnect(node ast.Node, st *streamSpec, p *phaseSpec) {
	st.within = time.Second
	s.object(node, "reconnect",
		field{"clients", func(n ast.Node) { st.number = s.whole(n, "clients", 1, 20_000) }},
		field{"work", func(n ast.Node) { st.work = s.duration(n, "work") }},
		field{"within", func(n ast.Node) { st.within = s.duration(n, "within") }},
		field{"each", func(n ast.Node) {
			s.items(n, "each", func(n ast.Node) {
				if op := s.operation(n, s.text(n, "each")); op != nil {
					st.each = append(st.each, op)
				}
			})
		}},
		field{"served", func(n ast.Node) { s.served(n, p) }},
		field{"attempts", func(n ast.Node) { p.attempts = s.number(n, "attempts", 1, 100) }},
		field{"wasted", func(n ast.Node) { p.wasted = s.share(n, "wasted") }})
	if len(st.each) == 0 || (st.number == 0) == (st.work == 0) || st.within == 0 || st.within > p.length && p.length > 0 {
		s.fail(node, "reconnect needs each, clients or work, and within the phase")
	}
}

var servedForm = regexp.MustCompile(`^(\d+(?:\.\d+)?)% within (?:(\d+(?:\.\d+)?)x|(\d\S*))$`)

// served reads {heeding: 99% within 48s} and {heeding: 99% within 1.2x}.
func (s *spec) served(node ast.Node, p *phaseSpec) {
	s.each(node, "served", func(name string, at, v ast.Node) {
		m := servedForm.FindStringSubmatch(s.text(v, "served"))
		if s.kind(at, name) == nil || m == nil {
			s.fail(v, "served must read like 99%% within 48s, or 99%% within 1.2x of the ideal time")
			return
		}
		percent, _ := strconv.ParseFloat(m[1], 64) // digits
		promise := servedSpec{kind: name, share: percent / 100}
		var err error
		if m[2] != "" {
			promise.ideal, err = strconv.ParseFloat(m[2], 64)
		} else {
			promise.within, err = time.ParseDuration(m[3])
		}
		if err != nil || percent <= 0 || percent > 100 {
			s.fail(v, "served must read like 99%% within 48s, or 99%% within 1.2x of the ideal time")
		}
		p.served = append(p.served, promise)
	})
}
