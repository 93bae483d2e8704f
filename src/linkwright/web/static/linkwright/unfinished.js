/* Remembers in this browser which uploads were begun and not finished, so that a reload does not lose them. A file is
   the same if its name, size and time of change are. Where the browser keeps nothing, nothing is remembered. */
const KEY = "linkwright-uploads";
const MOST_KEPT = 20;

function read() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) || [];
  } catch {
    return [];
  }
}

function write(uploads) {
  try {
    localStorage.setItem(KEY, JSON.stringify(uploads.slice(-MOST_KEPT)));
  } catch {
    /* private windows */
  }
}

const isOf = (file) => (saved) =>
  saved.name === file.name && saved.size === file.size && saved.modified === file.lastModified;

/* `form`: the address that the form sends to; each has its own uploads */
export const rememberedUploads = (form) => read().filter((saved) => saved.form === form);
export const rememberedId = (form, file) => rememberedUploads(form).find(isOf(file))?.id || "";
export const forgetUpload = (id) => write(read().filter((saved) => saved.id !== id));

export function rememberUpload(form, file, id) {
  const others = read().filter((saved) => saved.form !== form || !isOf(file)(saved));
  write([...others, { form, id, name: file.name, size: file.size, modified: file.lastModified }]);
}
