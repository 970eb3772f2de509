-- Grain: tenant_id, id
-- Leads that exist: deleted ones are left out.
-- tenant_id: whose lead it is
-- id: the lead's id
SELECT
    leads.tenant_id,
    leads.id,
    {leads.columns}
FROM {leads} AS leads
WHERE leads.deleted_at IS NULL
