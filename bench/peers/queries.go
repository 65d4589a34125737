package main

// Parts of documents in the languages of the others; PostGraphile names things
// after tables.
const (
	entryFields      = `id description startedAt endedAt seconds billable project { id name client { id name } } task { id name }`
	entryFieldsTable = `id: rowId description startedAt endedAt seconds billable project: projectByProjectId { id: rowId name client: clientByClientId { id: rowId name } } task: taskByTaskId { id: rowId name }`
	shortFields      = `id description startedAt endedAt project { id name }`
	shortFieldsTable = `id: rowId description startedAt endedAt project: projectByProjectId { id: rowId name }`
)

func myDay(w words, _ *data, _ person, _ int) []message {
	return []message{map[words]message{
		ours:         document(`query MyDay($date: Date!) { viewer { user { id name } } myDay(date: $date) { entries { `+entryFields+` } } }`, vars{"date": lastDay}),
		textbook:     document(`query MyDay($date: String!) { viewer { user { id name } } myDay(date: $date) { entries { `+entryFields+` } } }`, vars{"date": lastDay}),
		postgraphile: document(`query MyDay($date: Date!) { user: viewer { id: rowId name } entries: myDayList(day: $date) { `+entryFieldsTable+` } }`, vars{"date": lastDay}),
		statement:    plain("my-day", lastDay),
	}[w]}
}

func projectsWithTotals(w words, _ *data, _ person, _ int) []message {
	return []message{map[words]message{
		ours:         document(`query Projects { projects(first: 50) { nodes { id name client { id name } trackedSeconds } } }`, nil),
		textbook:     document(`query Projects { projects(first: 50) { id name client { id name } trackedSeconds } }`, nil),
		postgraphile: document(`query Projects { projects: myProjectsList(first: 50) { id: rowId name client: clientByClientId { id: rowId name } trackedSeconds } }`, nil),
		statement:    plain("projects", 50),
	}[w]}
}

func page(w words, _ *data, _ person, _ int) []message {
	return []message{map[words]message{
		ours:         document(`query Page { timeEntries(first: 50) { nodes { user { id name } tags { id name } `+entryFields+` } } }`, nil),
		textbook:     document(`query Page { timeEntries(first: 50) { user { id name } tags { id name } `+entryFields+` } }`, nil),
		postgraphile: document(`query Page { timeEntries: newestEntriesList(n: 50) { user: appUserByUserId { id: rowId name } tags: tagsList { id: rowId name } `+entryFieldsTable+` } }`, nil),
		statement:    plain("page", 50),
	}[w]}
}

// start is what an app asks for when it is opened.
func start(w words, d *data, who person, n int) []message {
	first := map[words][]message{
		ours: {
			document(`query Viewer { viewer { user { id name } } }`, nil),
			document(`query Running { runningTimer { `+shortFields+` } }`, nil),
			document(`query Names { projects(first: 50) { nodes { id name } } }`, nil),
			document(`query Clients { clients(first: 50) { nodes { id name } } }`, nil),
			document(`query Tags { tags(first: 50) { nodes { id name } } }`, nil),
		},
		textbook: {
			document(`query Viewer { viewer { user { id name } } }`, nil),
			document(`query Running { runningTimer { `+shortFields+` } }`, nil),
			document(`query Names { projects(first: 50) { id name } }`, nil),
			document(`query Clients { clients(first: 50) { id name } }`, nil),
			document(`query Tags { tags(first: 50) { id name } }`, nil),
		},
		postgraphile: {
			document(`query Viewer { user: viewer { id: rowId name } }`, nil),
			document(`query Running { runningTimer { `+shortFieldsTable+` } }`, nil),
			document(`query Names { projects: myProjectsList(first: 50) { id: rowId name } }`, nil),
			document(`query Clients { clients: myClientsList(first: 50) { id: rowId name } }`, nil),
			document(`query Tags { tags: myTagsList(first: 50) { id: rowId name } }`, nil),
		},
		statement: {plain("viewer"), plain("running"), plain("names", 50), plain("clients", 50), plain("tags", 50)},
	}[w]
	return append(first, myDay(w, d, who, n)...)
}
