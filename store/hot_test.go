package store_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"headroom/store"
	"headroom/timesheet"
)

// hotRows fills a workspace: 300 people, 40 clients, 1,000 projects of 5 people
// each, 2,000 tasks, 300 tokens, 2,000 audit rows and keys, 300 running timers
// and 15,000 entries of three years.
var hotRows = []string{
	`INSERT INTO membership (workspace_id, role, name, name_key, email, email_key)
SELECT $1, 'MEMBER', 'user ' || n, 'user ' || n, n || '@example.com', n || '@example.com' FROM generate_series(1, 299) n`,
	`INSERT INTO api_token (workspace_id, user_id, name, scope)
SELECT $1, user_id, 'token', 'WRITE' FROM membership WHERE workspace_id = $1`,
	`INSERT INTO client (workspace_id, name, name_key) SELECT $1, 'client ' || n, 'client ' || n FROM generate_series(1, 40) n`,
	`INSERT INTO project (workspace_id, client_id, name, name_key)
SELECT $1, c.id, 'project ' || k, 'project ' || k
FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM client WHERE workspace_id = $1) c
JOIN generate_series(1, 1000) k ON k % 40 + 1 = c.n`,
	`INSERT INTO project_member (workspace_id, project_id, user_id)
SELECT $1, p.id, m.user_id
FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM project WHERE workspace_id = $1) p
JOIN (SELECT user_id, row_number() OVER (ORDER BY user_id) AS n FROM membership WHERE workspace_id = $1) m ON (p.n + m.n) % 60 = 0`,
	`INSERT INTO task (workspace_id, project_id, name, name_key)
SELECT $1, p.id, 'task ' || n, 'task ' || n FROM project p, generate_series(1, 2) n WHERE p.workspace_id = $1`,
	`INSERT INTO time_entry (workspace_id, id, user_id, project_id, started_at, ended_at, day, billable, currency)
SELECT $1, gen_random_uuid(), m.user_id, p.id, s.at, s.at + interval '40 minutes', s.at::date, true, 'EUR'
FROM (SELECT n, timestamptz '2023-01-01 08:00Z' + n * interval '104 minutes' AS at FROM generate_series(1, 15000) n) s
JOIN (SELECT user_id, row_number() OVER (ORDER BY user_id) - 1 AS n FROM membership WHERE workspace_id = $1) m ON m.n = s.n % 300
JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS n FROM project WHERE workspace_id = $1) p ON p.n = s.n * 7 % 1000`,
	`INSERT INTO time_entry (workspace_id, id, user_id, started_at, day, billable, currency)
SELECT $1, gen_random_uuid(), user_id, '2026-01-05 08:00Z', '2026-01-05', false, 'EUR' FROM membership WHERE workspace_id = $1`,
	`INSERT INTO audit (workspace_id, action, entity, entity_id, changes) SELECT $1, 'a', 'e', n, '{}' FROM generate_series(1, 2000) n`,
	`INSERT INTO idempotency (workspace_id, user_id, key, input_hash)
SELECT $1, user_id, 'key ' || n, '' FROM membership, generate_series(1, 8) n WHERE workspace_id = $1`,
}

