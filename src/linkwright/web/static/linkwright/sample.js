/* The sample of an Import Format: chosen or dropped, it is sent at once, and of text only its beginning. Without this,
   the form sends the file whole, and the server takes its beginning. */
const PARQUET = "PAR1";

async function beginning(file, field) {
  const isParquet = (await file.slice(0, PARQUET.length).text()) === PARQUET;
  /* one byte too many: the server says why it is refused */
  const most = isParquet ? Number(field.dataset.parquetBytes) + 1 : Number(field.dataset.sampleBytes);
  return file.size > most ? new File([file.slice(0, most)], file.name) : file;
}

async function send(field, file) {
  const transfer = new DataTransfer();
  transfer.items.add(await beginning(file, field));
  field.files = transfer.files;
  field.form.requestSubmit(document.getElementById("sample-send"));
}

export function startSample() {
  const field = document.getElementById("sample-file"), drop = document.getElementById("sample-drop");
  if (!field || !drop) return;
  field.addEventListener("change", () => field.files.length && send(field, field.files[0]));
  for (const type of ["dragenter", "dragover"]) {
    drop.addEventListener(type, (event) => {
      event.preventDefault();
      drop.classList.add("is-over");
    });
  }
  drop.addEventListener("dragleave", (event) => {
    if (!drop.contains(event.relatedTarget)) drop.classList.remove("is-over");
  });
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("is-over");
    if (event.dataTransfer.files.length) send(field, event.dataTransfer.files[0]);
  });
}
