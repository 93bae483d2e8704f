"""Lists whose texts are as long as they come: they stay inside their frames, and no page scrolls sideways."""

from linkwright.store.models import Envelope, Job, JobKind
from tests.browser.conftest import OpenPage
from tests.integration.web.seed import World

LONG_NAME = "Registrations of the third quarter of 2026, corrected twice"
LONG_FILE = "admissions_2026_q3_corrected_twice.csv"
LISTS = ("/jobs/envelopes/", "/jobs/all/", "/projects/PERINATAL/", "/admin/audit-log/", "/jobs/queue/history/")
# where something changes, and there a list has least room
WIDTHS = (1180, 1280, 1360, 1448)
STICKING_OUT = """() => {
  const frames = [...document.querySelectorAll(".table-frame")];
  const out = frames.filter((frame) => getComputedStyle(frame).overflowX === "visible")
    .map((frame) => frame.querySelector("table").getBoundingClientRect().width - frame.clientWidth);
  return Math.max(0, document.documentElement.scrollWidth - innerWidth, ...out);
}"""


def test_lists_of_long_names_stay_inside_their_frames(world: World, open_page: OpenPage) -> None:
    Envelope.objects.update(name=LONG_NAME)
    Job.objects.filter(kind=JobKind.LOAD).update(parameters={"file_name": LONG_FILE})
    page = open_page(LISTS[0], world.admin)
    out: dict[tuple[str, int], float] = {}
    for path in LISTS:
        page.goto(path)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            out[path, width] = page.evaluate(STICKING_OUT)
    assert {place: over for place, over in out.items() if over} == {}


def test_the_head_of_a_long_list_stays_below_the_top_bar(world: World, open_page: OpenPage) -> None:
    page = open_page("/jobs/all/", world.admin, viewport={"width": 1360, "height": 400})
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    tops = "[document.querySelector('.topbar'), document.querySelector('.data-main > thead th')]"
    bar, head = page.evaluate(f"{tops}.map((one) => one.getBoundingClientRect())")
    assert bar["bottom"] - 1 <= head["top"] <= bar["bottom"] + 1