// The statements that run most use the index meant for them, whether they are
// planned for their arguments or for any.
func TestHotStatementsUseTheirIndexes(t *testing.T) {
	s, owner, conn := newDatabase(t)
	for _, v := range []timesheet.Viewer{owner, addWorkspace(t, s, "Beta"), addWorkspace(t, s, "Gamma")} {
		for _, sql := range hotRows {
			mustExec(t, conn, sql, v.Workspace.ID)
		}
	}
	folded(t, s, time.Now())
	mustExec(t, conn, `VACUUM ANALYZE`)
	constants := readSource(t).constants
	constant := func(tag string, args ...any) store.Built {
		if constants[tag] == "" {
			t.Fatalf("there is no statement %s", tag)
		}
		return store.Built{SQL: constants[tag], Args: args}
	}
	ws := owner.Workspace.ID
	user := ask[timesheet.UserID](t, conn, `SELECT max(user_id) FROM membership WHERE workspace_id = $1`, ws)
	token := ask[timesheet.TokenID](t, conn, `SELECT max(id) FROM api_token WHERE workspace_id = $1`, ws)
	projects := ask[[]timesheet.ProjectID](t, conn, `SELECT (array_agg(id ORDER BY id))[10:29] FROM project WHERE workspace_id = $1`, ws)
	clients := ask[[]timesheet.ClientID](t, conn, `SELECT (array_agg(id ORDER BY id))[3:12] FROM client WHERE workspace_id = $1`, ws)
	tasks := ask[[]timesheet.TaskID](t, conn, `SELECT (array_agg(id ORDER BY id))[3:22] FROM task WHERE workspace_id = $1`, ws)
	entries := ask[[]timesheet.EntryID](t, conn, `SELECT (array_agg(id ORDER BY started_at))[100:119] FROM time_entry WHERE workspace_id = $1`, ws)
	member := timesheet.Viewer{Workspace: owner.Workspace, User: user, Role: timesheet.RoleMember}
	minding := member
	minding.Workspace.OverlapPolicy = timesheet.OverlapWarn
	page, allJoins := timesheet.Page{First: 50}, store.Joins{User: true, Project: true, Client: true, Task: true}
	morning := time.Date(2024, time.May, 6, 0, 0, 0, 0, time.UTC)
	month := timesheet.Period{From: timesheet.NewDate(2024, time.May, 1), To: timesheet.NewDate(2024, time.May, 31)}
	days := timesheet.Period{From: month.From + 3, To: month.To}
	report := func(v timesheet.Viewer, f timesheet.EntryFilter) store.Built {
		return store.BuiltReport(v, timesheet.ReportInput{Period: month, GroupBy: []timesheet.GroupKey{timesheet.GroupProject, timesheet.GroupWeek}, Filter: f, MaxRows: 1})
	}
	months := func(v timesheet.Viewer, f timesheet.EntryFilter) store.Built {
		return store.BuiltReport(v, timesheet.ReportInput{Period: month, GroupBy: []timesheet.GroupKey{timesheet.GroupProject, timesheet.GroupMonth}, Filter: f, MaxRows: 1})
	}
	for name, c := range map[string]struct {
		store.Built
		indexes string // all of them, separated by spaces
	}{
		"readViewers":                {constant("readViewers", []timesheet.WorkspaceID{ws}, []timesheet.UserID{user}, []timesheet.TokenID{token}), "membership_pk api_token_pk"},
		"usersByID":                  {constant("usersByID", ws, []timesheet.UserID{user, owner.User}), "membership_pk"},
		"memberByEmail":              {constant("memberByEmail", ws, "17@example.com"), "membership_email"},
		"users by name":              {store.BuiltUsersPage(owner, page), "membership_page"},
		"auditLog":                   {store.BuiltAuditPage(owner, page), "audit_pk"},
		"readKey":                    {constant("readKey", ws, user, "key 7"), "idempotency_pk"},
		"revokeTokensOf":             {constant("revokeTokensOf", ws, user), "api_token_member"},
		"projectsByID":               {constant("projectsByID", ws, projects), "project_pk"},
		"tasksByID":                  {constant("tasksByID", ws, tasks), "task_pk"},
		"projects by name":           {store.BuiltProjectsPage(owner, page), "project_page"},
		"projects with totals":       {store.BuiltProjectsJoined(owner, page), "project_page rollup_unfolded"},
		"projects of a member":       {store.BuiltProjectsPage(member, page), "project_member_user|project_member_pk"},
		"projects of clients":        {store.BuiltProjectsOfClients(owner, clients, page), "project_client|project_name"},
		"tasks of projects":          {store.BuiltTasksOfProjects(owner, projects, page), "task_name|task_in_project"},
		"members of projects":        {store.BuiltMembersOfProjects(owner, projects, page), "project_member_pk"},
		"tracked seconds":            {store.BuiltTrackedSeconds(owner, projects, nil), "project_total_pk rollup_unfolded"},
		"tracked seconds of one":     {store.BuiltTrackedSeconds(member, projects, nil), "rollup_project|rollup_pk"},
		"tracked seconds of days":    {store.BuiltTrackedSeconds(owner, projects, &days), "time_entry_project"},
		"entriesByID":                {constant("entriesByID", ws, entries, nil), "time_entry_pk"},
		"lockEntry":                  {constant("lockEntry", ws, entries[0]), "time_entry_pk"},
		"running timer":              {constant("readRunning", ws, user), "time_entry_running"},
		"lock the running timer":     {constant("lockRunning", ws, user), "time_entry_running"},
		"stop a removed timer":       {constant("stopTimersOf", ws, user), "time_entry_running"},
		"readDay":                    {store.BuiltDay(owner, store.Joins{}, ws, user, morning, morning.Add(24*time.Hour), 201), "time_entry_user time_entry_running"},
		"day with all it refers to":  {store.BuiltDay(member, allJoins, ws, user, morning, morning.Add(24*time.Hour), 201), "time_entry_user time_entry_running"},
		"entries with all of theirs": {store.BuiltEntriesPage(owner, timesheet.EntryFilter{}, page, allJoins), "time_entry_started"},
		"sumWeek":                    {constant("sumWeek", ws, user, month.From, month.From+6, morning, morning.Add(7*24*time.Hour)), "membership_pk time_entry_user"},
		"findOverlap":                {constant("findOverlap", ws, user, entries[0], morning, morning.Add(time.Hour)), "time_entry_user"},
		"create an entry":            {store.BuiltEntry(minding, new(projects[0]), nil, allJoins), "time_entry_user project_pk task_pk|task_in_project|task_name project_member_pk|project_member_user"},
		"switch timers":              {store.BuiltTimers(member, allJoins)[1], "time_entry_running time_entry_pk"},
		"stop a timer":               {store.BuiltTimers(member, allJoins)[2], "time_entry_running|time_entry_pk"},
		"entries of all":             {store.BuiltEntriesPage(owner, timesheet.EntryFilter{}, page), "time_entry_started"},
		"entries of a month":         {store.BuiltEntriesPage(owner, timesheet.EntryFilter{Period: &month}, page), "time_entry_started"},
		"entries of a person":        {store.BuiltEntriesPage(owner, timesheet.EntryFilter{Users: []timesheet.UserID{user}}, page), "time_entry_user"},
		"entries of one's own":       {store.BuiltEntriesPage(member, timesheet.EntryFilter{}, page), "time_entry_user"},
		"entries of a project":       {store.BuiltEntriesPage(owner, timesheet.EntryFilter{Projects: projects[:1]}, page), "time_entry_project"},
		"entries of projects":        {store.BuiltEntriesPage(owner, timesheet.EntryFilter{Projects: projects}, page), "time_entry_project"},
		"entries of clients":         {store.BuiltEntriesPage(owner, timesheet.EntryFilter{Clients: clients[:1]}, page), "time_entry_project"},
		"report of a month":          {report(owner, timesheet.EntryFilter{}), "time_entry_report"},
		"report of a month, members": {report(member, timesheet.EntryFilter{}), "time_entry_user"},
		"report of a project":        {report(owner, timesheet.EntryFilter{Projects: projects[:1]}), "time_entry_project"},
		"report of sums":             {months(owner, timesheet.EntryFilter{}), "project_rollup_pk rollup_unfolded"},
		"sums of a month":            {store.BuiltNamedReport(owner, timesheet.ReportInput{Period: month, GroupBy: []timesheet.GroupKey{timesheet.GroupProject, timesheet.GroupClient}, MaxRows: 1}), "project_rollup_pk rollup_unfolded"},
		"report of people's sums":    {months(owner, timesheet.EntryFilter{Users: []timesheet.UserID{user, owner.User}}), "rollup_pk"},
		"report of a project's sums": {months(owner, timesheet.EntryFilter{Projects: projects[:1]}), "project_rollup_pk rollup_unfolded|rollup_project|rollup_pk"},
		"summary of a month":         {store.BuiltSummary(owner, month), "time_entry_report"},
		"summary of a month, member": {store.BuiltSummary(member, month), "time_entry_user"},
		"report of a person":         {report(owner, timesheet.EntryFilter{Users: []timesheet.UserID{user}}), "time_entry_user"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
				if mode == "force_generic_plan" && strings.HasPrefix(name, "report") {
					continue // planned anew for each period
				}
				mustExec(t, conn, `SET plan_cache_mode = `+mode)
				plan := explain(t, conn, c.Built)
				for index := range strings.FieldsSeq(c.indexes) {
					if !regexp.MustCompile(`\b(` + index + `)\b`).MatchString(plan) {
						t.Errorf("%s does not use %s:\n%s", mode, index, plan)
					}
				}
				if strings.Contains(plan, "Seq Scan on time_entry") || strings.Contains(plan, "Seq Scan on rollup") || strings.Contains(plan, "Seq Scan on project_rollup") {
					t.Errorf("%s reads all entries:\n%s", mode, plan)
				}
				if alone := map[string]string{
					"report of a month": "report", "report of a month, members": "user", "report of a person": "user", "summary of a month, member": "user", "sumWeek": "user",
				}[name]; alone != "" && !strings.Contains(plan, "Index Only Scan using time_entry_"+alone) {
					t.Errorf("it reads rows:\n%s", plan)
				}
			}
		})
	}
}

