select
    submission.id as "SubmissionId",
    connection.name as "Connection",
    connection_program.program as "Program",
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
left join connection_program on (connection_program.connection_id, connection_program.revision)
    = (submission.connection_id, submission.revision)
left join program on program.key = connection_program.program
where (%(program)s::text is null or connection_program.program = %(program)s)
    and (case %(date_basis)s::text when 'updated' then submission.finished_at else submission.received_at end
        at time zone coalesce(%(time_zone)s, program.time_zone, 'UTC'))::date
        between %(date_from)s and %(date_to)s
order by submission.id
