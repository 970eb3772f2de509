SELECT
    organization_id AS account,
    coalesce(source, 'Source ' || left(source_id, 8), 'no source') AS source,
    leads,
    qualified,
    converted,
    unusable
FROM {lead_source_quality} AS quality
