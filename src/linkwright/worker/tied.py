"""The fork server's first import: from its very beginning it ends with the worker.

Its children own the pipe on which it waits for the worker's end, as every child does, so it and they would keep
each other alive; and until it has imported everything, it waits for nothing at all.
"""

import os

from linkwright.parent_watch import CREATOR_VARIABLE, die_with_creator

die_with_creator(int(os.environ[CREATOR_VARIABLE]))
