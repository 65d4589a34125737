package spelling

import "testing"

func TestNearest(t *testing.T) {
	for _, test := range []struct {
		word  string
		known []string
		want  string
	}{
		{"form", []string{"to", "from"}, "from"}, // two letters are in each other's place
		{"P", []string{"m", "p"}, "p"},
		{"m", []string{"n"}, "n"},
		{"Deer", []string{"Fits", "Dear"}, "Dear"},
		{"intreactive", []string{"report", "interactive"}, "interactive"},
		{"raports", []string{"report"}, "report"},
		{"page", []string{"n", "Dear"}, ""},
		{"ab", []string{"cd"}, ""},
		{"größe", []string{"grösse", "x"}, "grösse"},
		{"", []string{"n"}, ""},
		{"n", nil, ""},
		{"n", []string{""}, ""},
	} {
		if got := Nearest(test.word, test.known); got != test.want {
			t.Errorf("%q of %q: %q, want %q", test.word, test.known, got, test.want)
		}
	}
}