// explain is the plan of a statement, made as plan_cache_mode says.
func explain(t testing.TB, conn *pgx.Conn, b store.Built) string {
	t.Helper()
	prepared, err := conn.Prepare(t.Context(), "hot", b.SQL)
	if err != nil {
		t.Fatalf("%v\n%s", err, b.SQL)
	}
	if len(b.Args) != len(prepared.ParamOIDs) {
		t.Fatalf("%d arguments for %d parameters\n%s", len(b.Args), len(prepared.ParamOIDs), b.SQL)
	}
	literals := make([]string, len(b.Args))
	for i, arg := range b.Args {
		text, err := conn.TypeMap().Encode(prepared.ParamOIDs[i], pgx.TextFormatCode, arg, nil)
		if err != nil {
			t.Fatalf("argument %d: %v\n%s", i+1, err, b.SQL)
		}
		literals[i] = "NULL"
		if text != nil {
			literals[i] = "'" + strings.ReplaceAll(string(text), "'", "''") + "'"
		}
	}
	rows, err := conn.Query(t.Context(), "EXPLAIN EXECUTE hot("+strings.Join(literals, ", ")+")", pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		t.Fatalf("%v\n%s", err, b.SQL)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%v\n%s", err, b.SQL)
	}
	if err := conn.Deallocate(t.Context(), "hot"); err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}
