"""What a WSGI server loads: the application of the pages."""

import gc
import os
from multiprocessing import parent_process

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from linkwright.parent_watch import die_with_creator

if parent_process() is not None:
    # in a process that the server forked: when the server is killed, its port must come free
    die_with_creator()

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "linkwright.django_settings")
application = get_wsgi_application()
# every page is loaded before the first is asked for; what is there now stays, and is not looked through again for
# what could be freed: that would be a tenth of the time of a page
get_resolver().url_patterns  # noqa: B018 - read for its effect
gc.collect()
gc.freeze()
