package server

import (
	"fmt"
	"testing"
)

// An integer is one however JSON writes it, also within an input; a value
// beyond 32 bits or with a fraction is none.
func TestIntegersOfVariables(t *testing.T) {
	r := newRig(t, nil)
	for _, test := range []struct{ number, code string }{
		{"1", ""},
		{"1.0", ""},
		{"1e1", ""},
		{"-0.0", codeBadUserInput},
		{"1.5", codeBadUserInput},
		{"-2147483648", codeSlicing},
		{"-2147483649", codeBadUserInput},
		{"2147483648", codeBadUserInput},
		{"1e400", codeBadUserInput},
	} {
		a := r.must(call{token: r.token, body: fmt.Sprintf(`{"query":"query($n: Int!) { projects(first: $n) { nodes { id } } }","variables":{"n":%s}}`, test.number)})
		if a.code() != test.code {
			t.Errorf("first: %s: %s, want code %q", test.number, a.raw, test.code)
		}
	}
	a := r.must(call{token: r.token, body: `{"query":"query($i: ReportInput!) { timesheetReport(input: $i) { rows { key } } }","variables":{"i":{"period":{"from":"2026-01-01","to":"2026-01-31"},"groupBy":["DAY"],"maxRows":1e1}}}`})
	if a.code() != "" {
		t.Errorf("within an input: %s", a.raw)
	}
}
