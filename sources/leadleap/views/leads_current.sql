-- Grain: segment, id
-- Leads that exist: deleted ones are left out.
-- segment: the segment that found it
-- id: the lead's id
SELECT
    leads.segment,
    leads.id,
    {leads.columns}
FROM {leads} AS leads
WHERE leads.deleted_at IS NULL
