package limits

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
)

// screen is an operation as an app sends it.
const screen = `query Screen($first: Int!, $with: Boolean!) {
  viewer { role user { id name } workspace { name } }
  projects(first: $first) {
    nodes { id name client { id name } tasks(first: 5) @include(if: $with) { nodes { ...T } } }
    pageInfo { hasNextPage }
  }
  recent(limit: 20) { id seconds tags { id name } project { ...P } user { id } }
  mine: recent(limit: 5) { ...E }
}
fragment T on Task { id name project { ...P } }
fragment P on Project { id name client { id name } }
fragment E on Entry { id seconds project { ...P } }`

func BenchmarkPrice(b *testing.B) {
	f := compile(b, tracker(b), screen)
	vars := map[string]any{"first": int64(50), "with": true}
	b.ReportAllocs()
	for b.Loop() {
		if p := f.Price(vars, nil); p.Expected == 0 {
			b.Fatal("free")
		}
	}
}

// known is an estimator that looks at arguments and knows one list and a report.
type known struct{}

func (known) Estimate(coordinate string, args Arguments) (Estimate, bool) {
	switch coordinate {
	case "Query.projects":
		n := int64(args.Size())
		return Estimate{Rows: n / 2, MaxRows: n, Work: time.Millisecond, MaxWork: time.Second, Statement: "projects"}, true
	case "Query.timesheetReport":
		input, _ := args.Get("input").(map[string]any)
		return Estimate{Rows: 10, MaxRows: 100, Work: time.Duration(len(input)) * time.Millisecond, MaxWork: time.Second, Statement: "report"}, true
	}
	return Estimate{}, false
}

const estimated = `query($first: Int!, $with: Boolean!, $in: ReportInput!) {
  projects(first: $first) { totalCount nodes { id name client { id } tasks(first: 5) @include(if: $with) { nodes { id } } } }
  timesheetReport(input: $in) { rows { key totals { seconds } } }
}`

var estimatedVars = map[string]any{"first": int64(50), "with": true, "in": map[string]any{"maxRows": int64(50)}}

func BenchmarkPriceWithEstimator(b *testing.B) {
	f, l := compile(b, tracker(b), estimated), NewLearner()
	b.ReportAllocs()
	for b.Loop() {
		if p := f.Price(estimatedVars, known{}); p.Basis != Statistics || l.Forecast(&p) == 0 {
			b.Fatal("not estimated")
		}
	}
}

// BenchmarkUnknownDocument is what a document of 1,000 tokens costs that was never
// seen: parsing, the guard, validation and its price.
func BenchmarkUnknownDocument(b *testing.B) {
	schema := tracker(b)
	query := "{ " + many("a%d: recent(limit: 3) { id seconds project { id name client { id name } } tags { id name } user { id name entries(first: 2) { id seconds user { id name } } } }  ", 20) + " }" // 49 tokens each
	b.ReportAllocs()
	for b.Loop() {
		doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: query}, 1000)
		if err != nil {
			b.Fatal(err)
		}
		if refused := DefaultGuard().Check(doc, ""); refused != nil {
			b.Fatal(refused)
		}
		if errs := validator.ValidateWithRules(schema, doc, nil); errs != nil {
			b.Fatal(errs)
		}
		f, e := Compile(schema, doc, "")
		if e != nil || f.Price(nil, nil).Expected == 0 {
			b.Fatal(e)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	schema := tracker(b)
	for name, query := range map[string]string{"screen": screen, "doubling": doubling(40)} {
		doc := loadQuery(b, schema, query)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Compile(schema, doc, ""); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkGuard(b *testing.B) {
	for name, query := range map[string]string{
		"introspection": introspection(),
		"aliases":       "{ " + many("a%d: b", 2000) + "}",
		"cycle":         chain(49, "a { ...F%[1]d } ...F0 ...F%[1]d"),
		"fields":        "{ a { " + strings.Repeat("b ", 4000) + "} }",
	} {
		doc := parse(b, query)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				DefaultGuard().Check(doc, "")
			}
		})
	}
}

func BenchmarkSuggestions(b *testing.B) {
	f := compile(b, tracker(b), screen)
	vars := map[string]any{"first": int64(2147483647), "with": true}
	p := f.Price(vars, nil)
	for b.Loop() {
		if DefaultCaps.Check(f, p, vars, nil) == nil {
			b.Fatal("accepted")
		}
	}
}

// BenchmarkMutex is what the gate's benchmarks are compared with: the least any
// gate must do.
func BenchmarkMutex(b *testing.B) {
	var mu sync.Mutex
	count := 0
	for b.Loop() {
		mu.Lock()
		count++
		mu.Unlock()
	}
}

// gates are those whose cost is measured.
func gates(t testing.TB) map[string]*Static {
	return map[string]*Static{"static": newStatic(t, SeatsFor(2)), "adaptive": &newAdaptive(t, AdaptiveConfig{Cores: 2}).Static}
}

func BenchmarkAdmit(b *testing.B) {
	for name, s := range gates(b) {
		r := Request{Class: Interactive, Tenant: "a", Client: "ann", Work: time.Millisecond, Deadline: time.Now().Add(time.Hour)}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p, _ := s.Admit(b.Context(), r)
				p.Done(Outcome{})
			}
		})
	}
}

func BenchmarkRefuse(b *testing.B) {
	for name, s := range gates(b) {
		r := Request{Class: Report, Tenant: "a", Client: "ann", Work: time.Millisecond}
		for s.Snapshot().Classes[Report].Queued < queuePerSeat[Report] {
			s.Offer(r, func(*Permit, *Refusal) {})
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, refusal := s.Admit(b.Context(), r); refusal == nil {
					b.Fatal("admitted")
				}
			}
		})
	}
}

func BenchmarkReserve(b *testing.B) {
	user, workspace := newBudget(b, 1e9, 1e6), newBudget(b, 1e9, 1e6)
	b.ReportAllocs()
	for b.Loop() {
		r, _ := Reserve(5, Account{user, "ann"}, Account{workspace, "w"})
		r.Settle(3)
	}
}

// What runs on every request allocates a known, small number of times.
func TestAllocations(t *testing.T) {
	f, estimatedFormula := compile(t, tracker(t), screen), compile(t, tracker(t), estimated)
	vars := map[string]any{"first": int64(50), "with": true}
	static, adaptive := newStatic(t, SeatsFor(1)), newAdaptive(t, AdaptiveConfig{Cores: 1})
	r := Request{Class: Interactive, Work: time.Millisecond}
	past := Request{Class: Interactive, Deadline: time.Now().Add(-time.Second)}
	for name, tt := range map[string]struct {
		most float64
		run  func()
	}{
		"price": {2, func() { f.Price(vars, nil) }},

		"price with an estimator": {2, func() { estimatedFormula.Price(estimatedVars, known{}) }},

		"admit":  {1, func() { p, _ := static.Admit(t.Context(), r); p.Drop() }},
		"refuse": {0, func() { static.Admit(t.Context(), past) }}, // a slab of refusals lasts for 64

		"admit, adaptive":  {1, func() { p, _ := adaptive.Admit(t.Context(), r); p.Drop() }},
		"refuse, adaptive": {0, func() { adaptive.Admit(t.Context(), past) }},
	} {
		if got := testing.AllocsPerRun(1000, tt.run); got > tt.most {
			t.Errorf("%s allocates %v times, want at most %v", name, got, tt.most)
		}
	}
}
