-- Grain: organization_id, id
-- Leads that exist, archived ones too: deleted ones are left out.
-- organization_id: the organization
-- id: the lead's id
SELECT
    leads.organization_id,
    leads.id,
    {leads.columns}
FROM {leads} AS leads
WHERE leads.deleted_at IS NULL
