"""Every address of the pages."""

from django.contrib.auth.decorators import login_not_required
from django.urls import URLPattern, path
from django.views.generic import RedirectView

from linkwright.web.pages import (
    api_keys,
    apply_estimation,
    audit,
    backups,
    cancel,
    cancel_job,
    envelopes,
    estimation,
    event_types,
    extraction,
    extraction_actions,
    extraction_form,
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
    storage,
    submit_file,
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
    path("projects/<str:code>/submit/", submit_file.submit_file, name="submit"),
    path("projects/<str:code>/submit/<str:waiting_id>/", submit_file.confirm_file, name="submit-confirm"),
    path("projects/<str:code>/submit/<str:waiting_id>/cancel/", submit_file.cancel_file, name="submit-cancel"),
    path("projects/<str:code>/event-types/attach/", event_types.attach, name="event-type-attach"),
    path(
        "projects/<str:code>/event-types/<str:event_type>/updates/", event_types.updates, name="event-type-updates"
    ),
    path("projects/<str:code>/event-types/<str:event_type>/detach/", event_types.detach, name="event-type-detach"),
    path("projects/<str:code>/estimate/", start_estimation.estimate, name="project-estimate"),
    path("projects/<str:code>/frequencies/", start_estimation.frequencies, name="project-frequencies"),
    path("projects/<str:code>/compact/", storage.compact, name="project-compact"),
    path("projects/<str:code>/purge/", storage.purge, name="project-purge"),
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
    path("projects/<str:code>/new-extraction/", extraction_form.create, name="extraction-new"),
    path("projects/<str:code>/extractions/<str:extraction_code>/", extraction.extraction_page, name="extraction"),
    path(
        "projects/<str:code>/extractions/<str:extraction_code>/change/",
        extraction_form.change,
        name="extraction-change",
    ),
    path(
        "projects/<str:code>/extractions/<str:extraction_code>/extract/",
        extraction_actions.extract,
        name="extraction-extract",
    ),
    path(
        "projects/<str:code>/extractions/<str:extraction_code>/close/",
        extraction_actions.close,
        name="extraction-close",
    ),
    path(
        "projects/<str:code>/extractions/<str:extraction_code>/results/<int:result_id>/",
        extraction.download,
        name="extraction-download",
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
    path("jobs/<int:job_id>/cancel/", cancel_job.cancel, name="job-cancel"),
    path("jobs/<int:job_id>/rejects/", rejects.rejects, name="job-rejects"),
    path("jobs/queue/pause/", queue_steering.pause, name="queue-pause"),
    path("jobs/queue/resume/", queue_steering.resume, name="queue-resume"),
    path("jobs/queue/history/", queue_history.queue_history, name="queue-history"),
    path("jobs/queue/history/live/", queue_history.queue_history_live, name="queue-history-live"),
    path("jobs/queue/clear/", queue_steering.clear, name="queue-clear"),
    path("account/api-keys/", api_keys.api_keys, name="api-keys"),
    path("account/api-keys/new/", api_keys.create, name="api-key-create"),
    path("account/api-keys/<int:key_id>/revoke/", api_keys.revoke, name="api-key-revoke"),
    path("admin/", RedirectView.as_view(pattern_name="backups"), name="admin"),
    path("admin/backups/", backups.backups_page, name="backups"),
    path("admin/backups/live/", backups.backups_live, name="backups-live"),
    path("admin/backups/start/", backups.back_up, name="backup-start"),
]

handler400 = "linkwright.web.pages.errors.bad_request"
handler403 = "linkwright.web.pages.errors.forbidden"
handler404 = "linkwright.web.pages.errors.not_found"
handler500 = "linkwright.web.pages.errors.server_error"
