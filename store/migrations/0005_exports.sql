-- Files that people ask for, as jobs: a row is queued, run by one replica and
-- told apart by its status. The file itself lies in the folder of the replica
-- that wrote it, which folder names.

-- +goose Up
CREATE TABLE export_job (
  workspace_id   bigint      NOT NULL,
  id             bigint      NOT NULL DEFAULT nextval('object_id'),
  user_id        bigint      NOT NULL,
  status         text        NOT NULL DEFAULT 'QUEUED',
  input          jsonb       NOT NULL,
  folder         text        NOT NULL DEFAULT '',
  attempts       integer     NOT NULL DEFAULT 0,
  rows_done      bigint      NOT NULL DEFAULT 0,
  rows_estimated bigint,
  bytes          bigint,
  sha256         text,
  failure        text,
  created_at     timestamptz NOT NULL DEFAULT now(),
  started_at     timestamptz,
  finished_at    timestamptz,
  expires_at     timestamptz NOT NULL,
  CONSTRAINT export_job_pk PRIMARY KEY (workspace_id, id),
  CONSTRAINT export_job_member_fk FOREIGN KEY (workspace_id, user_id) REFERENCES membership,
  CONSTRAINT export_job_status CHECK (status IN ('QUEUED', 'RUNNING', 'READY', 'FAILED', 'CANCELED', 'EXPIRED'))
);
-- One runs in a workspace: whoever claims a second one fails.
CREATE UNIQUE INDEX export_job_running ON export_job (workspace_id) WHERE status = 'RUNNING';
CREATE INDEX export_job_open ON export_job (id) WHERE status IN ('QUEUED', 'RUNNING', 'READY');
CREATE INDEX export_job_member ON export_job (workspace_id, user_id, id);
