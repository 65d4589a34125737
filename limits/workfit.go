package limits

import "math"

// fits are the forecasts' lines at one moment; they do not change.
type fits struct {
	general float64 // log2 of milliseconds for a point, of what is not known itself
	common  float64 // log2 of how much slower all is than when it was first known
	lines   map[string]line
}

// line is work = a + b x points, in milliseconds.
type line struct {
	a, b    float64
	weight  float64 // measurements behind it
	clamped bool
}

func (f *fits) milliseconds(name string, points float64) float64 {
	if l, ok := f.lines[name]; ok {
		return l.a + l.b*points
	}
	return points * math.Exp2(f.general)
}

const (
	clampFactor  = 3   // the most that b may be off the general speed
	widest       = 16  // the most that is looked at
	alarmWeight  = 24  // measurements from which a clamp is an alarm
	leastLearned = 4   // measurements from which a statement has a line
	priorWeight  = 1.5 // measurements' worth that b is the general speed
)

// refitLocked lays the lines anew.
func (l *Learner) refitLocked() {
	known := make(map[string][]octave, len(l.statements))
	for name, s := range l.statements {
		for i := range s.octaves {
			if o := s.octaves[i].together(); o.weight > 0 {
				known[name] = append(known[name], o)
			}
		}
	}
	next := &fits{common: commonDrift(known), lines: make(map[string]line, len(known))}
	next.general = generalSpeed(known, next.common)
	for name, octaves := range known {
		if line, ok := fit(octaves, next.common, next.general); ok {
			next.lines[name] = line
		}
	}
	l.fits.Store(next)
}

// commonDrift is by how much the octaves have become slower since each was first
// known: their weighted median, which no single statement moves. What becomes
// faster is learned at once.
func commonDrift(known map[string][]octave) float64 {
	var drifts []weighted
	for _, octaves := range known {
		for _, o := range octaves {
			if !math.IsNaN(o.base) {
				drifts = append(drifts, weighted{o.y - o.base, math.Sqrt(o.weight)})
			}
		}
	}
	return max(0, weightedMedian(drifts))
}

// alone is how long the octave takes without what all have become slower. An octave
// that was not measured since has not become slower itself.
func (o *octave) alone(common float64) float64 {
	if math.IsNaN(o.base) {
		return o.y - common
	}
	return o.y - max(0, min(common, o.y-o.base))
}

// generalSpeed is the median over all mature octaves of milliseconds for a point.
func generalSpeed(known map[string][]octave, common float64) float64 {
	var speeds []weighted
	for _, octaves := range known {
		for _, o := range octaves {
			if o.weight >= matureWeight {
				speeds = append(speeds, weighted{o.alone(common) - o.x, 1})
			}
		}
	}
	return max(-6, min(6, weightedMedian(speeds)))
}

// fit lays a statement's line; ok is false while too little was measured.
func fit(octaves []octave, common, general float64) (out line, ok bool) {
	for _, o := range octaves {
		out.weight += o.weight
	}
	if out.weight < leastLearned {
		return out, false
	}
	least, most := general-math.Log2(widest), general+math.Log2(widest)
	a, b := descend(octaves, common, general, least, most)
	limit := math.Log2(clampFactor)
	if out.clamped = out.weight >= alarmWeight && math.Abs(b-general) > limit+0.01; math.Abs(b-general) > limit {
		a, b = descend(octaves, common, general, general-limit, general+limit)
	}
	out.a, out.b = math.Exp2(a), math.Exp2(b)
	return out, true
}

// leastFixed and mostFixed bound a line's fixed part, as log2 of milliseconds.
const leastFixed, mostFixed = -10, 6

// descend finds the fixed part and the slope, as log2, with the least error. The
// steps become smaller while none of them helps; the surface has no second valley
// that matters, since the error grows with the distance from each octave.
func descend(octaves []octave, common, general, least, most float64) (a, b float64) {
	a, b = leastFixed, general
	lowest := misfit(octaves, common, general, a, b)
	for _, start := range []float64{-6, -4, -2, 0, 2} {
		if e := misfit(octaves, common, general, start, general); e < lowest {
			a, lowest = start, e
		}
	}
	for step := 1.0; step > 1.0/64; {
		better := false
		for _, move := range [8][2]float64{{1, 0}, {-1, 0}, {0, 1}, {0, -1}, {1, -1}, {-1, 1}, {2, -0.5}, {-2, 0.5}} {
			na, nb := max(leastFixed, min(mostFixed, a+step*move[0])), max(least, min(most, b+step*move[1]))
			if e := misfit(octaves, common, general, na, nb); e < lowest-1e-9 {
				a, b, lowest, better = na, nb, e, true
			}
		}
		if !better {
			step /= 2
		}
	}
	return a, b
}

// misfit is the error of a line: distances on the logarithmic scale by the root of
// the measurements behind an octave, so that many cheap runs do not decide about
// dear ones.
func misfit(octaves []octave, common, general, a, b float64) float64 {
	sum := priorWeight * math.Abs(b-general)
	fixed, slope := math.Exp2(a), math.Exp2(b)
	for _, o := range octaves {
		sum += math.Sqrt(o.weight) * math.Abs(math.Log2(fixed+slope*math.Exp2(o.x))-o.alone(common))
	}
	return sum
}
