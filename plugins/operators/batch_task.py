"""A task for a batch of submissions, each on its own: one bad file never blocks the others."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk.exceptions import AirflowFailException

from data_connections.errors import StandsStill
from data_connections.steps.backfill import Conduct
from hooks.failures import FAILURE, FINAL, TaskFailed, task_failure, words_of
from hooks.log_lines import about_submission
from operators.connection_task import ConnectionTask

if TYPE_CHECKING:
    from airflow.sdk import Context

    from data_connections.ledger import Ledger
    from data_connections.steps.pinned_run import PinnedRun

Step = Callable[[int], Any]
_OF_BATCH = "(id = any(%(batch)s) or parcel_id = any(%(batch)s))"


class BatchTask(ConnectionTask):
    """Runs one step of the core for every submission of a batch, and tells of the failures at the end.

    Args:
        batch: ``submissions`` (ids) and ``names`` (for people), as ``wait_for_files`` returns them.
    """

    template_fields = ("batch",)

    due: ClassVar[str]
    """SQL condition on ``submission``: what this step has something to do for."""

    def __init__(self, *, batch: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.batch = batch

    def work(self, context: Context) -> dict[str, str]:
        """Return the state of each submission, by its id.

        Raises:
            TaskFailed: Some failed, and trying again may help.
            AirflowFailException: Some failed, and it would not help.
            StandsStill: Applying or sending is stopped.
        """
        try:
            return self._process(context)
        except StandsStill:
            raise
        except Exception as error:
            context["ti"].xcom_push(key=FAILURE, value=words_of(error))
            raise task_failure(self.connection, error) from error

    def _process(self, context: Context) -> dict[str, str]:
        dag_run = context["dag_run"]
        self.conduct = Conduct.of_run(dag_run.run_type, dag_run.conf)
        ledger = self.ledger()
        failures: dict[int, Exception] = {}
        if due := self._due(ledger):
            with self.opened(ledger, self.run_of(context)) as step:
                failures = self._take_steps(ledger, step, due)
        if failures:
            raise self._failure(failures)
        return self._states(ledger)

    def _take_steps(self, ledger: Ledger, step: Step, due: list[int]) -> dict[int, Exception]:
        failures: dict[int, Exception] = {}
        done: set[int] = set()
        while due:
            for submission in due:
                with about_submission(submission):
                    try:
                        self.log.info("Submission %s: %s", submission, step(submission))
                    except StandsStill:
                        raise
                    except Exception as error:
                        self.log.exception("Submission %s failed", submission)
                        failures[submission] = error
            done.update(due)
            # A parcel that was unpacked has brought submissions of its own.
            due = [submission for submission in self._due(ledger) if submission not in done]
        return failures

    def _due(self, ledger: Ledger) -> list[int]:
        """Return what there is to do, in claim order; where there is nothing, nobody logs in anywhere."""
        query = f"select id from submission where {_OF_BATCH} and {self.due} order by turn, number"
        return [row["id"] for row in ledger.all(query, {"batch": self.batch["submissions"]})]

    @abstractmethod
    @contextmanager
    def opened(self, ledger: Ledger, run: PinnedRun) -> Iterator[Step]:
        """Open what the step needs, and yield the step for one submission."""

    def _failure(self, failures: dict[int, Exception]) -> Exception:
        sentences = "; ".join(f"submission {submission}: {words_of(error)}" for submission, error in failures.items())
        text = f"{len(failures)} of {len(self.batch['submissions'])} files failed: {sentences}"
        is_final = all(isinstance(error, FINAL) for error in failures.values())
        return AirflowFailException(text) if is_final else TaskFailed(text)

    def _states(self, ledger: Ledger) -> dict[str, str]:
        query = f"select id, state from submission where {_OF_BATCH}"
        rows = ledger.all(query, {"batch": self.batch["submissions"]})
        return {str(row["id"]): row["state"] for row in rows}
