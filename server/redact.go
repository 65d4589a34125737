package server

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"
)

// redactor replaces what people wrote by something of the same shape. What it
// does not know it leaves out. The key lives in memory for one capture, so
// nobody can compute afterwards what a value was.
type redactor struct {
	schema *ast.Schema
	key    []byte
	weeks  int // by which dates are shifted: whole weeks keep the weekday
}

// hash is the same for the same text within one capture.
func (r *redactor) hash(text string) []byte {
	mac := hmac.New(sha256.New, r.key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// token is a short form of hash: 60 bits in letters and digits.
func (r *redactor) token(text string) string {
	return hex.EncodeToString(r.hash(text))[:15]
}

// value redacts a coerced value by its type.
func (r *redactor) value(t *ast.Type, v any) any {
	if list, ok := v.([]any); ok && t.Elem != nil {
		out := make([]any, len(list))
		for i, item := range list {
			out[i] = r.value(t.Elem, item)
		}
		return out
	}
	for t.Elem != nil {
		t = t.Elem // one value stands for a list of one
	}
	def := r.schema.Types[t.NamedType]
	if v == nil || def == nil {
		return nil
	}
	switch def.Kind {
	case ast.InputObject:
		return r.object(def, v)
	case ast.Enum:
		if text, ok := v.(string); ok && def.EnumValues.ForName(text) != nil {
			return text
		}
		return nil
	}
	return r.scalar(def.Name, v)
}

// object keeps the fields that the schema knows.
func (r *redactor) object(def *ast.Definition, v any) any {
	fields, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	out := map[string]any{}
	for _, field := range def.Fields {
		if value, given := fields[field.Name]; given {
			out[field.Name] = r.value(field.Type, value)
		}
	}
	return out
}

// scalar redacts a leaf. Numbers of the schema's own are amounts of time and
// money; an Int is a size of a page or a limit, which decides the price.
func (r *redactor) scalar(name string, v any) any {
	text, isText := v.(string)
	switch name {
	case "Boolean":
		if b, ok := v.(bool); ok {
			return b
		}
	case "Int":
		return whole(v)
	case "Float", "Long", "Seconds":
		return r.number(v)
	case "ID":
		if isText {
			return r.id(text)
		}
		return r.id(numberText(v))
	case "UUID":
		if isText {
			return uuid.NewHash(sha256.New(), uuid.Nil, r.hash(text), 8).String()
		}
	case "Date":
		return r.date(text, time.DateOnly)
	case "DateTime":
		return r.date(text, time.RFC3339)
	case "TimeZone":
		return "Europe/Berlin"
	case "CurrencyCode":
		return "EUR"
	case "String":
		if isText {
			return r.text(text)
		}
	}
	return nil
}

// text keeps the length in characters and the kind of each: letters stay
// letters of their case, digits digits, all else is kept. The same text gives
// the same replacement.
func (r *redactor) text(text string) string {
	var b strings.Builder
	random := r.hash("text " + text)
	i := 0
	for _, c := range text {
		n := random[i%len(random)]
		if i++; i%len(random) == 0 {
			random = r.hash(string(random))
		}
		switch {
		case c >= '0' && c <= '9':
			b.WriteByte('0' + n%10)
		case c >= 'a' && c <= 'z':
			b.WriteByte('a' + n%26)
		case c >= 'A' && c <= 'Z':
			b.WriteByte('A' + n%26)
		case c < 128:
			b.WriteRune(c)
		case unicode.IsSpace(c):
			b.WriteByte(' ')
		default:
			b.WriteRune('à' + rune(n%23)) // two bytes, as most letters beyond ASCII
		}
	}
	return b.String()
}

// id keeps the type of one of our ids and replaces what it names.
func (r *redactor) id(text string) string {
	decoded, err := base64.RawURLEncoding.DecodeString(text)
	kind, _, found := strings.Cut(string(decoded), ":")
	if err != nil || !found || r.schema.Types[kind] == nil {
		kind = "Unknown"
	}
	return kind + "." + r.token("id "+text)
}

// date shifts a day or an instant by whole weeks.
func (r *redactor) date(text, layout string) any {
	t, err := time.Parse(layout, text)
	if err != nil {
		return nil
	}
	if shifted := t.AddDate(0, 0, 7*r.weeks); shifted.Year() >= 1 && shifted.Year() <= 9999 {
		return shifted.UTC().Format(layout)
	}
	return nil
}

// number keeps the sign and how many digits there are before the point.
func (r *redactor) number(v any) any {
	f, err := strconv.ParseFloat(numberText(v), 64)
	if err != nil {
		return nil
	}
	digits := len(strconv.FormatInt(int64(max(min(abs(f), 1<<53), 0)), 10))
	n := int64(0)
	for _, b := range r.hash("number " + numberText(v))[:min(digits, 15)] {
		n = n*10 + 1 + int64(b%9)
	}
	if f < 0 {
		n = -n
	}
	return n
}

func abs(f float64) float64 {
	if f < 0 {
		return -f
	}
	return f
}

// whole is a number without a fraction, nil for what is none.
func whole(v any) any {
	n, err := strconv.ParseInt(numberText(v), 10, 64)
	if err != nil {
		return nil
	}
	return n
}

func numberText(v any) string {
	switch n := v.(type) {
	case json.Number:
		return n.String()
	case string:
		return n
	case int64:
		return strconv.FormatInt(n, 10)
	case int:
		return strconv.Itoa(n)
	case float64:
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	return ""
}
