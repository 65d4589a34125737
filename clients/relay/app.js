// What an app on Relay would hold: relay-compiler reads the tagged texts.

export const query = graphql`
  query appQuery($count: Int!, $cursor: String) {
    viewer { user { id ...app_person } }
    ...app_entries @arguments(count: $count, cursor: $cursor)
  }
`;

export const person = graphql`
  fragment app_person on User { name role }
`;

export const entries = graphql`
  fragment app_entries on Query
  @argumentDefinitions(count: { type: "Int!" }, cursor: { type: "String" })
  @refetchable(queryName: "appEntriesPage") {
    timeEntries(first: $count, after: $cursor) @connection(key: "app_timeEntries") {
      edges { node { id day seconds project { id ...app_project } } }
    }
  }
`;

export const project = graphql`
  fragment app_project on Project
  @argumentDefinitions(count: { type: "Int", defaultValue: 3 }, cursor: { type: "String" })
  @refetchable(queryName: "appTasksPage") {
    name
    tasks(first: $count, after: $cursor) @connection(key: "app_tasks") { edges { node { id name } } }
  }
`;
