"""What a WSGI server loads: the application of the pages."""

import os
from multiprocessing import parent_process

from django.core.wsgi import get_wsgi_application

from linkwright.parent_watch import die_with_creator

if parent_process() is not None:
    # in a process that the server forked: when the server is killed, its port must come free
    die_with_creator()

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "linkwright.django_settings")
application = get_wsgi_application()
