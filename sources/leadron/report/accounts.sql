SELECT
    leads.tenant_id AS account,
    count(*) AS leads,
    count(*) FILTER (WHERE leads.created_at >= {now} - INTERVAL '7 days') AS leads_new,
    count(*) FILTER (WHERE leads.status IN ('new', 'contacted', 'qualified')) AS leads_open,
    count(*) FILTER (WHERE leads.status = 'converted') AS leads_converted,
    count(*) FILTER (WHERE leads.assigned_to IS NULL) AS leads_nobodys
FROM {leads_current} AS leads
GROUP BY leads.tenant_id
