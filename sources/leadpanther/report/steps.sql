SELECT client_id AS account, activity, leads, leads_with_intent, leads_hot
FROM {client_scorecard} AS clients
