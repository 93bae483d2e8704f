"""Bounds what one example of a property may compute, in processor time: it passes no slower for a busy machine."""

import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

CPU_LIMIT_S = 3.0
Parameters = ParamSpec("Parameters")


def computes_briefly(check: Callable[Parameters, None]) -> Callable[Parameters, None]:
    """Fail an example that takes more than CPU_LIMIT_S of processor time; stands under @given."""

    @wraps(check)
    def bounded(*args: Parameters.args, **kwargs: Parameters.kwargs) -> None:
        before_s = time.process_time()
        check(*args, **kwargs)
        spent_s = time.process_time() - before_s
        assert spent_s < CPU_LIMIT_S, f"{spent_s:.1f} s of processor time"

    return bounded
