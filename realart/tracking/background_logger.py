"""A training's events, logged to MLflow by a thread: the store never holds the training up.

While the store can't be used, events wait in a queue. Those that still wait when the training has
ended are kept in files, which the outbox sends.
"""

import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Condition, Event, Thread
from typing import Any

from mlflow.environment_variables import MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL
from mlflow.system_metrics.metrics.cpu_monitor import CPUMonitor
from mlflow.system_metrics.metrics.disk_monitor import DiskMonitor
from mlflow.system_metrics.metrics.gpu_monitor import GPUMonitor
from mlflow.system_metrics.metrics.network_monitor import NetworkMonitor
from mlflow.system_metrics.metrics.rocm_monitor import ROCMMonitor
from tqdm import tqdm

from realart.core import interrupts
from realart.core.errors import RealartError
from realart.core.project import BY_HAND, in_pipeline
from realart.tracking import kept_trainings, store, training_runs
from realart.tracking.store import StoreUnavailableError
from realart.tracking.training_runs import MetricEvent, TrainingRecord, TrainingRuns
from realart.training.folds import EpochCallback, FoldResult

SAMPLING_SECONDS = 5
"""Between two samples of the machine's metrics, unless MLflow's own setting is another."""
RETRY_SECONDS = 10
"""Until a store that can't be used is tried again."""
WAIT_SECONDS = 20
"""For which a training waits for the store at most, once before it begins and once at its end."""


class BackgroundLogger:
    """Logs the events of a training in their order, by a thread of its own.

    Raises
    ------
    RealartError
        The store refuses the training: its experiment was deleted.
    """

    outcome = ""
    """The fingerprint of what the training made, to be set once it has: without, it has failed."""
    interrupted = False
    """Whether the training was interrupted, and is killed rather than failed."""

    def __init__(self, record: TrainingRecord) -> None:
        self._record = record
        self._runs: TrainingRuns | None = None
        self._queue = deque([MetricEvent(record.began)])
        self._changed = Condition()
        self._tried = Event()
        self._refusal: RealartError | None = None
        self._unavailable = self._closing = False
        self._thread = Thread(target=self._log_queue, name="MLflow", daemon=True)
        self._thread.start()
        self._tried.wait(WAIT_SECONDS)
        if self._refusal:
            raise self._refusal

    def log(self, *events: MetricEvent) -> None:
        """Put events into the queue, and return at once."""
        with self._changed:
            self._queue.extend(events)
            self._changed.notify_all()

    def begin_fold(self, fold: int) -> EpochCallback:
        """Log that a fold begins; return the function that logs its epochs."""
        self.log(MetricEvent(training_runs.now(), fold))
        return lambda epoch: self.log(training_runs.epoch_event(fold, epoch))

    def end_fold(self, fold: int, result: FoldResult) -> None:
        """Log the history of a fold, its held-out figures, and that it has ended."""
        self.log(*training_runs.fold_events(fold, result))

    def close(self) -> None:
        """Log the end and wait for the queue; what stays in it is kept if there is an outcome."""
        self.log(training_runs.end_event(self.outcome, interrupted=self.interrupted))
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(WAIT_SECONDS)
        if self._queue and self.outcome:
            kept_trainings.keep(self.outcome, self._record, list(self._queue))
            self._print("lacks a part of this training: `realart send` sends it")

    def _log_queue(self) -> None:
        while event := self._next_event():
            logged = self._log_event(event)
            self._tried.set()
            if logged:
                self._queue.popleft()
            elif self._closing or self._refusal:
                return
            else:
                with self._changed:
                    self._changed.wait_for(lambda: self._closing, RETRY_SECONDS)

    def _next_event(self) -> MetricEvent | None:
        """Return the first event of the queue when there is one; None if no more will come."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closing)
            return self._queue[0] if self._queue else None

    def _log_event(self, event: MetricEvent) -> bool:
        """Log an event; return whether the store took it."""
        try:
            with store.translated_errors():
                if not self._runs:
                    self._runs = TrainingRuns(store.connect(), self._record)
                self._runs.log(event)
        except StoreUnavailableError as error:
            self._runs = None  # all is found again by its id
            self._print_change(True, f"can't be used ({error.reason}): training goes on")
            return False
        except RealartError as error:
            self._refusal = error
            if self._tried.is_set():
                self._print(f"refuses this training: {error}")
            return False
        self._print_change(False, "can be used again")
        return True

    def _print_change(self, unavailable: bool, message: str) -> None:
        if unavailable != self._unavailable:
            self._unavailable = unavailable
            self._print(message)

    def _print(self, message: str) -> None:
        tqdm.write(f"train: MLflow at {store.redacted_uri()} {message}", file=sys.stderr)


class NoLogger(BackgroundLogger):
    """Takes the events of a training that is not to be logged."""

    def __init__(self) -> None:
        pass

    def log(self, *events: MetricEvent) -> None:
        """Do nothing."""


@contextmanager
def log_pipeline(record: TrainingRecord) -> Iterator[BackgroundLogger]:
    """Log a training as `log_in_background` does if DVC runs it as a stage.

    One that is started by hand would be a run without an evaluation: nothing of it is logged.
    """
    if not in_pipeline():
        print(f"train: not logged to MLflow, {BY_HAND}", file=sys.stderr)
        yield NoLogger()
        return
    with log_in_background(record) as logger:
        yield logger


@contextmanager
def log_in_background(record: TrainingRecord) -> Iterator[BackgroundLogger]:
    """Yield the logger of a training, and log the machine's metrics while the block runs.

    The block sets the logger's `outcome` at its end; a training without one has failed, or was
    killed if the block is interrupted.
    """
    logger = BackgroundLogger(record)
    try:
        with _machine_metrics_logged(logger):
            yield logger
    except (KeyboardInterrupt, Exception) as error:
        logger.interrupted = isinstance(error, KeyboardInterrupt) or interrupts.received()
        raise
    finally:
        logger.close()


@contextmanager
def _machine_metrics_logged(logger: BackgroundLogger) -> Iterator[None]:
    """Log how much of processors, memory, disk and GPU is in use, until the block ends."""
    monitors = list(_monitors())
    seconds = MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL.get() or SAMPLING_SECONDS
    ended = Event()

    def sample() -> None:
        while not ended.wait(seconds):
            metrics: dict[str, float] = {}
            for monitor in monitors:
                monitor.collect_metrics()
                for name, value in monitor.aggregate_metrics().items():
                    metrics[f"system/{name}"] = float(value)
                monitor.clear_metrics()
            logger.log(MetricEvent(training_runs.now(), metrics=metrics))

    thread = Thread(target=sample, name="machine", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _monitors() -> Iterator[Any]:
    for monitor in (CPUMonitor, DiskMonitor, NetworkMonitor, GPUMonitor, ROCMMonitor):
        with suppress(ImportError, RuntimeError):  # there is no such GPU
            yield monitor()
