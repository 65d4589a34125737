package limits

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
)

var (
	anyWeight = regexp.MustCompile(`weight: "[^"]+"`)
	anyAssume = regexp.MustCompile(`assumedSize: \d+`)
	unweighed = regexp.MustCompile(`type (User|Workspace|Client|Task|Tag|Entry|Row|Money) (implements Node )?\{`)
)

// randomSchema is the tracker's with other weights, other assumed sizes, and weights
// on types that have none. What weighs less than nothing stays so.
func randomSchema(t testing.TB, rng *rand.Rand) *ast.Schema {
	t.Helper()
	weight := func() string { return fmt.Sprintf("weight: %q", fmt.Sprint(float64(rng.IntN(400))/50)) }
	types, roots, _ := strings.Cut(trackerSDL, "type Query {")
	sdl := anyWeight.ReplaceAllStringFunc(roots, func(was string) string {
		if strings.Contains(was, "-") {
			return was
		}
		return weight()
	})
	sdl = anyAssume.ReplaceAllStringFunc(sdl, func(was string) string {
		if was == "assumedSize: 0" {
			return was
		}
		return fmt.Sprintf("assumedSize: %d", rng.IntN(30))
	})
	sdl = unweighed.ReplaceAllStringFunc(sdl, func(was string) string {
		if rng.IntN(2) == 0 {
			return was
		}
		return strings.TrimSuffix(was, "{") + "@cost(" + weight() + ") {"
	})
	schema := loadSchema(t, types+"type Query {"+sdl)
	if err := CheckSchema(schema); err != nil {
		t.Fatalf("a random schema: %v\n%s", err, sdl)
	}
	return schema
}

// guessing is an estimator that knows some fields, and says anything of them.
type guessing struct{ rng *rand.Rand }

func (g guessing) Estimate(string, Arguments) (Estimate, bool) {
	rows, work := g.rng.Int64N(50)-2, time.Duration(g.rng.Int64N(1e8)-1e6)
	e := Estimate{Rows: rows, MaxRows: rows + g.rng.Int64N(50) - 10, Work: work, MaxWork: work + time.Duration(g.rng.Int64N(1e8)-1e7)}
	if g.rng.IntN(4) == 0 {
		e.Below = Below{Field: "totalCount", Work: work / 2, MaxWork: work}
	}
	return e, g.rng.IntN(2) == 0
}

// checkEstimated holds a price by an estimator between zero and its bound, and the
// number of objects to what the schema allows.
func checkEstimated(t *testing.T, f *Formula, vars map[string]any, declared Price, rng *rand.Rand) {
	t.Helper()
	p := f.Price(vars, guessing{rng})
	if !(p.Expected >= 0 && p.Expected <= p.Bound && p.Bound <= maxPoints) || p.Rows < 0 || p.Rows > p.Nodes || p.Nodes > declared.Nodes {
		t.Fatalf("estimated %+v, declared %+v", p, declared)
	}
	checkShares(t, p)
}
