-- Grain: tenant_id, id
-- Every commission that exists, with its partner and lead: who is owed what, for whom, since when.
-- tenant_id: whose commission it is
-- id: the commission's id
-- partner_id: who earns it
-- partner_name [name]: their name
-- partner_company [account]: where they work
-- partner_tier: their tier
-- lead_id: the lead that it is for
-- lead_status: where that lead stands
-- type: `flat`, `percentage` or another
-- status: `pending`, `approved`, `rejected`, `paid` or another
-- amount [finance]: how much, in no stated currency
-- created_at: when it was made
-- paid_at: when it was paid
-- days_until_paid: days between those two
SELECT
    records.tenant_id,
    records.id,
    records.partner_id,
    coalesce(
        partners.name,
        nullif(trim(concat_ws(' ', partners.first_name, partners.last_name)), '')
    ) AS partner_name,
    partners.company AS partner_company,
    partners.tier AS partner_tier,
    records.lead_id,
    leads.status AS lead_status,
    records.type,
    records.status,
    records.amount,
    records.created_at,
    records.paid_at,
    round(
        CAST(extract(EPOCH FROM (records.paid_at - records.created_at)) / 86400.0 AS numeric), 1
    ) AS days_until_paid
FROM {commission_records} AS records
LEFT JOIN {partners} AS partners
    ON records.tenant_id = partners.tenant_id AND records.partner_id = partners.id
LEFT JOIN {leads} AS leads
    ON records.tenant_id = leads.tenant_id AND records.lead_id = leads.id
WHERE records.deleted_at IS NULL
