-- How much each tenant asks in its busiest minute, and holds, by week: what
-- capacity is planned from. Replicas add up their minutes in usage_minute, which
-- a job folds into weeks and empties. Weeks begin on Monday in UTC.

-- +goose Up
CREATE TABLE usage_minute (
  workspace_id bigint      NOT NULL,
  minute       timestamptz NOT NULL,
  operations   bigint      NOT NULL,
  PRIMARY KEY (workspace_id, minute)
);

CREATE TABLE usage_week (
  workspace_id bigint NOT NULL, -- 0: all tenants together, whose busiest minute is another than each one's
  week         date   NOT NULL,
  peak_minute  bigint NOT NULL, -- operations asked in the busiest minute
  entries      bigint NOT NULL DEFAULT 0, -- finished ones that were held when it was last looked at
  PRIMARY KEY (workspace_id, week)
);

-- +goose Down
DROP TABLE usage_week, usage_minute;
