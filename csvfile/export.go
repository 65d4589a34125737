package csvfile

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"headroom/timesheet"
)

// ourColumns begin the files of entries that we write: the columns of our own
// format, which [Reader] reads.
var ourColumns = []string{"description", "billable", "client", "project", "tags", "start", "end", "task", "user_name", "user_email"}

// moreColumns follow them: what follows from the entry. Amounts are exact in
// amount_x3600, seconds x hourly rate in minor units.
var moreColumns = []string{"id", "day", "seconds", "currency", "amount_minor", "amount", "amount_x3600"}

// sumColumns follow the keys of a report's leaves.
var sumColumns = []string{"entries", "seconds", "billable_seconds", "currency", "amount_minor", "amount", "amount_x3600"}

// exactColumn ends them where seconds are rounded.
const exactColumn = "exact_seconds"

// Export writes a file of entries or of a report's leaves, row by row. It
// holds one row.
type Export struct {
	w    io.Writer
	json bool
	keys []string // of a report
	both bool     // rounded seconds and exact ones
	line []byte
}

// NewExport writes the header of CSV at once. keys are the columns of a
// report's leaves; none for entries.
func NewExport(w io.Writer, in timesheet.ExportInput) (*Export, error) {
	x := &Export{w: w, json: in.Format == timesheet.ExportJSONL, both: in.Rounding != nil}
	for _, key := range in.GroupBy {
		x.keys = append(x.keys, strings.ToLower(string(key)))
	}
	if x.json {
		return x, nil
	}
	if in.ByteOrderMark {
		x.line = append(x.line, "\ufeff"...)
	}
	header := append(append([]string{}, ourColumns...), moreColumns...)
	if len(x.keys) > 0 {
		header = append(append([]string{}, x.keys...), sumColumns...)
		if x.both {
			header = append(header, exactColumn)
		}
	}
	for _, column := range header {
		x.text(column)
	}
	return x, x.end()
}

// Entry writes a finished entry.
func (x *Export) Entry(e timesheet.ExportEntry) error {
	money := timesheet.MoneyFromX3600(*e.AmountX3600, e.Currency)
	start, end := e.StartedAt.UTC().Format(time.RFC3339), e.EndedAt.UTC().Format(time.RFC3339)
	if x.json {
		return x.object(entryLine{
			ID: e.ID.String(), Start: start, End: end, Day: e.Day.String(), Seconds: *e.Seconds, Description: e.Description,
			Billable: e.Billable, Client: orNil(e.Client), Project: orNil(e.Project), Task: orNil(e.Task), Tags: append([]string{}, e.Tags...),
			UserName: e.User, UserEmail: orNil(e.Email),
			amounts: amounts{e.Currency, money.Minor, money.Decimal(), strconv.FormatInt(*e.AmountX3600, 10)},
		})
	}
	for _, text := range []string{
		e.Description, strconv.FormatBool(e.Billable), e.Client, e.Project, strings.Join(e.Tags, ", "), start, end, e.Task, e.User, e.Email,
		e.ID.String(), e.Day.String(), strconv.FormatInt(*e.Seconds, 10),
	} {
		x.text(text)
	}
	x.money(money, strconv.FormatInt(*e.AmountX3600, 10))
	return x.end()
}

// Group writes a leaf of a report.
func (x *Export) Group(g timesheet.ExportGroup) error {
	money, err := timesheet.MoneyFromBigX3600(g.AmountX3600, g.Currency)
	if err != nil {
		return err
	}
	if x.json {
		return x.leaf(g, money)
	}
	for _, label := range g.Labels {
		x.text(label)
	}
	for _, n := range []int64{g.Entries, g.Seconds, g.BillableSeconds} {
		x.number(n)
	}
	x.money(money, g.AmountX3600.String())
	if x.both {
		x.number(g.ExactSeconds)
	}
	return x.end()
}

func (x *Export) leaf(g timesheet.ExportGroup, money timesheet.Money) error {
	labels := map[string]string{}
	for i, key := range x.keys {
		labels[key] = g.Labels[i]
	}
	line := groupLine{
		Labels: labels, Entries: g.Entries, Seconds: g.Seconds, BillableSeconds: g.BillableSeconds,
		amounts: amounts{money.Currency, money.Minor, money.Decimal(), g.AmountX3600.String()},
	}
	if x.both {
		line.ExactSeconds = &g.ExactSeconds
	}
	return x.object(line)
}

// entryLine is an entry in JSON Lines.
type entryLine struct {
	ID          string   `json:"id"`
	Start       string   `json:"start"`
	End         string   `json:"end"`
	Day         string   `json:"day"`
	Seconds     int64    `json:"seconds"`
	Description string   `json:"description"`
	Billable    bool     `json:"billable"`
	Client      *string  `json:"client"`
	Project     *string  `json:"project"`
	Task        *string  `json:"task"`
	Tags        []string `json:"tags"`
	UserName    string   `json:"user_name"`
	UserEmail   *string  `json:"user_email"`
	amounts
}

// groupLine is a report's leaf in JSON Lines.
type groupLine struct {
	Labels          map[string]string `json:"labels"`
	Entries         int64             `json:"entries"`
	Seconds         int64             `json:"seconds"`
	BillableSeconds int64             `json:"billable_seconds"`
	amounts
	ExactSeconds *int64 `json:"exact_seconds,omitempty"`
}

// amounts close both. The exact one is text: it can be beyond what JSON's
// readers keep.
type amounts struct {
	Currency    string `json:"currency"`
	AmountMinor int64  `json:"amount_minor"`
	Amount      string `json:"amount"`
	AmountX3600 string `json:"amount_x3600"`
}

func orNil(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func (x *Export) object(v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode a row: %w", err)
	}
	_, err = x.w.Write(append(line, '\n'))
	return err
}

func (x *Export) money(m timesheet.Money, exact string) {
	x.cell(m.Currency)
	x.number(m.Minor)
	x.cell(m.Decimal()) // numbers are no formulas
	x.cell(exact)
}

func (x *Export) number(n int64) { x.cell(strconv.FormatInt(n, 10)) }

// text adds a cell of somebody's text, so that no spreadsheet runs it.
func (x *Export) text(text string) {
	if dangerous(text) {
		text = "'" + text
	}
	x.cell(text)
}

func (x *Export) cell(text string) {
	if !strings.ContainsAny(text, "\",\r\n") && text == strings.TrimSpace(text) {
		x.line = append(append(x.line, text...), ',')
		return
	}
	x.line = append(x.line, '"')
	x.line = append(x.line, strings.ReplaceAll(text, `"`, `""`)...)
	x.line = append(x.line, '"', ',')
}

// end writes the row, whose last comma gives way to the line's end.
func (x *Export) end() error {
	x.line = append(x.line[:len(x.line)-1], '\r', '\n')
	_, err := x.w.Write(x.line)
	x.line = x.line[:0]
	return err
}

// dangerous tells text that a spreadsheet would take for a formula. Text that
// only differs from such a text by apostrophes before it counts too, so that
// taking one off is the exact inverse of putting one on.
func dangerous(text string) bool {
	rest := strings.TrimLeft(text, "'")
	return rest != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(rest[:min(len(rest), 4)])[0])
}

// harmless undoes what text did to a cell of a file of ours.
func harmless(cell string) string {
	if strings.HasPrefix(cell, "'") && dangerous(cell) {
		return cell[1:]
	}
	return cell
}
