"""Tries that failed, in the record: few events whatever their number, and no more of who it was than is known."""

from collections.abc import Callable
from datetime import datetime

from auth_service.confirming.regulation import Failures, Report
from auth_service.proof import Proof
from shared.words.internal import User
from shared.words.messages import Who
from shared.words.names import Outcome


class FailedTries:
    """Those of one kind; `what` is the event that they make, for example `account:sign-in-failed`."""

    def __init__(self, what: str, proof: Proof, *, now: Callable[[], datetime]) -> None:
        self._what = what
        self._proof = proof
        self._now = now
        self._failures = Failures()

    async def tell(self, at: str, who: Who, user: User | None) -> None:
        """One more at `at` (an account, or the address of who knew none). Raises HomeError("no-proof")."""
        for report in self._failures.note(at, self._now()):
            await self._write(report, who, {"user": user.name} if user is not None and report.key == at else {})

    async def sweep(self) -> None:
        """Tell of those whose window is over."""
        for report in self._failures.sweep(self._now()):
            await self._write(report, Who(issuer="auth"), {})

    async def _write(self, report: Report, who: Who, detail: dict[str, str]) -> None:
        counted = {"count": str(report.count), "since": report.since.isoformat(timespec="seconds")}
        await self._proof.write(
            self._what, report.key, who, severity=report.severity, outcome=Outcome.REJECTED, detail=detail | counted
        )
