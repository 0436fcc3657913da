"""Several workers at once, one call at a time: before each call every worker waits until chance lets it go on."""

import random
import threading
from collections.abc import Callable, Sequence
from typing import Any

from tests.crash.faults import ANY_CALL, BATCH_CALL, PARTLY, PARTLY_KILLED, Killed, after, before


class _Worker:
    """A job in a thread. `go` is a lock that whoever goes on takes and whoever went before gives, which costs less than
    semaphores do; it begins taken.
    """

    def __init__(self, job: Callable[[], None], turns: "Turns") -> None:
        self.go = threading.Lock()
        self.go.acquire()
        self.error: BaseException | None = None
        self._job, self._turns = job, turns
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        self.go.acquire()
        try:
            self._job()
        except BaseException as error:  # shown by whoever runs the workers
            self.error = error
        self._turns.end(self)


class Turns:
    """Lets jobs run by turns: whoever waits or ends chooses who goes on, and mostly wakes nobody but them."""

    def __init__(self, dice: random.Random) -> None:
        self._dice, self._workers = dice, dict[threading.Thread, _Worker]()
        self._running, self._over = list[_Worker](), threading.Lock()
        self._over.acquire()

    def run(self, jobs: Sequence[Callable[[], None]]) -> None:
        """Run jobs to their ends. Raises what one of them raised."""
        workers = [_Worker(job, self) for job in jobs]
        if not workers:
            return
        self._running = list(workers)
        for worker in workers:
            self._workers[worker.thread] = worker  # not by its ident, which a thread of a pool may get after its end
            worker.thread.start()
        self._dice.choice(self._running).go.release()
        self._over.acquire()
        for worker in workers:
            worker.thread.join()
            if worker.error:
                raise worker.error
        self._workers.clear()

    def wait(self) -> None:
        """Called by a job before each of its calls."""
        if worker := self._workers.get(threading.current_thread()):
            chosen = self._dice.choice(self._running)
            if chosen is not worker:
                chosen.go.release()
                worker.go.acquire()

    def end(self, worker: _Worker) -> None:
        """A job has ended: another one goes on, or whoever runs them."""
        self._running.remove(worker)
        (self._dice.choice(self._running).go if self._running else self._over).release()


class FaultyClient:
    """A client of DynamoDB for jobs that run by turns; a share of its calls goes wrong. `crashes` counts them."""

    def __init__(self, client: Any, turns: Turns, dice: random.Random) -> None:
        self._client, self._turns, self._dice = client, turns, dice
        self.rate, self.crashes, self.hit_puts = 0.0, 0, list[tuple[str, str]]()

    def __getattr__(self, name: str) -> Any:
        def call(**request: Any) -> Any:
            self._turns.wait()
            kind = self._fault(name)
            before(kind, name)
            if kind in (PARTLY, PARTLY_KILLED):
                return self._part(request, kind)
            answer = getattr(self._client, name)(**request)
            self._look(request)
            after(kind, name)
            return answer

        return call

    def _fault(self, name: str) -> str | None:
        if self._dice.random() >= self.rate:
            return None
        self.crashes += 1
        return self._dice.choice(BATCH_CALL if name == "batch_write_item" else ANY_CALL)

    def _part(self, request: dict[str, Any], kind: str) -> Any:
        ((table, puts),) = request["RequestItems"].items()
        done = self._dice.randrange(len(puts))
        if done:
            self._client.batch_write_item(RequestItems={table: puts[:done]})
        if kind == PARTLY_KILLED:
            raise Killed("batch_write_item")
        return {"UnprocessedItems": {table: puts[done:]}}

    def _look(self, request: dict[str, Any]) -> None:
        """Remember each hit's row that was written."""
        for item in request.get("TransactItems", ()):
            row = item["Put"]["Item"]
            if row["pk"]["S"].startswith("H#"):
                self.hit_puts.append((row["pk"]["S"], row["sk"]["S"]))
