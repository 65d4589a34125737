package store

// Functions of the database: what a workspace's rollup lacks, and adding it.
const (
	repairRollup = `/* repairRollup */
SELECT repair_rollup(w.workspace_id)
FROM workspace w
WHERE w.workspace_id = $1`
)
