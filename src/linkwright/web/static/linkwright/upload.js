/* The upload form: files one after the other, with progress in bytes, rate and time left; an upload that was cut, or
   whose page was reloaded, goes on where it was. Without this, the form is sent as it is. */
import { announce } from "./announce.js";
import { pollNow } from "./live.js";
import { UploadFailure, abandonUpload, askUpload, sendFile } from "./slices.js";
import { formatDuration } from "./times.js";
import { forgetUpload, rememberUpload, rememberedId, rememberedUploads } from "./unfinished.js";

const byId = (id) => document.getElementById(id);
const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];
/* the rate is that of the last seconds: what a resumed upload sent yesterday says nothing */
const RATE_WITHIN_MS = 10000;
const DELETED_LATER = "The server did not delete yet what had come of it; it does so after a day.";
let cancelling = null, countdown = 0, wantedId = "";

const form = () => byId("upload");
const formUrl = () => form().getAttribute("action");
const fileField = () => byId("upload-file");
const server = () => ({ uploadsUrl: form().dataset.uploads, token: form().elements.csrfmiddlewaretoken.value });

function formatBytes(bytes) {
  let size = bytes, unit = 0;
  while (size >= 1024 && unit < UNITS.length - 1) [size, unit] = [size / 1024, unit + 1];
  return `${size.toFixed(unit && size < 100 ? 1 : 0)}\u202f${UNITS[unit]}`;
}

function showStage(text, isLost = false) {
  byId("upload-progress").classList.toggle("is-lost", isLost);
  if (byId("upload-stage").textContent !== text) announce((byId("upload-stage").textContent = text));
}

function showNumbers(file, offset, more) {
  byId("upload-bar").value = (offset / file.size) * 100;
  byId("upload-numbers").textContent = [`${formatBytes(offset)} of ${formatBytes(file.size)}`, ...more].join(" · ");
}

/* What sendFile tells while it sends, on the page */
function reporter(file, what) {
  let seen = [], offset = 0;
  return {
    onProgress(now) {
      clearInterval(countdown);
      const at = performance.now();
      offset = now;
      seen = [...seen.filter((each) => at - each.at < RATE_WITHIN_MS), { at, offset }];
      const rate = ((offset - seen[0].offset) / Math.max(at - seen[0].at, 1)) * 1000;
      const more = rate > 0 && offset < file.size ? [`${formatBytes(rate)}/s`, `about ${formatDuration(Math.max((file.size - offset) / rate, 1))} left`] : [];
      showStage(`Uploading ${what}`);
      showNumbers(file, offset, more);
    },
    onWait(reason, ms) {
      seen = [];
      clearInterval(countdown);
      const until = performance.now() + ms;
      const tell = () => {
        const seconds = Math.max(0, Math.ceil((until - performance.now()) / 1000));
        showNumbers(file, offset, [seconds ? `trying again in ${seconds} s` : "trying again"]);
      };
      showStage(`${reason.replace(/\.$/, "")}. Nothing is lost: it goes on by itself`, true);
      tell();
      countdown = setInterval(tell, 500);
    },
    onExamine() {
      clearInterval(countdown);
      showStage(`Examining ${what}`);
      showNumbers(file, file.size, []);
    },
  };
}

function showFailure(text) {
  const shown = byId("upload-failure").content.cloneNode(true);
  shown.querySelector("p").textContent = text;
  byId("upload-result").append(shown);
  announce(text);
}

function showAnswer(html) {
  const shown = document.createRange().createContextualFragment(html);
  announce(shown.querySelector("p").textContent);
  const isSuccess = shown.querySelector(".flash-success") !== null;
  byId("upload-result").append(shown);
  return isSuccess;
}

function finishForm(id, keepsName) {
  const fields = new FormData(form());
  fields.delete(fileField().name);
  fields.set("upload", id);
  if (!keepsName) fields.delete("name");
  return fields;
}

/* Sends one file, and shows what became of it; tells whether it was taken */
async function sendOne(file, number, count) {
  cancelling = new AbortController();
  const transfer = {
    ...server(), file, id: rememberedId(formUrl(), file), signal: cancelling.signal, finishUrl: formUrl(),
    finishForm: (id) => finishForm(id, count === 1),
    onOpen: (id) => rememberUpload(formUrl(), file, id),
    ...reporter(file, count > 1 ? `${file.name} (${number} of ${count})` : file.name),
  };
  try {
    const { headers, text } = await sendFile(transfer);
    const next = headers.get("Linkwright-Next");
    const isTaken = next ? true : showAnswer(text);
    /* what was refused for a choice in the form is sent again with another one, without its bytes */
    if (isTaken) forgetUpload(transfer.id);
    else if (!("keeps" in form().dataset)) await giveUp(transfer, transfer.id);
    if (next) location.assign(next);
    return isTaken;
  } catch (error) {
    if (cancelling.signal.aborted) {
      const isDeleted = await giveUp(transfer, transfer.id);
      showFailure(`The upload of ${file.name} was cancelled. ${isDeleted ? "Nothing of it was kept." : DELETED_LATER}`);
      throw error;
    }
    if (error.isGone) forgetUpload(transfer.id);
    showFailure(error instanceof UploadFailure ? `${file.name}: ${error.message}` : `${file.name}: ${String(error)}`);
    return false;
  } finally {
    clearInterval(countdown);
  }
}

