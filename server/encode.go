package server

import (
	"encoding/json"
	"math"
	"strconv"

	"github.com/99designs/gqlgen/graphql"

	"headroom/limits"
)

// encode builds the body. data is absent, not null, where nothing was run, and
// the executor's bytes are not parsed again. In a storm most answers are refusals,
// so what all have in common is written without reflection.
func (s *Server) encode(r *request, resp *graphql.Response, f *fault) ([]byte, error) {
	size := 1024
	if f == nil {
		size += len(resp.Data)
	}
	b, err := append(make([]byte, 0, size), '{'), error(nil)
	switch {
	case f != nil && len(f.errors) == 0:
		b, err = appendFault(b, f)
	case f != nil:
		b, err = appendErrors(b, f.list())
	case len(resp.Errors) > 0:
		b, err = appendErrors(b, resp.Errors)
	}
	if err != nil {
		return nil, err
	}
	if f == nil {
		b = append(append(append(b, `"data":`...), resp.Data...), ',')
	}
	if b, err = s.appendExtensions(append(b, `"extensions":`...), r, f); err != nil {
		return nil, err
	}
	return append(b, "}\n"...), nil
}

func appendErrors[E any](b []byte, errs []E) ([]byte, error) {
	b, err := appendValue(append(b, `"errors":`...), errs[:min(len(errs), maxErrors)])
	return append(b, ','), err
}

// appendFault writes a fault of one message as GraphQL errors.
func appendFault(b []byte, f *fault) (_ []byte, err error) {
	if b, err = appendValue(append(b, `"errors":[{"message":`...), f.message); err != nil {
		return nil, err
	}
	sign := `,"extensions":{"`
	for _, d := range f.sorted() {
		b = append(append(append(b, sign...), d.name...), `":`...)
		if b, err = appendValue(b, d.value); err != nil {
			return nil, err
		}
		sign = `,"`
	}
	return append(b, `}}],`...), nil
}

// cost is what an answer says about its price, in Shopify's shape.
type cost struct {
	Requested float64        `json:"requestedQueryCost"`
	Actual    *float64       `json:"actualQueryCost"`
	Limit     float64        `json:"limit"`
	Basis     limits.Basis   `json:"basis"`
	Class     string         `json:"class"`
	Throttle  throttleStatus `json:"throttleStatus"`
	Rows      *rowCount      `json:"rows,omitempty"`
	Fields    []fieldCost    `json:"fields,omitempty"` // on request
}

type throttleStatus struct {
	Maximum   float64 `json:"maximumAvailable"`
	Available float64 `json:"currentlyAvailable"`
	Restore   float64 `json:"restoreRate"`
}

type rowCount struct {
	Estimated int64 `json:"estimated"`
	Actual    int64 `json:"actual"`
}

// appendExtensions writes what an answer says beside data and errors.
func (s *Server) appendExtensions(b []byte, r *request, f *fault) (_ []byte, err error) {
	if r.doc == nil || r.price.Basis == "" {
		if b, err = appendValue(append(b, `{"requestId":`...), r.id); err == nil && (r.account.short != nil || r.account.charged) {
			b = append(r.throttle().append(append(b, `,"cost":{`...)), '}') // refused before it had a price
		}
		return append(b, '}'), err
	}
	if b, err = s.costOf(r, f).append(append(b, `{"cost":`...)); err != nil {
		return nil, err
	}
	if shed := r.shed(); len(shed) > 0 && f == nil {
		b, err = appendValue(append(b, `,"shed":`...), shed)
	}
	return append(b, '}'), err
}

func (s *Server) costOf(r *request, f *fault) *cost {
	c := &cost{
		Requested: round(r.price.Expected), Limit: s.caps.Points, Basis: r.price.Basis, Class: r.class.String(),
		Throttle: r.throttle(),
	}
	if r.op != nil && f == nil {
		actual := round(r.actual)
		c.Actual = &actual
		c.Rows = &rowCount{Estimated: r.price.Rows, Actual: r.op.Rows()}
	}
	switch {
	case r.explain == nil:
	case c.Actual != nil:
		c.Fields = r.explain.measured()
	default:
		c.Fields = shares(r.price)
	}
	return c
}

// append writes a cost as json.Marshal does.
func (c *cost) append(b []byte) (_ []byte, err error) {
	number := func(name string, v float64) { b = appendNumber(append(b, name...), v) }
	number(`{"requestedQueryCost":`, c.Requested)
	if c.Actual != nil {
		number(`,"actualQueryCost":`, *c.Actual)
	} else {
		b = append(b, `,"actualQueryCost":null`...)
	}
	number(`,"limit":`, c.Limit)
	b = append(append(b, `,"basis":"`...), c.Basis...)
	b = append(append(b, `","class":"`...), c.Class...)
	b = c.Throttle.append(append(b, `",`...))
	if c.Rows != nil {
		number(`,"rows":{"estimated":`, float64(c.Rows.Estimated))
		number(`,"actual":`, float64(c.Rows.Actual))
		b = append(b, '}')
	}
	if len(c.Fields) > 0 {
		b, err = appendValue(append(b, `,"fields":`...), c.Fields)
	}
	return append(b, '}'), err
}

func (t throttleStatus) append(b []byte) []byte {
	b = appendNumber(append(b, `"throttleStatus":{"maximumAvailable":`...), t.Maximum)
	b = appendNumber(append(b, `,"currentlyAvailable":`...), t.Available)
	b = appendNumber(append(b, `,"restoreRate":`...), t.Restore)
	return append(b, '}')
}

// appendNumber writes a number, and 0 for what is none.
func appendNumber(b []byte, v float64) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		v = 0
	}
	return strconv.AppendFloat(b, v, 'f', -1, 64)
}

// appendValue writes a value as JSON.
func appendValue(b []byte, value any) ([]byte, error) {
	switch v := value.(type) {
	case string:
		if plainText(v) {
			return append(append(append(b, '"'), v...), '"'), nil
		}
	case int:
		return strconv.AppendInt(b, int64(v), 10), nil
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	}
	text, err := json.Marshal(value)
	return append(b, text...), err
}

// plainText reports whether a text is the same in JSON.
func plainText(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return false
		}
	}
	return true
}
