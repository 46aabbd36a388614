"""What pages say after a form, by the word in their address."""

from __future__ import annotations

DONE = {
    "created": "Created. Airflow makes its DAG within a minute.",
    "changed": "Changed. The next run works by the new revision.",
    "kept": "Nothing differs, so nothing was changed.",
    "deleted": "Deleted. The schedule rests; data and history stay.",
    "restored": "Restored, as it was.",
    "paused": "Paused. Nothing runs until it is unpaused.",
    "unpaused": "Unpaused. The schedule runs from now on.",
    "started": "Started. This page follows the run.",
    "approved": "Approved. It is being applied.",
    "refused": "Refused. Nothing of the file is applied.",
    "login_ended": "Ended. Nobody logs in with it any more.",
    "changed_here": "Changed. It holds for what comes from now on.",
    "returns": "Saved. Files of returns come this way from now on.",
    "trusted": "Trusted. What was trusted besides stays.",
    "distrusted": "Trusted no longer.",
    "credentials_deleted": "Deleted.",
    "integrated": "Added. Airflow makes the DAGs of its connections within a minute.",
    "integration_removed": "Removed from the menu. Its connections stay.",
    "backfilled": "Started. The days run one after the other, in a pool that gives way to daily work.",
    "going_on": "It goes on. This page follows the file.",
    "withdrawn": "Withdrawn. What it did to actions that are not locked is undone.",
    "submitted": "Taken. This page follows the file.",
    "replayed": "Taken again. This page follows the file.",
    "let_go": "Approved. A run sends it now.",
    "turned_down": "Refused. It is not sent.",
    "sent": "A new run sends the day again.",
    "stored": "Stored. No secret is ever shown again.",
    "nothing": "Nothing was chosen, so nothing was done.",
}
