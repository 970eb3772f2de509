-- Grain: organization_id, source_id
-- What came of each source's leads, and what they cost.
-- organization_id: the organization
-- source_id: the source; null for leads without one
-- source [account]: its name
-- leads: leads that came, archived ones too
-- open: leads that are open
-- qualified: leads that are qualified
-- converted: leads that were won
-- lost: leads that were lost
-- unusable: leads that are invalid or were there before
-- percent_converted: the share of leads that were won
-- cost: what the leads cost
-- cost_per_conversion: what a lead that was won cost
-- latest_lead_at: when its latest lead came
WITH found AS (
    SELECT
        organization_id,
        source__id AS source_id,
        max(source__name) AS source,
        count(*) AS leads,
        count(*) FILTER (WHERE current_lead_status__category = 'Open') AS open,
        count(*) FILTER (WHERE current_lead_status__category = 'Qualified') AS qualified,
        count(*) FILTER (WHERE current_lead_status__category = 'Converted') AS converted,
        count(*) FILTER (WHERE current_lead_status__category = 'Lost') AS lost,
        count(*) FILTER (WHERE current_lead_status__category IN ('Invalid', 'Duplicate')) AS unusable,
        sum(price) AS cost,
        max(created_at) AS latest_lead_at
    FROM {leads_current}
    GROUP BY organization_id, source__id
)

SELECT
    organization_id,
    source_id,
    source,
    leads,
    open,
    qualified,
    converted,
    lost,
    unusable,
    round(100.0 * converted / leads, 1) AS percent_converted,
    cost,
    cost / nullif(converted, 0) AS cost_per_conversion,
    latest_lead_at
FROM found
