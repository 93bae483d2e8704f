"""A signal that asks to end is never lost, and never waits for itself."""

import signal
import threading
from collections.abc import Iterator

import pytest

from linkwright.cli.stop_signals import set_on_signals


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    before = {sign: signal.getsignal(sign) for sign in (signal.SIGTERM, signal.SIGINT)}
    yield
    for sign, handler in before.items():
        signal.signal(sign, handler)


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_sets_the_event(sign: signal.Signals) -> None:
    asked = threading.Event()
    set_on_signals(asked)
    signal.raise_signal(sign)
    assert asked.wait(5)


def test_a_signal_that_comes_while_the_loop_holds_the_events_lock_does_not_wait_for_itself() -> None:
    asked = threading.Event()
    set_on_signals(asked)
    with asked._cond:  # type: ignore[attr-defined]
        signal.raise_signal(signal.SIGTERM)
        assert not asked._flag  # type: ignore[attr-defined]
    assert asked.wait(5)
