-- The versions of the price table, what servers have learned of how long
-- statements take, and what workspaces hold as prices need it: one for all
-- servers each, so that they price alike.

-- +goose Up
CREATE TABLE price_table (
  version      integer     NOT NULL,
  published_at timestamptz NOT NULL DEFAULT now(),
  author       text        NOT NULL,
  reason       text        NOT NULL,
  prices       jsonb       NOT NULL, -- all of them, by name
  CONSTRAINT price_table_pk PRIMARY KEY (version),
  CONSTRAINT price_table_version CHECK (version > 0),
  CONSTRAINT price_table_signed CHECK (author <> '' AND reason <> '')
);

CREATE TABLE learned_work (
  statement  text             NOT NULL,
  octave     smallint         NOT NULL, -- of the points: 2^octave and more
  weight     double precision NOT NULL, -- measurements behind it
  points     double precision NOT NULL, -- typical
  took       double precision NOT NULL, -- milliseconds, typical
  base       double precision NOT NULL, -- milliseconds when it was first known; 0: not yet
  updated_at timestamptz      NOT NULL DEFAULT now(),
  PRIMARY KEY (statement, octave)
);

CREATE TABLE workspace_counts (
  workspace_id bigint      NOT NULL,
  counted_at   timestamptz NOT NULL,
  counts       jsonb       NOT NULL,
  PRIMARY KEY (workspace_id)
);

-- +goose Down
DROP TABLE workspace_counts, learned_work, price_table;