/* Forgets an upload here and on the server, where an Envelope that was made of it stays; says whether it is gone there */
async function giveUp(transfer, id) {
  if (!id) return true;
  forgetUpload(id);
  try {
    await abandonUpload({ ...transfer, id });
  } catch (error) {
    return Boolean(error.isGone);
  }
  return true;
}

async function send() {
  const files = [...fileField().files];
  if (!files.length || byId("upload-submit").disabled) return;
  byId("upload-result").replaceChildren();
  byId("upload-submit").disabled = fileField().disabled = true;
  byId("upload-offers").replaceChildren();
  byId("upload-progress").hidden = false;
  const left = new Set(files);
  try {
    for (const [index, file] of files.entries()) {
      if (await sendOne(file, index + 1, files.length)) left.delete(file);
      pollNow();
    }
  } catch {
    /* cancelled: the files behind it stay where they are */
  }
  byId("upload-progress").hidden = true;
  byId("upload-stage").textContent = "";
  byId("upload-submit").disabled = fileField().disabled = false;
  if (!left.size) form().reset();
  /* 'Upload' once more sends what was not taken, and nothing twice */
  else if (left.size < files.length) chooseFiles(left);
  nameOne();
  showOffers();
}

async function showOffer(saved) {
  let upload;
  try {
    upload = await askUpload({ ...server(), id: saved.id });
  } catch (error) {
    if (error.isGone) forgetUpload(saved.id);
    return;
  }
  if (upload.is_finished) return forgetUpload(saved.id);
  const offer = byId("upload-offer").content.cloneNode(true).firstElementChild;
  offer.querySelector("p").textContent =
    `${saved.name} is not uploaded to its end: ${formatBytes(upload.offset_bytes)} of ${formatBytes(saved.size)} have come. ` +
    "Choose the same file again, and it goes on from there.";
  offer.querySelector("[data-go-on]").addEventListener("click", () => {
    wantedId = saved.id;
    fileField().click();
  });
  offer.querySelector("[data-discard]").addEventListener("click", async () => {
    offer.remove();
    const isDeleted = await giveUp(server(), saved.id);
    announce(isDeleted ? `What had come of ${saved.name} is deleted` : DELETED_LATER);
    if (!isDeleted) showFailure(`${saved.name}: ${DELETED_LATER}`);
  });
  byId("upload-offers").append(offer);
}

async function showOffers() {
  byId("upload-offers").replaceChildren();
  for (const saved of rememberedUploads(formUrl())) await showOffer(saved);
}

/* Several files are called as they are */
function nameOne() {
  const name = byId("upload-name");
  if (name) name.disabled = fileField().files.length > 1;
}

/* After 'Choose the file': the right one goes on at once, another one is told */
function chosen() {
  nameOne();
  const wanted = rememberedUploads(formUrl()).find((saved) => saved.id === wantedId);
  wantedId = "";
  const file = fileField().files[0];
  if (!wanted || !file) return;
  if (rememberedId(formUrl(), file) === wanted.id) return send();
  byId("upload-result").replaceChildren();
  showFailure(`${file.name} is not the file that was begun: ${wanted.name} with ${formatBytes(wanted.size)}, unchanged since. Upload starts this one from its beginning.`);
}

function chooseFiles(files) {
  const chosen = new DataTransfer();
  for (const file of files) chosen.items.add(file);
  fileField().files = chosen.files;
}

function acceptDrops(zone) {
  for (const name of ["dragenter", "dragover"]) {
    zone.addEventListener(name, (event) => {
      event.preventDefault();
      zone.classList.add("is-over");
    });
  }
  for (const name of ["dragleave", "drop"]) zone.addEventListener(name, () => zone.classList.remove("is-over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    const dropped = [...event.dataTransfer.files].slice(0, fileField().multiple ? undefined : 1);
    if (dropped.length && !fileField().disabled) chooseFiles(dropped);
    nameOne();
  });
}

export function startUpload() {
  if (!form()) return;
  /* a form that is sent as it is takes one file */
  fileField().multiple = "several" in form().dataset;
  form().addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
  fileField().addEventListener("change", chosen);
  byId("upload-stop").addEventListener("click", () => cancelling?.abort());
  acceptDrops(byId("upload-drop"));
  showOffers();
}
