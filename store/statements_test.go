package store_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"headroom/store"
	"headroom/store/storetest"
)

// withoutWorkspace are the statements that do not name a workspace as their
// first parameter, with the reason.
var withoutWorkspace = map[string]string{
	"readCapacity":    "asks the server about itself",
	"readEncoding":    "asks the server about itself",
	"readDataFolder":  "asks the server about itself",
	"readScanned":     "asks the server about itself",
	"lockCluster":     "guards the server's own row",
	"readCluster":     "asks the server about itself",
	"storeCluster":    "remembers the server itself",
	"readTopStamp":    "migrations concern all workspaces",
	"readViewers":     "reads the tokens of a crowd, each in the workspace that it names",
	"readSecret":      "the server's key is that of all workspaces",
	"storeSecret":     "the server's key is that of all workspaces",
	"takeSlot":        "locks on numbers, reads no table",
	"returnSlot":      "locks on numbers, reads no table",
	"beat":            "asks the server about its sessions",
	"listenViewers":   "one connection hears of all workspaces",
	"listenImports":   "one connection hears of all workspaces",
	"tellImport":      "tells a number, reads no table",
	"saveDocuments":   "what apps ask, without their variables, belongs to no workspace",
	"readDocuments":   "what apps ask, without their variables, belongs to no workspace",
	"forgetDocuments": "housekeeping of all workspaces; returns nothing",
	"readPrices":      "prices are those of all workspaces",
	"insertPrices":    "prices are those of all workspaces",
	"tellPrices":      "tells a number, reads no table",
	"listenPrices":    "one connection hears of all workspaces",
	"lockLearned":     "a lock on a number, reads no table",
	"readLearned":     "how long statements take belongs to no workspace",
	"saveLearned":     "how long statements take belongs to no workspace",
	"clearLearned":    "how long statements take belongs to no workspace",
	"countedTenants":  "a server that starts asks whose counts are kept; returns keys only",
	"largestTenants":  "operators export how much the largest hold; returns keys only",
	"addUsage":        "counts for operators; names each workspace it counts for",
	"foldUsage":       "housekeeping of all workspaces; returns nothing",
	"countUsage":      "housekeeping of all workspaces; returns nothing",
	"usageWeeks":      "counts for operators",
	"peakWork":        "counts for operators",
	"giveOrder":       "orders of operators concern the servers",
	"endOrder":        "orders of operators concern the servers",
	"noteOrder":       "orders of operators concern the servers",
	"readOrder":       "orders of operators concern the servers",
	"findToken":       "operators look for a token by its number",
	"openOrders":      "orders of operators concern the servers",
	"lastOrders":      "orders of operators concern the servers",
	"listenOrders":    "one connection hears of all orders",
	"tellOrder":       "tells a number, reads no table",
	"countSlots":      "counts locks, reads no table",
	"forgetKeys":      "housekeeping of all workspaces; returns nothing",
	"insertWorkspace": "the workspace has no key before it",
	"findWorkspaces":  "operators look for a workspace by its name",
	"prepareCheck":    "settings of its own transaction",
	"countDrift":      "a function of the database, which names the workspace",
	"repairRollup":    "a function of the database, which names the workspace",
	"countFoldDrift":  "a function of the database, which names the workspace",
	"findUnfolded":    "replicas work for all workspaces; returns keys only",
	"lockFold":        "a lock on the workspace's number, reads no table",
	"tryFold":         "a lock on the workspace's number, reads no table",
	"tryNight":        "a lock on a number, reads no table",
	"endNight":        "a lock on a number, reads no table",
	"prepareLoad":     "settings of its own transaction",
	"planImports":     "a setting of its own transaction",
	"shareBooks":      "a lock on the workspace's number, reads no table",
	"takeBooks":       "a lock on the workspace's number, reads no table",
	"readBookHolders": "asks the server about the workspace's lock",
	"prepareZone":     "settings of its own transaction",
	"pendingZones":    "a process that starts goes on with those of all workspaces",
	"lockMoves":       "a lock on the workspace's number, reads no table",
	"beginMove":       "a setting of its own transaction, and its number",
	"setLockTimeout":  "a setting of its own transaction",
	"lockPerson":      "a lock on numbers, the workspace's among them, reads no table",
	"findMembership":  "operators look for the workspace of a person",
	"waitingExports":  "replicas work for all workspaces; returns keys only",
	"adoptExports":    "housekeeping of all workspaces; returns nothing",
	"forgetExports":   "housekeeping of all workspaces; returns nothing",
	"expireExports":   "housekeeping of all workspaces; returns nothing",
	"liveExports":     "housekeeping of a folder that all workspaces share; returns numbers only",
	"openExports":     "counts for operators",
	"lockExports":     "a lock on a number, the workspace's, reads no table",
	"lockExport":      "a lock on numbers, the workspace's among them, reads no table",
	"insertAccount":   "an account is a person, in whatever workspaces",
	"takeIDs":         "numbers from a sequence, reads no table",
}

// source is what the package's files hold: constants by name, and every
// literal that looks like SQL.
type source struct {
	constants map[string]string
	literals  []string
}

func readSource(t testing.TB) source {
	t.Helper()
	src := source{constants: map[string]string{}}
	exprs := map[string]ast.Expr{}
	files, err := fs.Glob(os.DirFS("."), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				for i, value := range n.Values {
					exprs[n.Names[i].Name] = value
				}
			case *ast.BasicLit:
				if n.Kind == token.STRING {
					src.literals = append(src.literals, unquote(n.Value))
				}
			}
			return true
		})
	}
	for name := range exprs {
		if text, ok := evaluate(exprs[name], exprs); ok {
			src.constants[name] = text
		}
	}
	return src
}

