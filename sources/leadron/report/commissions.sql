SELECT
    tenant_id AS account,
    coalesce(status, 'unknown') AS status,
    count(*) AS commissions,
    count(DISTINCT partner_id) AS partners,
    count(DISTINCT lead_id) AS leads
FROM {commission_ledger} AS ledger
GROUP BY tenant_id, status
