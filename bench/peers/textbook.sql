-- The tables of a server by the book, with the rows of headroom's own: no sums
-- but one per project, no audit, no history.
CREATE SCHEMA textbook;

CREATE TABLE textbook.app_user AS SELECT user_id AS id, workspace_id, name FROM membership;
CREATE TABLE textbook.client AS SELECT id, workspace_id, name FROM client;
CREATE TABLE textbook.project AS SELECT id, workspace_id, client_id, name FROM project;
CREATE TABLE textbook.task AS SELECT id, project_id, name FROM task;
CREATE TABLE textbook.tag AS SELECT id, workspace_id, name FROM tag;
CREATE TABLE textbook.time_entry AS
SELECT id, workspace_id, user_id, project_id, task_id, started_at, ended_at, description, billable
FROM time_entry
ORDER BY workspace_id, started_at;
CREATE TABLE textbook.entry_tag AS
SELECT e.id AS entry_id, t.id AS tag_id
FROM time_entry e, unnest(e.tag_ids) AS t (id);
CREATE TABLE textbook.project_total AS
SELECT project_id, extract(epoch FROM sum(ended_at - started_at))::bigint AS seconds
FROM textbook.time_entry
GROUP BY project_id;

ALTER TABLE textbook.app_user ADD PRIMARY KEY (id);
ALTER TABLE textbook.client ADD PRIMARY KEY (id);
ALTER TABLE textbook.project ADD PRIMARY KEY (id), ADD FOREIGN KEY (client_id) REFERENCES textbook.client;
ALTER TABLE textbook.task ADD PRIMARY KEY (id), ADD FOREIGN KEY (project_id) REFERENCES textbook.project;
ALTER TABLE textbook.tag ADD PRIMARY KEY (id);
ALTER TABLE textbook.time_entry ADD PRIMARY KEY (id),
  ALTER COLUMN id SET DEFAULT gen_random_uuid(),
  ADD FOREIGN KEY (user_id) REFERENCES textbook.app_user,
  ADD FOREIGN KEY (project_id) REFERENCES textbook.project,
  ADD FOREIGN KEY (task_id) REFERENCES textbook.task;
ALTER TABLE textbook.entry_tag ADD PRIMARY KEY (entry_id, tag_id),
  ADD FOREIGN KEY (entry_id) REFERENCES textbook.time_entry,
  ADD FOREIGN KEY (tag_id) REFERENCES textbook.tag;
ALTER TABLE textbook.project_total ADD PRIMARY KEY (project_id), ADD FOREIGN KEY (project_id) REFERENCES textbook.project;

CREATE INDEX ON textbook.time_entry (user_id, started_at);
CREATE INDEX ON textbook.time_entry (project_id, started_at);
CREATE INDEX ON textbook.time_entry (workspace_id, started_at);
CREATE UNIQUE INDEX ON textbook.time_entry (user_id) WHERE ended_at IS NULL;
CREATE INDEX ON textbook.project (workspace_id, name);
CREATE INDEX ON textbook.client (workspace_id, name);
CREATE INDEX ON textbook.tag (workspace_id, name);
CREATE INDEX ON textbook.task (project_id);