func unquote(literal string) string {
	text, err := strconv.Unquote(literal)
	if err != nil {
		panic(err) // the parser took it
	}
	return text
}

// evaluate is the text of a constant expression of strings.
func evaluate(e ast.Expr, exprs map[string]ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		return unquoteString(e)
	case *ast.Ident:
		value, ok := exprs[e.Name]
		if !ok {
			return "", false
		}
		return evaluate(value, exprs)
	case *ast.BinaryExpr:
		left, ok := evaluate(e.X, exprs)
		right, also := evaluate(e.Y, exprs)
		return left + right, ok && also && e.Op == token.ADD
	case *ast.ParenExpr:
		return evaluate(e.X, exprs)
	}
	return "", false
}

func unquoteString(e *ast.BasicLit) (string, bool) {
	if e.Kind != token.STRING {
		return "", false
	}
	return unquote(e.Value), true
}

var (
	tagged = regexp.MustCompile(`^/\* (\w+) \*/\n`)
	verb   = regexp.MustCompile(`^\s*\(?(SELECT|INSERT|UPDATE|DELETE|WITH|LISTEN|COPY)\s`)
)

func tagOf(sql string) string {
	if m := tagged.FindStringSubmatch(sql); m != nil {
		return m[1]
	}
	return ""
}

// statements returns the package's statements by their tags: constants once,
// built ones in all their forms.
func statements(t testing.TB) map[string][]string {
	t.Helper()
	built, err := store.BuiltStatements()
	if err != nil {
		t.Fatalf("build statements: %v", err)
	}
	all := map[string][]string{}
	for _, b := range built {
		tag := tagOf(b.SQL)
		if !slices.Contains(all[tag], b.SQL) {
			all[tag] = append(all[tag], b.SQL)
		}
	}
	isBuilt := maps.Clone(all) // what begins a built statement is none by itself
	for _, text := range readSource(t).constants {
		if tag := tagOf(text); tag != "" && isBuilt[tag] == nil {
			all[tag] = append(all[tag], text)
		}
	}
	return all
}

// Every statement carries a tag of its own, and the tests below know it.
func TestStatementsAreTagged(t *testing.T) {
	src, all := readSource(t), statements(t)
	if len(all) < 100 {
		t.Errorf("only %d statements were found: the test no longer reads the source", len(all))
	}
	for _, text := range src.literals {
		if verb.MatchString(text) && !fragment(text) {
			t.Errorf("a statement without a tag:\n%s", text)
		}
		if tag := tagOf(text); tag != "" && all[tag] == nil {
			t.Errorf("statement %s is neither a constant nor among those that BuiltStatements builds", tag)
		}
	}
	for name, text := range src.constants {
		if tag := tagOf(text); tag != "" && tag != name && !strings.HasPrefix(text, src.constants[tag]) {
			t.Errorf("constant %s carries the tag %s", name, tag)
		}
	}
}

// fragment tells a subquery, which a builder puts into a statement.
func fragment(text string) bool {
	return strings.HasPrefix(text, "SELECT") && !strings.Contains(text, "\n")
}

var (
	tenantTable = regexp.MustCompile(`\b(?:FROM|JOIN|INTO|UPDATE|USING)\s+(?:workspace|membership|api_token|client|project|project_member|task|tag|time_entry|idempotency|audit|rollup|project_rollup|project_total|activity|export_job|rate|budget)\b`)
	tenantKey   = regexp.MustCompile(`\bworkspace_id = (?:\$1\b|\w+\.workspace_id\b)|\(workspace_id,`)
	firstKey    = regexp.MustCompile(`\bworkspace_id = \$1\b|\(workspace_id,[^)]*\)\s*(?:VALUES \(\$1\b|SELECT \$1\b)`)
)

// Every statement names its workspace, once for each table it reads or writes.
func TestStatementsNameTheirWorkspace(t *testing.T) {
	all := statements(t)
	for tag, forms := range all {
		if withoutWorkspace[tag] != "" {
			continue
		}
		for _, sql := range forms {
			tables, keys := len(tenantTable.FindAllString(sql, -1)), len(tenantKey.FindAllString(sql, -1))
			if !firstKey.MatchString(sql) || keys < tables {
				t.Errorf("%s names its workspace for %d of %d tables:\n%s", tag, keys, tables, sql)
			}
		}
	}
	for tag := range withoutWorkspace {
		if all[tag] == nil {
			t.Errorf("%s is excused and does not exist", tag)
		}
	}
}

// Every statement is one that the database understands, on the current schema.
func TestStatementsPrepare(t *testing.T) {
	conn := connectTo(t, storetest.New(t))
	for tag, forms := range statements(t) {
		for _, sql := range forms {
			if _, err := conn.Prepare(t.Context(), "", sql); err != nil {
				t.Errorf("%s does not prepare: %v\n%s", tag, err, sql)
			}
		}
	}
}

// Every statement that is put together takes the arguments it was built with.
func TestBuiltStatementsRun(t *testing.T) {
	conn := connectTo(t, storetest.New(t))
	built, err := store.BuiltStatements()
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range built {
		rows, err := conn.Query(t.Context(), b.SQL, b.Args...)
		if err == nil {
			rows.Close()
			err = rows.Err()
		}
		if err != nil {
			t.Errorf("%v with %v\n%s", err, b.Args, b.SQL)
		}
	}
}
