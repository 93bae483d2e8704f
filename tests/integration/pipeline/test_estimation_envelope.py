"""Estimation through the queue: by an Envelope whose data is not kept, and over the held records."""

import pytest

from tests.integration.pipeline.conftest import System
from tests.integration.pipeline.test_pipeline import people
from linkwright.store.models import *
from linkwright.services.sweep_files import sweep_files

pytestmark = pytest.mark.django_db

def test_x(system: System) -> None:
    system.load("first", people(150, 1))
    from linkwright.services.start_estimation import start_estimation
    from linkwright.store.audit_log import COMMAND_LINE
    job = start_estimation(LinkageProject.objects.get(code="P1"), COMMAND_LINE)
    (job,) = system.drain()
    import json
    print(job.state, job.error_message, json.dumps(job.statistics, indent=1)[:6000])
    e = Estimation.objects.get()
    print([p["name"] for p in e.plots], len(json.dumps(e.plots)), len(json.dumps(e.results)))
    from linkwright.services.download_estimation import pack_estimation
    packed = pack_estimation(e, COMMAND_LINE)
    import zipfile, io
    z = zipfile.ZipFile(io.BytesIO(packed.content))
    print(z.namelist(), z.read("manifest.xml").decode()[:3000], z.read("match.yaml").decode()[:1500])
    import re
    print(set(re.findall(r"var\(--[a-z0-9-]+\)", e.plots[0]["svg"])), z.read("thresholds.svg").decode().count("var("))
    assert 0
