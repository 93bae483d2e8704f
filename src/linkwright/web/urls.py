"""Every address of the pages."""

from django.contrib.auth.decorators import login_not_required
from django.urls import URLPattern, path
from django.views.generic import RedirectView

from linkwright.web.pages import (
    apply_estimation,
    audit,
    cancel,
    envelopes,
    estimation,
    frame_live,
    health,
    jobs,
    notifications,
    project,
    projects,
    queue_history,
    queue_steering,
    rejects,
    retry,
    rollback,
    sign_in,
    start_estimation,
    upload,
)

urlpatterns: list[URLPattern] = [
    path("", RedirectView.as_view(pattern_name="envelopes"), name="home"),
    path("health", health.health, name="health"),
    path("favicon.ico", login_not_required(RedirectView.as_view(url="/static/linkwright/mark.svg"))),
    path("sign-in/", sign_in.sign_in, name="sign-in"),
    path("sign-out/", sign_in.sign_out, name="sign-out"),
    path("live/", frame_live.frame_live, name="frame-live"),
    path("projects/", projects.projects, name="projects"),
    path("projects/<str:code>/", project.project_page, name="project"),
    path("projects/<str:code>/estimate/", start_estimation.estimate, name="project-estimate"),
    path("projects/<str:code>/frequencies/", start_estimation.frequencies, name="project-frequencies"),
    path("projects/<str:code>/estimations/<int:estimation_id>/", estimation.estimation_page, name="estimation"),
    path(
        "projects/<str:code>/estimations/<int:estimation_id>/apply/",
        apply_estimation.apply,
        name="estimation-apply",
    ),
    path(
        "projects/<str:code>/estimations/<int:estimation_id>/download/",
        estimation.download,
        name="estimation-download",
    ),
    path("jobs/", RedirectView.as_view(pattern_name="envelopes")),
    path("jobs/envelopes/", envelopes.envelopes_page, name="envelopes"),
    path("jobs/envelopes/live/", envelopes.envelopes_live, name="envelopes-live"),
    path("jobs/envelopes/upload/", upload.upload, name="upload"),
    path("jobs/envelopes/<int:envelope_id>/jobs/", envelopes.envelope_jobs, name="envelope-jobs"),
    path(
        "jobs/envelopes/<int:envelope_id>/notifications/",
        notifications.notifications,
        name="envelope-notifications",
    ),
    path("jobs/envelopes/<int:envelope_id>/cancel/", cancel.cancel, name="envelope-cancel"),
    path("jobs/envelopes/<int:envelope_id>/rollback/", rollback.rollback, name="envelope-rollback"),
    path("jobs/all/", jobs.jobs_page, name="jobs"),
    path("jobs/all/live/", jobs.jobs_live, name="jobs-live"),
    path("jobs/<int:job_id>/statistics/", jobs.job_statistics, name="job-statistics"),
    path("jobs/<int:job_id>/audit/", audit.audit, name="job-audit"),
    path("jobs/<int:job_id>/retry/", retry.retry, name="job-retry"),
    path("jobs/<int:job_id>/rejects/", rejects.rejects, name="job-rejects"),
    path("jobs/queue/pause/", queue_steering.pause, name="queue-pause"),
    path("jobs/queue/resume/", queue_steering.resume, name="queue-resume"),
    path("jobs/queue/history/", queue_history.queue_history, name="queue-history"),
    path("jobs/queue/history/live/", queue_history.queue_history_live, name="queue-history-live"),
    path("jobs/queue/clear/", queue_steering.clear, name="queue-clear"),
]

handler400 = "linkwright.web.pages.errors.bad_request"
handler403 = "linkwright.web.pages.errors.forbidden"
handler404 = "linkwright.web.pages.errors.not_found"
handler500 = "linkwright.web.pages.errors.server_error"
