-- Grain: organization_id, day, channel, direction
-- Texts and calls by day, UTC, without warm-ups and tests.
-- organization_id: the organization
-- day: the day, UTC
-- channel: text or call
-- direction: whether they came in or went out
-- messages: how many
-- reached: texts that were delivered or came in, calls that were answered
-- failed: those that failed or were blocked
-- automated: texts that nobody wrote
-- minutes: minutes of calls
-- cost: what they cost
WITH messages AS (
    SELECT
        organization_id,
        created_at,
        'text' AS channel,
        direction,
        delivered_at IS NOT NULL OR received_at IS NOT NULL AS reached,
        coalesce(failed_at, undeliverable_at, blocked_at) IS NOT NULL AS failed,
        coalesce(is_automated, false) AS automated,
        CAST(NULL AS bigint) AS duration,
        billable_amount
    FROM {sms_events}
    WHERE deleted_at IS NULL AND coalesce(traffic_type, 'RealLead') = 'RealLead'
    UNION ALL
    SELECT
        organization_id,
        created_at,
        'call' AS channel,
        direction,
        answered_at IS NOT NULL AS reached,
        coalesce(lower(status), '') = 'failed' OR coalesce(lower(status), '') LIKE 'blocked%' AS failed,
        false AS automated,
        duration,
        billable_amount
    FROM {call_events}
    WHERE deleted_at IS NULL
)

SELECT
    organization_id,
    CAST(created_at AT TIME ZONE 'UTC' AS date) AS day,
    channel,
    direction,
    count(*) AS messages,
    count(*) FILTER (WHERE reached) AS reached,
    count(*) FILTER (WHERE failed) AS failed,
    count(*) FILTER (WHERE automated) AS automated,
    round(CAST(sum(duration) AS decimal(18, 2)) / 60, 1) AS minutes,
    sum(billable_amount) AS cost
FROM messages
GROUP BY 1, 2, 3, 4
