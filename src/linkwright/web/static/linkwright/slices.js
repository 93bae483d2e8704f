/* Sends one file in slices: each at the offset that the server expects, with its SHA-256. What fails by the network
   is tried again, with growing waits, for as long as the page is open. Knows nothing of the page. */
const FIRST_BYTES = 1024 * 1024, LEAST_BYTES = 64 * 1024, MOST_BYTES = 8 * 1024 * 1024;
/* slices grow and shrink towards this: small enough to see progress and lose little, large enough to be quick */
const AIM_MS = 2000;
const FIRST_WAIT_MS = 1000, LONGEST_WAIT_MS = 30000;
/* statuses after which the same request may succeed, in words for whoever waits */
const REPEATABLE = {
  400: "A part was damaged on its way", 408: "The connection is very slow", 423: "The server is busy",
  429: "The server is busy", 502: "The server cannot be reached", 503: "The server is busy", 504: "The server is busy",
};
const SIGNED_OUT = "You have been signed out. Sign in again, then choose the same file: it goes on where it was.";
const UNREADABLE = "The file cannot be read any more: it was changed, moved or deleted. Choose it again.";

/* `again`: the same request may succeed later; `offset`: where the server wants to go on; `isGone`: it has no such upload */
export class UploadFailure extends Error {
  constructor(message, { again = false, offset = null, isGone = false } = {}) {
    super(message);
    Object.assign(this, { again, offset, isGone });
  }
}

const headersOf = (transfer) => ({ "X-CSRFToken": transfer.token, "HX-Request": "true" });
const pathOf = (transfer) => `${transfer.uploadsUrl}${transfer.id}/`;

/* One request; what is no success becomes an UploadFailure */
async function ask(transfer, method, path, body, headers = {}) {
  let response, text;
  try {
    response = await fetch(path, {
      method, body, headers: { ...headersOf(transfer), ...headers },
      signal: transfer.signal, redirect: "manual", cache: "no-store",
    });
    text = await response.text();
  } catch (error) {
    if (transfer.signal?.aborted) throw error;
    throw new UploadFailure("The server cannot be reached", { again: true });
  }
  if (response.type === "opaqueredirect") throw new UploadFailure(SIGNED_OUT);
  const isJson = (response.headers.get("Content-Type") || "").startsWith("application/json");
  if (response.ok) return { headers: response.headers, text, told: isJson ? JSON.parse(text) : null };
  const told = isJson ? JSON.parse(text) : {};
  const isText = (response.headers.get("Content-Type") || "").startsWith("text/plain");
  if (told.again || (!told.message && response.status > 400 && response.status in REPEATABLE)) {
    throw new UploadFailure(REPEATABLE[response.status], { again: true });
  }
  throw new UploadFailure(
    told.message || (isText ? text : `The upload failed (${response.status}). Reload the page and send the file again.`),
    { offset: told.offset_bytes ?? null, isGone: response.status === 404 },
  );
}

/* Waits; the network's return, or the end of the upload, ends it */
function pause(ms, signal) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      window.removeEventListener("online", end);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    window.addEventListener("online", end);
    signal.addEventListener("abort", end);
  });
}

async function waitFor(transfer, error) {
  const ms = Math.min(FIRST_WAIT_MS * 2 ** transfer.failures, LONGEST_WAIT_MS);
  transfer.failures += 1;
  transfer.onWait(error.message, ms);
  await pause(ms, transfer.signal);
  transfer.signal.throwIfAborted();
}

async function persistently(transfer, act) {
  for (;;) {
    try {
      const answer = await act();
      transfer.failures = 0;
      return answer;
    } catch (error) {
      if (!error.again) throw error;
      await waitFor(transfer, error);
    }
  }
}

async function sha256Of(content) {
  /* only there over https and on this machine; without it, TCP's own checksums and the whole file's examination remain */
  if (!crypto.subtle) return "";
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function contentOf(file, start, end) {
  try {
    return await file.slice(start, end).arrayBuffer();
  } catch {
    throw new UploadFailure(UNREADABLE);
  }
}

async function sendSlice(transfer, start, bytes) {
  const content = await contentOf(transfer.file, start, Math.min(start + bytes, transfer.file.size));
  const headers = { "Content-Type": "application/octet-stream", "Upload-Offset": String(start) };
  const digest = await sha256Of(content);
  if (digest) headers["Content-SHA256"] = digest;
  const { told } = await ask(transfer, "PUT", pathOf(transfer), content, headers);
  return told.offset_bytes;
}

async function sendRest(transfer, from) {
  let offset = from, bytes = FIRST_BYTES;
  transfer.onProgress(offset);
  while (offset < transfer.file.size) {
    const startedAt = performance.now();
    try {
      offset = await sendSlice(transfer, offset, bytes);
      transfer.failures = 0;
      const factor = Math.min(2, Math.max(0.5, AIM_MS / Math.max(performance.now() - startedAt, 1)));
      bytes = Math.round(Math.min(MOST_BYTES, Math.max(LEAST_BYTES, bytes * factor)));
    } catch (error) {
      if (error.again) {
        bytes = Math.max(LEAST_BYTES, bytes / 2);
        await waitFor(transfer, error);
        offset = (await persistently(transfer, () => ask(transfer, "GET", pathOf(transfer)))).told.offset_bytes;
      } else if (error.offset !== null && error.offset !== offset) {
        /* the answer to an earlier slice was lost, or another window sends the same file */
        offset = error.offset;
      } else throw error;
    }
    transfer.onProgress(offset);
  }
}

/* Begins an upload, or goes on with the one whose id is given; returns how it stands, with its id */
async function open(transfer) {
  if (transfer.id) {
    try {
      return (await persistently(transfer, () => ask(transfer, "GET", pathOf(transfer)))).told;
    } catch (error) {
      if (!error.isGone) throw error;
    }
  }
  const form = new URLSearchParams({ file_name: transfer.file.name, size_bytes: transfer.file.size });
  return (await persistently(transfer, () => ask(transfer, "POST", transfer.uploadsUrl, form))).told;
}

/* Sends what is lacking and submits the file. `transfer`: { file, id or "", uploadsUrl, token, signal, finishUrl,
   finishForm(id), onOpen(id), onProgress(offset), onWait(reason, ms), onExamine() }. Returns { headers, text }. */
export async function sendFile(transfer) {
  transfer.failures = 0;
  const opened = await open(transfer);
  transfer.id = opened.id;
  transfer.onOpen(opened.id);
  let offset = opened.offset_bytes;
  for (;;) {
    await sendRest(transfer, offset);
    transfer.onExamine();
    try {
      return await persistently(transfer, () =>
        ask(transfer, "POST", transfer.finishUrl, transfer.finishForm(opened.id)),
      );
    } catch (error) {
      /* the server has lost a part that it had: it says from where to go on */
      if (error.offset === null || error.offset >= transfer.file.size) throw error;
      offset = error.offset;
    }
  }
}

export const askUpload = async (transfer) => (await ask(transfer, "GET", pathOf(transfer))).told;

/* The slice that was on its way may keep the upload busy for a moment */
export async function abandonUpload(transfer, tries = 5) {
  try {
    await ask({ ...transfer, signal: undefined }, "DELETE", pathOf(transfer));
  } catch (error) {
    if (!error.again || tries <= 1) throw error;
    await new Promise((resolve) => setTimeout(resolve, FIRST_WAIT_MS));
    await abandonUpload(transfer, tries - 1);
  }
}
