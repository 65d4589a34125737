-- Rates, invoiced entries, closed books, and a change of the workspace's zone.

-- +goose Up
-- Days up to locked_through are closed. While pending_time_zone is set, a
-- transaction in the background moves entries to their days in that zone.
ALTER TABLE workspace
  ADD COLUMN locked_through    date,
  ADD COLUMN pending_time_zone text;

-- Each entry keeps the hourly rates of its day, what is billed and what it
-- costs, in the minor unit of its currency and of the workspace's.
ALTER TABLE time_entry
  ADD COLUMN cost_minor  bigint NOT NULL DEFAULT 0,
  ADD COLUMN invoiced_at timestamptz,
  ADD CONSTRAINT time_entry_cost CHECK (cost_minor BETWEEN 0 AND 1000000000);

-- The scope that wins comes first.
ALTER TABLE project
  ADD COLUMN rate_order text[] NOT NULL DEFAULT '{TASK,PROJECT_MEMBER,PROJECT,MEMBER,WORKSPACE}',
  ADD CONSTRAINT project_rate_order CHECK (cardinality(rate_order) = 5
    AND rate_order @> '{TASK,PROJECT_MEMBER,PROJECT,MEMBER,WORKSPACE}');

-- An hourly rate from a day on, until the next of the same subject and kind.
-- Without an amount the next scope's rate counts; 0 is free.
CREATE TABLE rate (
  workspace_id   bigint NOT NULL,
  id             bigint NOT NULL DEFAULT nextval('object_id'),
  kind           text   NOT NULL,
  user_id        bigint,
  project_id     bigint,
  task_id        bigint,
  effective_from date   NOT NULL DEFAULT '-infinity',
  minor          bigint,
  currency       text   NOT NULL,
  scope          text   NOT NULL GENERATED ALWAYS AS (CASE
    WHEN task_id IS NOT NULL THEN 'TASK'
    WHEN project_id IS NOT NULL AND user_id IS NOT NULL THEN 'PROJECT_MEMBER'
    WHEN project_id IS NOT NULL THEN 'PROJECT'
    WHEN user_id IS NOT NULL THEN 'MEMBER'
    ELSE 'WORKSPACE' END) STORED,
  -- One key for all scopes: looking a rate up is one scan of an index.
  subject        text   NOT NULL GENERATED ALWAYS AS (CASE
    WHEN task_id IS NOT NULL THEN 'T' || task_id::text
    WHEN project_id IS NOT NULL AND user_id IS NOT NULL THEN 'P' || project_id::text || 'U' || user_id::text
    WHEN project_id IS NOT NULL THEN 'P' || project_id::text
    WHEN user_id IS NOT NULL THEN 'U' || user_id::text
    ELSE 'W' END) STORED,
  CONSTRAINT rate_pk PRIMARY KEY (workspace_id, id),
  CONSTRAINT rate_once UNIQUE (workspace_id, subject, kind, effective_from),
  CONSTRAINT rate_workspace_fk FOREIGN KEY (workspace_id) REFERENCES workspace,
  CONSTRAINT rate_user_fk FOREIGN KEY (workspace_id, user_id) REFERENCES membership,
  CONSTRAINT rate_project_fk FOREIGN KEY (workspace_id, project_id) REFERENCES project,
  CONSTRAINT rate_task_fk FOREIGN KEY (workspace_id, task_id) REFERENCES task,
  CONSTRAINT rate_kind CHECK (kind IN ('BILL', 'COST')),
  CONSTRAINT rate_scope CHECK (task_id IS NULL OR project_id IS NULL AND user_id IS NULL),
  CONSTRAINT rate_minor CHECK (minor BETWEEN 0 AND 1000000000),
  CONSTRAINT rate_currency CHECK (currency ~ '^[A-Z]{3}$')
);

-- rate_on is the hourly rates of one person's work on a day; null where no
-- scope has one. It is written so that the planner puts it in the place of its
-- call: each write of an entry asks it.
-- +goose StatementBegin
CREATE FUNCTION rate_on(ws bigint, person bigint, project bigint, task bigint, on_day date)
RETURNS TABLE (bill_minor bigint, bill_currency text, cost_minor bigint) LANGUAGE sql STABLE AS
$$
SELECT (array_agg(l.minor ORDER BY l.place) FILTER (WHERE l.kind = 'BILL'))[1],
       (array_agg(l.currency ORDER BY l.place) FILTER (WHERE l.kind = 'BILL'))[1],
       (array_agg(l.minor ORDER BY l.place) FILTER (WHERE l.kind = 'COST'))[1]
FROM (
  SELECT DISTINCT ON (r.subject, r.kind) r.kind, r.minor, r.currency,
         array_position(coalesce((SELECT p.rate_order FROM project p WHERE p.workspace_id = ws AND p.id = rate_on.project),
                                 '{TASK,PROJECT_MEMBER,PROJECT,MEMBER,WORKSPACE}'), r.scope) AS place
  FROM rate r
  WHERE r.workspace_id = ws
    AND r.subject = ANY (ARRAY['W', 'U' || person::text, 'P' || rate_on.project::text,
                               'P' || rate_on.project::text || 'U' || person::text, 'T' || task::text])
    AND r.effective_from <= on_day
  ORDER BY r.subject, r.kind, r.effective_from DESC
) l
WHERE l.minor IS NOT NULL
$$;
-- +goose StatementEnd
