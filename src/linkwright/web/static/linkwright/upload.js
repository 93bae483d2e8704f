/* Sends an Envelope with its progress in bytes, speed and time left. Without this, the form is sent as it is. */
import { announce } from "./announce.js";
import { pollNow } from "./live.js";
import { formatDuration } from "./times.js";

const byId = (id) => document.getElementById(id);
const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

function formatBytes(bytes) {
  let size = bytes, unit = 0;
  while (size >= 1024 && unit < UNITS.length - 1) [size, unit] = [size / 1024, unit + 1];
  return `${size.toFixed(unit && size < 100 ? 1 : 0)}\u202f${UNITS[unit]}`;
}

function showProgress(event, startedAt) {
  const seconds = (performance.now() - startedAt) / 1000;
  const rate = event.loaded / Math.max(seconds, 0.001);
  const left = (event.total - event.loaded) / Math.max(rate, 1);
  const isSent = event.loaded >= event.total;
  const stage = isSent ? "Examining" : "Uploading";
  if (byId("upload-stage").textContent !== stage) announce((byId("upload-stage").textContent = stage));
  byId("upload-bar").value = (event.loaded / event.total) * 100;
  const numbers = [`${formatBytes(event.loaded)} of ${formatBytes(event.total)}`];
  if (!isSent && seconds > 1) numbers.push(`${formatBytes(rate)}/s`, `about ${formatDuration(Math.max(left, 1))} left`);
  byId("upload-numbers").textContent = numbers.join(" · ");
}

function showResult(xhr) {
  const result = byId("upload-result");
  const type = xhr.getResponseHeader("Content-Type") || "";
  if (xhr.status === 200 && type.startsWith("text/html") && xhr.responseURL.endsWith(byId("upload").getAttribute("action"))) {
    result.innerHTML = xhr.responseText;
    announce(result.querySelector("p").textContent);
    return;
  }
  const text = type.startsWith("text/plain")
    ? xhr.responseText
    : `The upload failed (${xhr.status || "the server does not answer"}). Reload the page and send the file again.`;
  result.innerHTML = '<div class="flash flash-error"><svg class="icon" aria-hidden="true"><use href="#i-error"/></svg><div><p></p></div></div>';
  result.querySelector("p").textContent = text;
  announce(text);
}

function send(form) {
  const xhr = new XMLHttpRequest();
  const startedAt = performance.now();
  const done = () => {
    byId("upload-progress").hidden = true;
    byId("upload-submit").disabled = false;
  };
  xhr.upload.addEventListener("progress", (event) => showProgress(event, startedAt));
  xhr.upload.addEventListener("load", (event) => showProgress({ loaded: event.total, total: event.total }, startedAt));
  xhr.addEventListener("load", () => {
    const next = xhr.getResponseHeader("Linkwright-Next");
    if (next) return location.assign(next);
    done();
    showResult(xhr);
    if (byId("upload-result").querySelector(".flash-success")) form.reset();
    pollNow();
  });
  xhr.addEventListener("error", () => (done(), showResult(xhr)));
  xhr.addEventListener("abort", done);
  byId("upload-stop").onclick = () => xhr.abort();
  byId("upload-result").replaceChildren();
  byId("upload-submit").disabled = true;
  byId("upload-progress").hidden = false;
  xhr.open("POST", form.getAttribute("action"));
  xhr.setRequestHeader("HX-Request", "true");
  xhr.send(new FormData(form));
}

export function startUpload() {
  const form = byId("upload");
  if (!form) return;
  const zone = byId("upload-drop");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form);
  });
  for (const name of ["dragenter", "dragover"]) {
    zone.addEventListener(name, (event) => {
      event.preventDefault();
      zone.classList.add("is-over");
    });
  }
  for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => zone.classList.remove("is-over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) byId("upload-file").files = event.dataTransfer.files;
  });
}
