select
    submission.id as "SubmissionId",
    connection.name as "Connection",
    submission.file_name as "FileName",
    submission.data_type as "DataType",
    submission.received_at as "ReceivedDate",
    submission.state as "State",
    submission.code as "Code",
    submission.rows as "TotalRecords",
    submission.accepted as "Accepted",
    submission.warned as "Warned",
    submission.rejected as "Rejected",
    submission.duplicate as "Duplicate",
    submission.held as "Held",
    submission.finished_at as "CompletionDate"
from submission
join connection on connection.id = submission.connection_id
where (submission.received_at at time zone coalesce(%(time_zone)s, 'UTC'))::date
    between %(date_from)s and %(date_to)s
order by submission.id
