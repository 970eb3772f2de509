-- Grain: organization_id, id
-- Appointments, call-backs and tasks, each as it was written down last.
-- organization_id: the organization
-- id: the change of status that holds it
-- kind: appointment, callback or task
-- begins_at: when it begins, or is due
-- ends_at: when it ends
-- lead_id: the lead
-- lead_name: the lead's name
-- outcome: what came of it
-- category: where the lead stands since
-- follow_up_status: whether somebody followed up
-- notes: what somebody wrote about it
-- appointment_notes: what was noted for it
-- assigned_to_user_id: who is to do it
-- is_missed_call_follow_up: whether it follows a missed call
-- source_id: the lead's source
-- created_at: when it was made
SELECT
    organization_id,
    id,
    CASE
        WHEN appointment_start_at IS NOT NULL THEN 'appointment'
        WHEN callback_at IS NOT NULL THEN 'callback'
        ELSE 'task'
    END AS kind,
    coalesce(appointment_start_at, callback_at, task_due_at) AS begins_at,
    appointment_end_at AS ends_at,
    lead_id,
    lead_name,
    outcome,
    category,
    follow_up_status,
    notes,
    appointment_notes,
    assigned_to_user_id,
    is_missed_call_follow_up,
    source_id,
    created_at
FROM {lead_status_changes}
WHERE deleted_at IS NULL AND coalesce(appointment_start_at, callback_at, task_due_at) IS NOT NULL
