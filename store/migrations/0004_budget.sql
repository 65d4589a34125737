-- What a project may take: time or money, in all or each month.

-- +goose Up
CREATE TABLE budget (
  workspace_id bigint   NOT NULL,
  project_id   bigint   NOT NULL,
  seconds      bigint,
  minor        bigint,
  currency     text,
  period       text     NOT NULL,
  alerts       integer[] NOT NULL,
  CONSTRAINT budget_pk PRIMARY KEY (workspace_id, project_id),
  CONSTRAINT budget_project_fk FOREIGN KEY (workspace_id, project_id) REFERENCES project,
  CONSTRAINT budget_period CHECK (period IN ('TOTAL', 'MONTHLY')),
  CONSTRAINT budget_unit CHECK ((seconds IS NULL) <> (minor IS NULL) AND (minor IS NULL) = (currency IS NULL)),
  CONSTRAINT budget_amount CHECK (seconds BETWEEN 1 AND 9007199254740992 AND minor IS NULL OR minor BETWEEN 1 AND 9007199254740992),
  CONSTRAINT budget_alerts CHECK (cardinality(alerts) <= 10)
);
