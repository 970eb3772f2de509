-- Grain: tenant_id, partner_id
-- What each partner brought: leads with a commission, and commissions by state.
-- tenant_id: whose partner it is
-- partner_id: the partner's id
-- name [name]: their name
-- company [account]: where they work
-- tier: their tier
-- status: the partner's own state
-- leads: leads for which there is a commission of theirs
-- leads_won: those among them that are qualified or converted
-- commissions: commissions of theirs that exist
-- amount_pending [finance]: waiting for a decision
-- amount_approved [finance]: approved, and not paid yet
-- amount_rejected [finance]: rejected
-- amount_paid [finance]: paid
-- amount_other [finance]: in any other state
-- last_commission_at: when the latest was made
WITH sums AS (
    SELECT
        ledger.tenant_id,
        ledger.partner_id,
        count(DISTINCT ledger.lead_id) AS leads,
        count(DISTINCT ledger.lead_id) FILTER (
            WHERE ledger.lead_status IN ('qualified', 'converted')
        ) AS leads_won,
        count(*) AS commissions,
        sum(ledger.amount) FILTER (WHERE ledger.status = 'pending') AS amount_pending,
        sum(ledger.amount) FILTER (WHERE ledger.status = 'approved') AS amount_approved,
        sum(ledger.amount) FILTER (WHERE ledger.status = 'rejected') AS amount_rejected,
        sum(ledger.amount) FILTER (WHERE ledger.status = 'paid') AS amount_paid,
        sum(ledger.amount) FILTER (
            WHERE ledger.status IS NULL OR ledger.status NOT IN ('pending', 'approved', 'rejected', 'paid')
        ) AS amount_other,
        max(ledger.created_at) AS last_commission_at
    FROM {commission_ledger} AS ledger
    GROUP BY ledger.tenant_id, ledger.partner_id
)

SELECT
    partners.tenant_id,
    partners.id AS partner_id,
    coalesce(
        partners.name,
        nullif(trim(concat_ws(' ', partners.first_name, partners.last_name)), '')
    ) AS name,
    partners.company,
    partners.tier,
    partners.status,
    coalesce(sums.leads, 0) AS leads,
    coalesce(sums.leads_won, 0) AS leads_won,
    coalesce(sums.commissions, 0) AS commissions,
    coalesce(sums.amount_pending, 0) AS amount_pending,
    coalesce(sums.amount_approved, 0) AS amount_approved,
    coalesce(sums.amount_rejected, 0) AS amount_rejected,
    coalesce(sums.amount_paid, 0) AS amount_paid,
    coalesce(sums.amount_other, 0) AS amount_other,
    sums.last_commission_at
FROM {partners} AS partners
LEFT JOIN sums
    ON partners.tenant_id = sums.tenant_id AND partners.id = sums.partner_id
WHERE partners.deleted_at IS NULL
