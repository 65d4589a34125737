package limits

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

// Lesson is what is known of one statement for operations of about the same
// price: what processes share and keep.
type Lesson struct {
	Statement string
	Octave    int     // of the points: 2^Octave <= points < 2^(Octave+1)
	Weight    float64 // measurements behind it, at most 512
	Points    float64 // typical
	Took      float64 // milliseconds, typical
	Base      float64 // milliseconds when it was first known; 0: not yet
}

// sane reports whether a lesson can be one.
func (l *Lesson) sane() bool {
	return l.Statement != "" && l.Octave >= firstOctave && l.Octave <= lastOctave &&
		l.Weight > 0 && l.Weight <= mostWeight && sane1(l.Points) && sane1(l.Took) && (l.Base == 0 || sane1(l.Base))
}

// Exchange takes over what all processes have saved, adds what was measured here
// since the last exchange, and returns everything, to be saved in the same
// transaction. Measurements count once, in whatever order processes exchange; of
// two bases the one that was saved first holds. Saved lessons that can be none are
// left out.
func (l *Learner) Exchange(saved []Lesson) []Lesson {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.statements {
		for i := range s.octaves {
			s.octaves[i].weight, s.octaves[i].base = 0, math.NaN()
		}
	}
	for i := range saved {
		if saved[i].sane() {
			l.takeLocked(&saved[i])
		} else {
			l.refused++
		}
	}
	for _, s := range l.statements {
		for i := range s.octaves {
			s.octaves[i] = s.octaves[i].together()
		}
	}
	l.refitLocked()
	common := l.fits.Load().common
	for _, s := range l.statements {
		for i := range s.octaves {
			if o := &s.octaves[i]; math.IsNaN(o.base) && o.weight >= matureWeight {
				o.base = o.y - common
			}
		}
	}
	return l.lessonsLocked()
}

func (l *Learner) takeLocked(in *Lesson) {
	s := l.statements[in.Statement]
	if s == nil {
		if len(l.statements) >= maxStatements {
			return
		}
		s = newStatement()
		l.statements[in.Statement] = s
	}
	o := &s.octaves[in.Octave-firstOctave]
	o.weight, o.x, o.y = in.Weight, math.Log2(in.Points), math.Log2(in.Took)
	if in.Base > 0 {
		o.base = math.Log2(in.Base)
	}
}

// lessonsLocked are all of them, in order.
func (l *Learner) lessonsLocked() []Lesson {
	var out []Lesson
	for _, name := range slices.Sorted(maps.Keys(l.statements)) {
		for i := range l.statements[name].octaves {
			o := &l.statements[name].octaves[i]
			if o.weight == 0 {
				continue
			}
			lesson := Lesson{Statement: name, Octave: firstOctave + i, Weight: o.weight, Points: math.Exp2(o.x), Took: math.Exp2(o.y)}
			if !math.IsNaN(o.base) {
				lesson.Base = math.Exp2(o.base)
			}
			out = append(out, lesson)
		}
	}
	return out
}

// Repriced are the lessons after the points of statements were multiplied, and
// with the present speed as the base: a new price table begins with a slowdown of 1.
func Repriced(lessons []Lesson, factor func(statement string) float64) []Lesson {
	out := slices.Clone(lessons)
	for i := range out {
		l := &out[i]
		l.Points *= factor(l.Statement)
		if l.Base > 0 {
			l.Base = l.Took
		}
		l.Octave = octaveOf(l.Points)
	}
	return joined(out)
}

// joined puts lessons together that have come to stand in the same octave.
func joined(lessons []Lesson) []Lesson {
	slices.SortStableFunc(lessons, func(a, b Lesson) int {
		return cmp.Or(cmp.Compare(a.Statement, b.Statement), cmp.Compare(a.Octave, b.Octave))
	})
	var out []Lesson
	for _, l := range lessons {
		if n := len(out); n > 0 && out[n-1].Statement == l.Statement && out[n-1].Octave == l.Octave {
			have := octave{weight: out[n-1].Weight, x: math.Log2(out[n-1].Points), y: math.Log2(out[n-1].Took)}
			have = have.merged(l.Weight, math.Log2(l.Points), math.Log2(l.Took))
			out[n-1].Weight, out[n-1].Points, out[n-1].Took = have.weight, math.Exp2(have.x), math.Exp2(have.y)
			continue
		}
		out = append(out, l)
	}
	return out
}

// Learned is the line of one statement: work = Fixed + Slope x points.
type Learned struct {
	Statement    string
	Fixed        float64 // milliseconds
	Slope        float64 // milliseconds for a point
	Measurements float64 // behind it, at most 512 an octave
	Clamped      bool    // its slope is further than a factor 3 from the general speed
}

// LearnerSnapshot is what a learner knows, for metrics and the price table.
type LearnerSnapshot struct {
	Statements []Learned // in alphabetical order
	General    float64   // milliseconds for a point of what is not known itself
	Drift      float64   // how many times slower all is than when it was first known; at least 1
	Refused    uint64    // measurements that were no positive finite numbers
}

// Snapshot returns what the learner knows.
func (l *Learner) Snapshot() LearnerSnapshot {
	f := l.fits.Load()
	out := LearnerSnapshot{General: math.Exp2(f.general), Drift: math.Exp2(f.common)}
	for _, name := range slices.Sorted(maps.Keys(f.lines)) {
		line := f.lines[name]
		out.Statements = append(out.Statements, Learned{Statement: name, Fixed: line.a, Slope: line.b, Measurements: line.weight, Clamped: line.clamped})
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	out.Refused = l.refused
	return out
}

// weighted is a value and how much it counts.
type weighted struct{ value, weight float64 }

// weightedMedian is 0 for no values.
func weightedMedian(v []weighted) float64 {
	slices.SortFunc(v, func(a, b weighted) int { return cmp.Compare(a.value, b.value) })
	total := 0.0
	for _, w := range v {
		total += w.weight
	}
	sum := 0.0
	for _, w := range v {
		if sum += w.weight; sum >= total/2 {
			return w.value
		}
	}
	return 0
}

// Forget lets go what was measured since the last exchange, because the points that
// it was measured against are no longer those of the price table.
func (l *Learner) Forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.statements {
		for i := range s.octaves {
			s.octaves[i].fresh, s.octaves[i].next = nil, 0
		}
	}
	l.ratios = 0
}
