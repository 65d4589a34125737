package limits_test

import (
	"context"
	"fmt"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"headroom/limits"
)

const library = `
directive @cost(weight: String!) on FIELD_DEFINITION | OBJECT
directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION
type Query { books(first: Int): [Book!]! @listSize(slicingArguments: ["first"]) }
type Book { title: String! reviews(first: Int): [Review!] @cost(weight: "0.3") @listSize(slicingArguments: ["first"]) }
type Review @cost(weight: "0.05") { text: String! }`

// server is what a GraphQL server of any kind holds to be protected.
type server struct {
	schema *ast.Schema
	guard  limits.Guard
	caps   limits.Caps
	budget *limits.Budget
	gate   limits.Gate
}

// answer is the path of one request. Put it where a gqlgen server has the parsed
// operation and its variables, such as an operation middleware; the formula
// belongs into the same cache as the document, and Guard.Check between parsing and
// validation.
func (s *server) answer(ctx context.Context, user, query string, vars map[string]any, run func() error) error {
	doc, errs := gqlparser.LoadQueryWithRules(s.schema, query, rules.NewDefaultRules())
	if errs != nil {
		return errs
	}
	if refused := s.guard.Check(doc, ""); refused != nil {
		return refused
	}
	formula, err := limits.Compile(s.schema, doc, "")
	if err != nil {
		return err
	}
	price := formula.Price(vars, nil)
	if price.Invalid != nil {
		return price.Invalid
	}
	if refused := s.caps.Check(formula, price, vars, nil); refused != nil {
		for _, s := range refused.Suggestions {
			return fmt.Errorf("%w; try %s %s %s to %s", refused, s.Kind, s.Path, s.Argument, s.MaxAccepted)
		}
		return refused
	}
	reservation, short := limits.Reserve(price.Expected, limits.Account{Budget: s.budget, Key: user})
	if short != nil {
		return fmt.Errorf("throttled: %s has %.1f points, try again in %v", user, short.Available, short.RetryAfter)
	}
	defer reservation.Cancel()
	permit, refused := s.gate.Admit(ctx, limits.Request{
		Class: limits.Classify(price, limits.Control), Tenant: user,
		Work: price.Work, Deadline: time.Now().Add(2 * time.Second),
	})
	if refused != nil {
		return fmt.Errorf("overloaded: %s, try again in %v", refused.Reason, refused.RetryAfter)
	}
	defer permit.Drop()
	err = run()
	permit.Done(limits.Outcome{Err: err})
	reservation.Settle(price.Expected)
	return err
}

// A foreign server is protected by a schema with @cost and @listSize and by one
// function on the way of each request.
func Example() {
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: library})
	if err := limits.CheckSchema(schema); err != nil {
		fmt.Println(err)
		return
	}
	budget, _ := limits.NewBudget(limits.Rate{Size: 1000, Restore: 0.001})
	gate, _ := limits.NewStatic(limits.StaticConfig{Seats: limits.SeatsFor(2)})
	s := &server{schema: schema, guard: limits.DefaultGuard(), caps: limits.DefaultCaps, budget: budget, gate: gate}

	const query = `query($n: Int!) { books(first: $n) { title reviews(first: 10) { text } } }`
	for _, n := range []int{100, 2000, 1150, 10} {
		err := s.answer(context.Background(), "ann", query, map[string]any{"n": n}, func() error {
			fmt.Printf("%d books read\n", n)
			return nil
		})
		if err != nil {
			fmt.Println(err)
		}
	}
	fmt.Printf("%.0f points left\n", budget.Available("ann"))
	// Output:
	// 100 books read
	// the operation may need 1640.5 points, at most 1000 are accepted; try REDUCE_ARGUMENT books first to 909
	// the operation may need 12650 nodes, at most 10000 are accepted; try REDUCE_ARGUMENT books first to 909
	// 10 books read
	// 909 points left
}

// CheckSchema finds the lists that nobody can price.
func ExampleCheckSchema() {
	schema := gqlparser.MustLoadSchema(&ast.Source{Name: "shop.graphql", Input: `
type Query { orders: [Order!]! }
type Order { id: ID! }`})
	fmt.Println(limits.CheckSchema(schema))
	// Output: shop.graphql:2:14: Query.orders: a list needs @listSize
}
