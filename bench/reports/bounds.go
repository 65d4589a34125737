package main

// bound is what a figure has to keep. It stands here before it is measured.
type bound struct {
	what string  // the figure, by its name in the results
	size float64 // millions of entries; 0: of no size
	most float64 // 0: none
	less float64 // at least; 0: none
	unit string
}

// bounds are the promises. Milliseconds are medians on an idle machine.
var bounds = []bound{
	{what: "one month by project", size: 1, most: 15, unit: "ms"},
	{what: "one month by project, times faster", size: 1, less: 20, unit: "x"},
	{what: "one month by project", size: 10, most: 30, unit: "ms"},
	{what: "one year by client, project, user", size: 1, most: 60, unit: "ms"},
	{what: "one year by client, project, user, times faster", size: 1, less: 15, unit: "x"},
	{what: "one year by client, project, user", size: 10, most: 300, unit: "ms"},
	{what: "36 months, project x month", size: 1, most: 150, unit: "ms"},
	{what: "36 months, project x month, times faster", size: 1, less: 40, unit: "x"},
	{what: "36 months, project x month", size: 10, most: 300, unit: "ms"},
	{what: "one year by project, entries rounded to 6 minutes", size: 1, most: 600, unit: "ms"},
	{what: "one year by task", size: 1, most: 600, unit: "ms"},
	{what: "myDay, database", size: 1, most: 1, unit: "ms"},
	{what: "myDay, database", size: 10, most: 1, unit: "ms"},
	{what: "weekGrid, database", size: 1, most: 1, unit: "ms"},
	{what: "weekGrid, database", size: 10, most: 1, unit: "ms"},
	{what: "runningTimer, database", size: 1, most: 1, unit: "ms"},
	{what: "runningTimer, database", size: 10, most: 1, unit: "ms"},
	{what: "page of 50, database", size: 1, most: 1, unit: "ms"},
	{what: "page of 50, database", size: 10, most: 1, unit: "ms"},
	{what: "rollup's database CPU of a write", most: 60, unit: "us"},
	{what: "WAL of a write", most: 1.6, unit: "kB"},
	{what: "16 writers against a shared row", less: 3, unit: "x"},
	{what: "export, rows after a free slot", size: 1, most: 200, unit: "ms"},
	{what: "export, rows a second", size: 1, less: 50_000, unit: "rows/s"},
	{what: "download, first byte", size: 1, most: 50, unit: "ms"},
	{what: "interactive p50 beside an export", size: 1, most: 1.2, unit: "x"},
}

func (b bound) met(v float64) bool {
	return (b.most == 0 || v <= b.most) && (b.less == 0 || v >= b.less)
}
