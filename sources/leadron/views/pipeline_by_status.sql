-- Grain: tenant_id, status, assigned_to
-- How many leads stand in each status with each user, and for how long: since they were made, and last changed.
-- tenant_id: whose leads they are
-- status: where in the pipeline, in the API's words
-- assigned_to: the user they are assigned to; null where nobody is
-- leads: leads that exist
-- leads_new_in_7_days: those made within a week before `read_at`
-- median_age_days: days since half of them were made, or longer
-- oldest_age_days: days since the oldest of them was made
-- median_days_unchanged: days since half of them last changed, or longer
-- average_score: their mean score
-- read_at: when the latest of them was read; ages count until then
WITH dated AS (
    SELECT
        leads.*,
        max(leads.synced_at) OVER (PARTITION BY leads.tenant_id) AS now_at
    FROM {leads_current} AS leads
),

aged AS (
    SELECT
        dated.*,
        extract(EPOCH FROM (dated.now_at - dated.created_at)) / 86400.0 AS age_days,
        extract(EPOCH FROM (dated.now_at - dated.updated_at)) / 86400.0 AS unchanged_days
    FROM dated
)

SELECT
    aged.tenant_id,
    aged.status,
    aged.assigned_to,
    count(*) AS leads,
    count(*) FILTER (WHERE aged.age_days < 7) AS leads_new_in_7_days,
    round(CAST(percentile_cont(0.5) WITHIN GROUP (ORDER BY aged.age_days) AS numeric), 1) AS median_age_days,
    round(CAST(max(aged.age_days) AS numeric), 1) AS oldest_age_days,
    round(
        CAST(percentile_cont(0.5) WITHIN GROUP (ORDER BY aged.unchanged_days) AS numeric), 1
    ) AS median_days_unchanged,
    round(CAST(avg(aged.score) AS numeric), 1) AS average_score,
    max(aged.synced_at) AS read_at
FROM aged
GROUP BY aged.tenant_id, aged.status, aged.assigned_to
