package store_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"headroom/store"
	"headroom/timesheet"
)

func TestCleanName(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, typed, want, key string }{
		{"trimmed", "  Acme Ltd \n", "Acme Ltd", "acme ltd"},
		{"trimmed of wide spaces", "\u3000Acme\u00a0", "Acme", "acme"},
		{"composed", "Cafe\u0301", "Caf\u00e9", "caf\u00e9"},
		{"sharp s", "Straße", "Straße", "strasse"},
		{"dotted capital I keeps its dot", "\u0130zmir", "\u0130zmir", "i\u0307zmir"},
		{"dotless i is not i", "\u0131z", "\u0131z", "\u0131z"},
		{"Greek final sigma", "ΣΊΣΥΦΟΣ", "ΣΊΣΥΦΟΣ", "σίσυφοσ"},
		{"right to left", "שלום עולם", "שלום עולם", "שלום עולם"},
		{"emoji joined by zero width", "👩\u200d💻 team", "👩\u200d💻 team", "👩\u200d💻 team"},
		{"as long as allowed", strings.Repeat("é", 255), strings.Repeat("é", 255), strings.Repeat("é", 255)},
		{"255 after composing", strings.Repeat("e\u0301", 255), strings.Repeat("é", 255), strings.Repeat("é", 255)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			name, key, err := store.CleanName("name", tt.typed)
			if err != nil || name != tt.want || key != tt.key {
				t.Errorf("got %q, %q, %v, want %q, %q", name, key, err, tt.want, tt.key)
			}
		})
	}
	for name, typed := range map[string]string{
		"empty": "", "blank": " \t\u3000", "only zero width": "\u200b\u200d",
		"only a Hangul filler": "\u3164", "only half a Hangul filler": "\uffa0", "only fillers and spaces": "\u115f \u1160",
		"only empty Braille": "\u2800", "only variation selectors": "\ufe0f\U000e0100", "only a joiner of letters": "\u034f",
		"only tags": "\U000e0041", "U+0000": "a\x00b", "new line": "a\nb",
		"C1 control": "a\u0085b", "broken UTF-8": "a\xffb", "256 characters": strings.Repeat("x", 256),
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := store.CleanName("name", typed)
			wantCode(t, err, timesheet.CodeInvalid)
		})
	}
}

// Whatever is accepted can be stored, is its own clean form, and does not
// depend on upper and lower case or on how accents were typed.
func FuzzCleanName(f *testing.F) {
	for _, seed := range []string{"Acme", " é ", "e\u0301", "ΐ", "\u0345", "ᾳ", "İstanbul", "\x00", "\u200b", "ﬃ", "Ǆ", strings.Repeat("ß", 255)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		name, key, err := store.CleanName("name", typed)
		if err != nil {
			wantCode(t, err, timesheet.CodeInvalid)
			return
		}
		if n := utf8.RuneCountInString(name); n < 1 || n > timesheet.MaxName || !utf8.ValidString(name) || strings.Contains(name, "\x00") {
			t.Errorf("%q became %q, which cannot be stored", typed, name)
		}
		for what, same := range map[string]string{"cleaned": name, "decomposed": norm.NFD.String(typed), "key": key} {
			if utf8.RuneCountInString(norm.NFC.String(same)) > timesheet.MaxName {
				continue
			}
			if _, again, err := store.CleanName("name", same); err != nil || again != key {
				t.Errorf("%s %q of %q has the key %q, %v, want %q", what, same, typed, again, err, key)
			}
		}
	})
}
